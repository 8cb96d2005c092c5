"""What happened in practice, step after step: curves of runs and arms, samples to a pass rate, endings at both ends.

It describes. Rates are of what a policy wrote while it learned, so nothing here tests whether it learned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from codeself.records.practice import ARMS, PracticeConfig
from codeself.records.training import ADVANTAGE_EDGES, StepRecord, TrainingRecord
from codeself.records.verdicts import PHASES, Status

Along = Literal["step", "samples"]
Value = Callable[[StepRecord], float | None]
STATUSES: tuple[Status, ...] = (
    "passed",
    "failed",
    "error",
    "timeout",
    "memory",
    "output",
    "crashed",
    "refused",
    "infrastructure",
)


@dataclass(frozen=True)
class Run:
    """A finished run: its record, what it was told, and its steps in order, at least one."""

    record: TrainingRecord
    settings: PracticeConfig
    steps: tuple[StepRecord, ...]

    @property
    def name(self) -> str:
        return self.record.policy


@dataclass(frozen=True)
class Line:
    """ys: None where a step has no such value."""

    xs: tuple[float, ...]
    ys: tuple[float | None, ...]


@dataclass(frozen=True)
class ArmLines:
    """One arm's runs, and their mean step by step, over the runs that have a value there."""

    arm: str
    runs: tuple[Line, ...]
    mean: Line

    @property
    def has_values(self) -> bool:
        return any(y is not None for y in self.mean.ys)


@dataclass(frozen=True)
class Reached:
    """Where a smoothed pass rate first came to a given one. samples: drawn by the end of that step."""

    step: int
    samples: int
    rate: float


@dataclass(frozen=True)
class Thirds:
    """How completions ended in the first and in the last third of the steps. steps: in a third, at least one."""

    steps: int
    first: Mapping[str, int]
    last: Mapping[str, int]


@dataclass(frozen=True)
class AdvantageColumn:
    """Steps first to last. shares: of completions, one for each bin of ADVANTAGE_EDGES; all 0 where none learned."""

    first: int
    last: int
    shares: tuple[float, ...]


def by_arm(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """The runs of each arm, arms in their own order and runs by seed."""
    found = {
        arm: sorted((r for r in runs if r.record.arm == arm), key=lambda r: r.record.seed) for arm in ARMS
    }
    return {arm: own for arm, own in found.items() if own}


def drawn(steps: Sequence[StepRecord]) -> list[int]:
    """Completions drawn by the end of each step."""
    return list(accumulate(step.completions for step in steps))


def passes(step: StepRecord) -> int:
    """Completions that passed every public and hidden test."""
    return round((step.pass_rate or 0.0) * step.completions)


def smoothed_pass_rates(steps: Sequence[StepRecord], window: int) -> list[float | None]:
    """At each step, passes over completions of it and of up to window - 1 steps before.

    It looks back only, so that a value is known once its step is over. None where nothing was drawn.
    """
    rates: list[float | None] = []
    for end in range(1, len(steps) + 1):
        own = steps[max(0, end - window) : end]
        total = sum(step.completions for step in own)
        rates.append(sum(map(passes, own)) / total if total else None)
    return rates


def first_reached(steps: Sequence[StepRecord], rate: float, window: int) -> Reached | None:
    """The first step at which the smoothed pass rate is at least rate. None where it never is."""
    for step, samples, found in zip(steps, drawn(steps), smoothed_pass_rates(steps, window), strict=True):
        if found is not None and found >= rate:
            return Reached(step.step, samples, found)
    return None


def arm_lines(arms: Mapping[str, Sequence[Run]], value: Value, along: Along) -> list[ArmLines]:
    """Each arm's curves of one value. along: the step's number, or the samples drawn by its end."""
    return [
        _lines(arm, [(run.steps, [value(step) for step in run.steps]) for run in runs], along)
        for arm, runs in arms.items()
    ]


def smoothed_lines(arms: Mapping[str, Sequence[Run]], window: int) -> list[ArmLines]:
    """Each arm's smoothed pass rates by samples drawn."""
    return [
        _lines(arm, [(run.steps, smoothed_pass_rates(run.steps, window)) for run in runs], "samples")
        for arm, runs in arms.items()
    ]


def thirds(runs: Sequence[Run]) -> Thirds:
    """Endings of one arm, all its runs together. With fewer than three steps a third is one step."""
    size = max(1, min(len(run.steps) for run in runs) // 3)
    first: Counter[str] = Counter()
    last: Counter[str] = Counter()
    for run in runs:
        for step in run.steps[:size]:
            first.update(step.endings)
        for step in run.steps[-size:]:
            last.update(step.endings)
    return Thirds(size, first, last)


def endings_of(found: Sequence[Thirds]) -> list[str]:
    """Every ending of any of them, in the order of the judge's phases."""
    return sorted({ending for each in found for ending in (*each.first, *each.last)}, key=_place)


def advantage_columns(runs: Sequence[Run], most: int) -> list[AdvantageColumn]:
    """The histogram of advantages over the steps of one arm, all its runs together.

    most: columns, at most; longer runs have several steps in a column.
    """
    length = max(len(run.steps) for run in runs)
    width = -(-length // most)
    columns = []
    for start in range(0, length, width):
        counts = [0] * (len(ADVANTAGE_EDGES) - 1)
        for run in runs:
            for step in run.steps[start : start + width]:
                counts = [a + b for a, b in zip(counts, step.advantages, strict=True)]
        total = sum(counts)
        shares = tuple(count / total if total else 0.0 for count in counts)
        columns.append(AdvantageColumn(start, min(start + width, length) - 1, shares))
    return columns


def _lines(
    arm: str, runs: Sequence[tuple[Sequence[StepRecord], Sequence[float | None]]], along: Along
) -> ArmLines:
    lines = [
        Line(tuple(drawn(steps) if along == "samples" else (step.step for step in steps)), tuple(values))
        for steps, values in runs
    ]
    places = range(max(len(line.xs) for line in lines))
    return ArmLines(
        arm,
        tuple(lines),
        Line(
            tuple(
                _mean([line.xs[place] for line in lines if place < len(line.xs)]) or 0.0 for place in places
            ),
            tuple(_mean([line.ys[place] for line in lines if place < len(line.ys)]) for place in places),
        ),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _place(ending: str) -> tuple[int, int, str]:
    phase, _, status = ending.partition(": ")
    return (
        next((place for place, name in enumerate(PHASES) if name == phase), len(PHASES)),
        next((place for place, name in enumerate(STATUSES) if name == status), len(STATUSES)),
        ending,
    )
