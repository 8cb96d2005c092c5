"""The plan: what will be tested, declared before any training, and what this design could see."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from codeself.records.finite import FiniteRecord
from codeself.records.metrics import TestKind
from codeself.records.rollouts import PolicyIdentity

Answers = Literal["sampled", "greedy"]
Role = Literal["gain", "placebo", "control"]
TestName = Literal["sign-flip-family", "mcnemar-mid-p"]


class Side(FiniteRecord):
    """One side of a comparison: the base, or an arm with a policy for each of its training seeds."""

    name: str
    policies: tuple[str, ...] = Field(min_length=1)


class PlannedPower(FiniteRecord):
    """What an endpoint's test could see, from the base's own rates.

    detectable, power_at_gain: at the declared alpha. detectable_first_step, power_first_step: at alpha over the
    number of endpoints, where Holm's procedure starts. None where no effect is large enough.
    """

    standard_error: float | None
    detectable: float | None
    power_at_gain: float | None
    detectable_first_step: float | None
    power_first_step: float | None


class Endpoint(FiniteRecord):
    """One declared test: is the mean difference of the two sides on these tasks 0?

    role: "gain" over the base, over a "placebo" arm, or a "control" that asks whether a placebo moved.
    answers: "sampled" compares pass rates of each task's samples, "greedy" its one greedy answer.
    """

    name: str
    role: Role
    answers: Answers
    arm: Side
    comparator: Side
    taskset: str
    split: str
    tests: TestKind
    test: TestName
    planned: PlannedPower | None


class Design(FiniteRecord):
    """The tasks and samples on which the comparisons will be made. family_size: task-weighted mean."""

    taskset: str
    split: str
    tasks: int = Field(ge=1)
    families: int = Field(ge=1)
    family_size: float
    samples: int = Field(ge=0)
    greedy: bool


class BaseRates(FiniteRecord):
    """What the power was planned from: the base's rates on another split than the one to be judged.

    between_family, within_family: variance of true rates; sampling: of one sample given its task's rate.
    correlation, greedy_correlation: assumed between two policies' rates and greedy answers, over tasks.
    """

    split: str
    tests: TestKind
    tasks: int
    families: int
    mean_rate: float | None
    between_family: float | None
    within_family: float | None
    sampling: float | None
    greedy_accuracy: float | None
    greedy_design_effect: float | None
    correlation: float
    greedy_correlation: float


class Needed(FiniteRecord):
    """What the hoped-for gain over the base would need, all else as it is; None where nothing tried is enough."""

    families: int | None
    tasks: int | None
    samples: int | None


class PlanDigests(FiniteRecord):
    """sha256 of what the comparison depends on. reward: of the file of a reward of the user's own, else empty."""

    tasks: str
    splits: str
    prompt: str
    base_metrics: str
    practice: str
    revision: str = ""
    reward: str = ""


class Plan(FiniteRecord):
    """Everything that was settled before training.

    confidence, resamples, margin: of the intervals, and of what may be called unchanged. seed: root of every
    draw. practice: the whole of that part of the config, its seeds included.
    """

    seed: int
    alpha: float
    power: float
    confidence: float
    resamples: int
    margin: float
    hoped_for_gain: float
    base: PolicyIdentity
    reward: str
    practice: dict[str, Any]
    training_seeds: tuple[int, ...]
    design: Design
    rates: BaseRates
    endpoints: tuple[Endpoint, ...] = Field(min_length=1)
    needed: Needed | None
    digests: PlanDigests

    @property
    def tests(self) -> TestKind:
        """By which tests every endpoint is judged."""
        return self.endpoints[0].tests

    @property
    def answers(self) -> Answers:
        """What the controls look at: sampled answers where there are any."""
        return "sampled" if self.design.samples else "greedy"

    @property
    def base_side(self) -> Side:
        return next(point.comparator for point in self.endpoints if point.role != "placebo")

    @property
    def arms(self) -> tuple[Side, ...]:
        """Every arm that is tested, in the order of the endpoints."""
        return tuple({point.arm.name: point.arm for point in self.endpoints}.values())

    @property
    def policies(self) -> tuple[str, ...]:
        """Every policy that an endpoint names."""
        sides = [side for point in self.endpoints for side in (point.arm, point.comparator)]
        return tuple(dict.fromkeys(name for side in sides for name in side.policies))
