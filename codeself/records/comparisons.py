"""Comparisons: what the declared tests found, and the controls beside them."""

from __future__ import annotations

from pydantic import Field

from codeself.records.finite import FiniteRecord
from codeself.records.locked_reads import LockedReads
from codeself.records.metrics import Estimate, SamplingFacts, TestKind
from codeself.records.plan import Answers, Endpoint


class Difference(FiniteRecord):
    """A mean difference over tasks with its interval. method as in codeself.analysis.paired."""

    value: float
    low: float
    high: float
    method: str


class Discordant(FiniteRecord):
    """Two policies' greedy answers to the same tasks, one by one.

    Over several training seeds the counts are of all of their pairs with the base. p_exact, p_mid: McNemar's
    test as if tasks were unrelated and seeds one. interval: Newcombe's, likewise; tango: Tango's.
    """

    both: int
    lost: int
    won: int
    neither: int
    p_exact: float
    p_mid: float
    interval: Difference
    tango: Difference


class EndpointResult(FiniteRecord):
    """What a declared test found.

    p: of the declared test; p_method says whether it is exact or sampled. p_adjusted: Holm's, over all declared
    endpoints. significant: p_adjusted is at most alpha and, with several training seeds, the interval, in
    which seeds count as draws, excludes 0 on the same side. detectable: the effect that this test, as
    strict as Holm made it at first, sees with the planned power: the planned value, or that from the measured
    standard error where it is larger; None where no effect is large enough.
    better: chance that a run of the arm scores higher than one of the comparator on a task drawn at random.
    """

    endpoint: Endpoint
    difference: Difference
    standard_error: float | None
    p: float
    p_method: str
    p_adjusted: float
    significant: bool
    detectable: float | None
    better: float
    tasks: int
    families: int
    discordant: Discordant | None


class SideRates(FiniteRecord):
    """What one side does, its training seeds averaged. middle: interquartile mean of per-task pass rates.

    by_seed: the sampled rate of each training seed's policy. at_most: pass@K at all K samples.
    """

    name: str
    policies: tuple[str, ...]
    sampled: Estimate | None
    greedy: Estimate | None
    at_most: Estimate | None
    middle: float | None
    by_seed: tuple[float, ...]


class Gap(FiniteRecord):
    """Share of answers that pass the first kind of tests and fail the second: overfitting to what was seen."""

    name: str
    before: float
    after: float
    change: Difference
    tasks: int


class Transitions(FiniteRecord):
    """Where answers ended before and after: shares of all pairs of answers to one task, averaged over tasks.

    shares[i][j]: pairs in which the base's answer ended in class i and the arm's in class j. Answers are drawn
    apart, so that a pair says how likely both are, not that one became the other.
    """

    classes: tuple[str, ...]
    shares: tuple[tuple[float, ...], ...]


class Controls(FiniteRecord):
    """One arm against the base, taken apart: exploratory, and no claim is made from it.

    formatting, solving: the parts of the gain that come from answers without a usable program turned right, and
    from other failures turned right; they add up to the gain. at_most: change of pass@K at all K samples: whether
    more tasks can be solved at all, or the same ones more often.
    """

    arm: str
    answers: Answers
    gain: Difference
    formatting: Difference
    solving: Difference
    at_most: Difference | None
    gaps: tuple[Gap, ...]
    transitions: Transitions


class Slice(FiniteRecord):
    """An arm's gain over base on a part of the tasks. p_adjusted: Benjamini-Hochberg's over all slices."""

    arm: str
    by: str
    name: str
    tasks: int
    families: int
    before: float
    difference: Difference
    p: float
    p_adjusted: float


class Elsewhere(FiniteRecord):
    """An arm's gain over base on another evaluated task set: renamed tasks, other constants, other problems.

    Tasks of families that the planned task set has in another split than the judged one are left out.

    survives: that gain as a share of the gain on the planned tasks; None where the latter's interval is not above 0.
    """

    arm: str
    taskset: str
    split: str
    tests: TestKind
    tasks: int
    families: int
    before: float
    difference: Difference
    survives: float | None


class TrainingFact(FiniteRecord):
    """A training run that was judged, and the digest of the plan that it was started under."""

    policy: str
    plan_sha256: str


class ComparisonDigests(FiniteRecord):
    """sha256 of every file that was read, in the order given."""

    plan: str
    tasks: str
    metrics: dict[str, str]
    others: tuple[str, ...]
    per_task: dict[str, str]
    verdicts: tuple[str, ...]


class Comparisons(FiniteRecord):
    """All declared tests of a plan, on one split of one task set. sampling: the same for every policy.

    locked_reads: who read the locked tests of what was compared, other task sets too.
    """

    taskset: str
    split: str
    tests: TestKind
    tasks: int
    families: int
    sampling: SamplingFacts
    training: tuple[TrainingFact, ...]
    locked_reads: tuple[LockedReads, ...] = ()
    sides: tuple[SideRates, ...]
    endpoints: tuple[EndpointResult, ...] = Field(min_length=1)
    controls: tuple[Controls, ...]
    slices: tuple[Slice, ...]
    elsewhere: tuple[Elsewhere, ...]
    inputs: ComparisonDigests
