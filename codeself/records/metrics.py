"""Metrics: what one policy did on one split of one task set, in numbers, with how sure we are of each."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from codeself.records.finite import FiniteRecord
from codeself.records.rollouts import PolicyIdentity, PromptStyle
from codeself.records.verdicts import IsolationLevel, ParseStatus, Phase, Status

TestKind = Literal["hidden", "locked"]


class Estimate(FiniteRecord):
    """A mean over tasks, with its interval. method names how the interval was made
    (codeself.analysis.intervals).

    tasks, families: how many of each the mean is over.
    """

    value: float
    low: float
    high: float
    method: str
    tasks: int = Field(ge=1)
    families: int = Field(ge=1)


class PassAtK(FiniteRecord):
    """The chance that at least one of k samples is right, averaged over tasks."""

    k: int = Field(ge=1)
    estimate: Estimate


class FamilyRates(FiniteRecord):
    """One family. low and high bound the sampled rate on these very tasks: sampling noise only (Wilson)."""

    family: str
    tasks: int
    greedy: float | None
    samples: int
    sampled: float | None
    low: float | None
    high: float | None


class Outcomes(FiniteRecord):
    """Correctness judged by one kind of tests, over the tasks that have them.

    pass_at_k: for each k that was asked for. curve: for every k up to the samples drawn, for figures.
    """

    tests: TestKind
    tasks: int
    families: int
    greedy: Estimate | None
    pass_at_k: tuple[PassAtK, ...]
    curve: tuple[PassAtK, ...]
    informative_groups: Estimate | None
    by_family: tuple[FamilyRates, ...]


class PhaseCount(FiniteRecord):
    """How many candidates ended in this phase with this status."""

    phase: Phase
    status: Status
    greedy: int
    sampled: int


class ParseFailures(FiniteRecord):
    """Share of completions that held no usable program, and why. reasons counts every reason, none left
    out.
    """

    rate: Estimate
    reasons: dict[ParseStatus, int]


class RewardSummary(FiniteRecord):
    """What a reward function pays for these candidates. sd is the population's, over candidates."""

    name: str
    candidates: int
    mean: float
    sd: float


class Lengths(FiniteRecord):
    """Completion lengths in tokens. histogram counts completions between neighbouring edges (last one
    closed).
    """

    completions: int
    mean: float
    median: float
    p90: float
    longest: int
    truncated: int
    edges: tuple[int, ...]
    histogram: tuple[int, ...]


class PairedPlan(FiniteRecord):
    """What a comparison of two policies on these same tasks could see: paired difference of per-task pass
    rates.

    between_family, within_family: variance of the true rates; sampling: of one sample given its task's rate.
    correlation: assumed between the two policies' true rates. intraclass, design_effect: of the differences.
    detectable_gain: smallest gain seen with the wanted power. by_correlation: the same under other
    assumptions. power_at_gain: chance to see the hoped-for gain with this design. families_needed,
    samples_needed: to see it with the wanted power, the other held as it is; None when no number that was
    tried (up to 100,000 families or 4,096 samples) is enough.
    """

    samples: int
    correlation: float
    mean_rate: float
    between_family: float
    within_family: float
    sampling: float
    intraclass: float
    design_effect: float
    standard_error: float
    detectable_gain: float
    by_correlation: dict[str, float]
    power_at_gain: float
    families_needed: int | None
    tasks_needed: int | None
    samples_needed: int | None


class GreedyPlan(FiniteRecord):
    """What McNemar's mid-p test on greedy answers could see. effective_tasks: tasks divided by the design
    effect.

    detectable_gain and tasks_needed are None when no gain, or no number tried, is enough.
    """

    correlation: float
    accuracy: float
    design_effect: float
    effective_tasks: int
    detectable_gain: float | None
    power_at_gain: float | None
    tasks_needed: int | None


class PowerPlan(FiniteRecord):
    """Power planning for a later comparison with this policy, on the headline tests, two-sided."""

    tests: TestKind
    tasks: int
    families: int
    alpha: float
    power: float
    hoped_for_gain: float
    paired: PairedPlan | None
    greedy: GreedyPlan | None


class SamplingFacts(FiniteRecord):
    """How the completions were drawn. temperature and top_p are of the sampled ones, None without any."""

    samples: int
    greedy: bool
    temperature: float | None
    top_p: float | None
    max_new_tokens: int
    prompt_name: str
    prompt_style: PromptStyle
    prompt_digest: str


class InputDigests(FiniteRecord):
    """sha256 of every file that was read, shards in the order given."""

    tasks: str
    rollouts: tuple[str, ...]
    verdicts: tuple[str, ...]


class Metrics(FiniteRecord):
    """One evaluation.

    split: empty where all tasks with rollouts were taken, whatever their split. completions: all that were
    graded or should have been; infrastructure: those that a fault of ours left without a verdict, in no rate.
    headline: which outcomes to quote first: locked when every task has locked tests, else hidden.
    passed_public_only: right on the public tests shown to the policy, wrong on the hidden ones.
    """

    taskset: str
    split: str
    policy: str
    identity: PolicyIdentity
    sampling: SamplingFacts
    confidence: float
    resamples: int
    seed: int
    tasks: int
    families: int
    completions: int
    infrastructure: int
    isolation: dict[IsolationLevel, int]
    headline: TestKind
    outcomes: tuple[Outcomes, ...] = Field(min_length=1)
    parse_failures: ParseFailures
    phases: tuple[PhaseCount, ...]
    passed_public_only: int
    scan_findings: dict[str, int]
    reward: RewardSummary
    lengths: Lengths
    power: PowerPlan
    inputs: InputDigests

    def outcome(self, tests: TestKind) -> Outcomes | None:
        return next((outcome for outcome in self.outcomes if outcome.tests == tests), None)

    @property
    def main(self) -> Outcomes:
        """The outcomes to quote first."""
        return next(outcome for outcome in self.outcomes if outcome.tests == self.headline)


class TaskRow(FiniteRecord):
    """One task's counts, a row of the per-task table. The locked columns are None where there are none."""

    task_id: str
    family: str
    greedy_hidden: bool | None
    greedy_locked: bool | None
    samples: int
    right_hidden: int
    right_locked: int | None
    informative: bool | None
    parse_failures: int
    truncated: int
    mean_tokens: float
    infrastructure: int
