"""Outcomes: correctness by one kind of tests, from per-task rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from codeself.analysis.groups import informative
from codeself.analysis.intervals import Interval, mean_interval, share_interval, wilson
from codeself.analysis.pass_at_k import pass_at_k
from codeself.records.digests import seed_from
from codeself.records.errors import InputError
from codeself.records.metrics import Estimate, FamilyRates, Outcomes, PassAtK, TaskRow, TestKind

CURVE_POINTS = 64


@dataclass(frozen=True)
class Settings:
    """How rates are estimated; k, confidence, resamples and hoped_for_gain as in MetricsConfig."""

    taskset: str
    split: str
    k: tuple[int, ...]
    confidence: float
    resamples: int
    hoped_for_gain: float
    seed: int


def outcomes_by(tests: TestKind, rows: Sequence[TaskRow], drawn: int, settings: Settings) -> Outcomes:
    """Rates over the tasks that have these tests. drawn: samples a task, before any fault of the judge."""
    rows = [row for row in rows if tests == "hidden" or row.right_locked is not None]
    families = [row.family for row in rows]
    answered = [row for row in rows if _greedy(row, tests) is not None]
    greedy = None
    if answered:
        outcomes = [float(bool(_greedy(row, tests))) for row in answered]
        among = [row.family for row in answered]
        greedy = estimate_share(outcomes, among, settings)
    if drawn and max(settings.k) > drawn:
        raise InputError(
            f"--k {max(settings.k)}: pass@{max(settings.k)} needs at least as many samples a task as k, and"
            f" there are {drawn}"
        )
    wanted = sorted(set(settings.k)) if drawn else []
    step = -(-drawn // CURVE_POINTS) if drawn else 1
    most = max((row.samples for row in rows), default=0)  # below drawn only where the judge had a fault
    ks = sorted({*wanted, *range(1, most + 1, step)})
    curve = {k: _pass_at(k, tests, rows, settings) for k in ks}
    groups = [row for row in rows if row.samples]
    return Outcomes(
        tests=tests,
        tasks=len(rows),
        families=len(set(families)),
        greedy=greedy,
        pass_at_k=tuple(curve[k] for k in wanted),
        curve=tuple(curve.values()),
        informative_groups=estimate_mean(
            informative([row.samples for row in groups], [_right(row, tests) for row in groups]),
            [row.family for row in groups],
            settings,
        )
        if groups
        else None,
        by_family=_by_family(tests, rows, settings.confidence),
    )


def estimate_mean(values: ArrayLike, families: Sequence[str], settings: Settings) -> Estimate:
    """The mean over tasks of a quantity within [0, 1], with its bootstrap interval."""
    # The same draws of families for every quantity: equal values get equal intervals, and asking for
    # another k moves none of the rest.
    seed = seed_from("interval", settings.seed, settings.taskset, settings.split)
    interval = mean_interval(
        values, families, confidence=settings.confidence, resamples=settings.resamples, seed=seed
    )
    return _estimate(values, families, interval)


def estimate_share(values: ArrayLike, families: Sequence[str], settings: Settings) -> Estimate:
    """The share of tasks whose value is 1, of values 0 and 1, with its interval."""
    return _estimate(values, families, share_interval(values, families, confidence=settings.confidence))


def _estimate(values: ArrayLike, families: Sequence[str], interval: Interval) -> Estimate:
    x = np.asarray(values, dtype=np.float64)
    value = float(x.mean())
    return Estimate(
        value=value,
        # An interval holds its estimate, whatever rounding does at 0 and 1.
        low=min(interval.low, value),
        high=max(interval.high, value),
        method=interval.method,
        tasks=x.size,
        families=len(set(families)),
    )


def _pass_at(k: int, tests: TestKind, rows: Sequence[TaskRow], settings: Settings) -> PassAtK:
    enough = [row for row in rows if row.samples >= k]
    if not enough:
        raise InputError(f"--k {k}: infrastructure faults left no task with {k} samples")
    values = pass_at_k([row.samples for row in enough], [_right(row, tests) for row in enough], k)
    families = [row.family for row in enough]
    return PassAtK(k=k, estimate=estimate_mean(values, families, settings))


def _by_family(tests: TestKind, rows: Sequence[TaskRow], confidence: float) -> tuple[FamilyRates, ...]:
    members: dict[str, list[TaskRow]] = {}
    for row in rows:
        members.setdefault(row.family, []).append(row)
    rates = []
    for family, own in sorted(members.items()):
        answers = [answer for row in own if (answer := _greedy(row, tests)) is not None]
        samples, right = sum(row.samples for row in own), sum(_right(row, tests) for row in own)
        low, high = wilson(right, samples, confidence) if samples else (None, None)
        rates.append(
            FamilyRates(
                family=family,
                tasks=len(own),
                greedy=sum(answers) / len(answers) if answers else None,
                samples=samples,
                sampled=right / samples if samples else None,
                low=low,
                high=high,
            )
        )
    return tuple(rates)


def _greedy(row: TaskRow, tests: TestKind) -> bool | None:
    return row.greedy_hidden if tests == "hidden" else row.greedy_locked


def _right(row: TaskRow, tests: TestKind) -> int:
    return row.right_hidden if tests == "hidden" else (row.right_locked or 0)
