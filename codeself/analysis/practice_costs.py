"""What practice cost on the machine that ran it: seconds by stage, tokens a second, memory. Host facts, no record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from codeself.records.training import StepRecord, StepTiming


@dataclass(frozen=True)
class Costs:
    """Of a whole run. Seconds are wall seconds of the three stages; what comes before and between them is not in it.

    first, median_later: seconds of the first step, which warms up, and the median of those after it. A rate in
    tokens a second is None where the stage took no time that a clock saw.
    """

    steps: int
    sampling: float
    judging: float
    updating: float
    first: float
    median_later: float | None
    sampled_per_second: float | None
    learned_per_second: float | None
    peak_memory_mb: float

    @property
    def total(self) -> float:
        return self.sampling + self.judging + self.updating


def costs(steps: Sequence[StepRecord], timings: Sequence[StepTiming]) -> Costs:
    """steps, timings: of one run, in the same order, at least one."""
    sampling = sum(timing.sampling for timing in timings)
    updating = sum(timing.updating for timing in timings)
    later = [seconds(timing) for timing in timings[1:]]
    return Costs(
        steps=len(timings),
        sampling=sampling,
        judging=sum(timing.judging for timing in timings),
        updating=updating,
        first=seconds(timings[0]),
        median_later=median(later) if later else None,
        sampled_per_second=sum(step.sampled_tokens for step in steps) / sampling if sampling else None,
        learned_per_second=sum(step.learned_tokens for step in steps) / updating if updating else None,
        peak_memory_mb=max(timing.peak_memory_mb for timing in timings),
    )


def seconds(timing: StepTiming) -> float:
    """One step's, all stages together."""
    return timing.sampling + timing.judging + timing.updating


def seconds_until(timings: Sequence[StepTiming], step: int) -> float:
    """From the start of the first step to the end of this one."""
    return sum(seconds(timing) for timing in timings if timing.step <= step)
