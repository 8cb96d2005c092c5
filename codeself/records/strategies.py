"""What attempts with several answers came to: self-debug beside resampling at equal budget, policy by policy."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from codeself.records.base import Record
from codeself.records.comparisons import Difference
from codeself.records.metrics import Estimate
from codeself.records.rollouts import PolicyIdentity
from codeself.records.traces import Budget, Change, Ending, Strategy, SubmitRule

Currency = Literal["answers", "executions", "tokens", "all tokens"]
"""What a budget is counted in. tokens: written. all tokens: read, anew for each answer, and written."""


class BudgetPoint(Record):
    """The chance that what would be submitted is right, were an attempt stopped after this much."""

    budget: int
    self_debug: Estimate
    resample: Estimate
    difference: Difference


class BudgetCurve(Record):
    """Both strategies along one budget.

    break_even: the smallest budget from which on self-debug is at no point behind, and somewhere ahead; None
    where there is none. cut: the share of attempts, by strategy, that ended without passing the public tests before the
    largest budget was used up, as another part of their budget was.
    """

    currency: Currency
    points: tuple[BudgetPoint, ...]
    break_even: int | None
    cut: dict[Strategy, float]


class StrategyUse(Record):
    """One strategy over all attempts.

    rate: submissions that are right. covered: attempts with a right answer among all that were written. passed:
    attempts that passed the public tests. fooled: of these, submissions that are not right. Costs are means of an
    attempt.
    later: the share of answers after the first that are right; None where there was none.
    """

    strategy: Strategy
    attempts: int
    rate: Estimate
    covered: Estimate
    passed: float
    fooled: float | None
    answers: float
    executions: float
    tokens: float
    prompt_tokens: float
    endings: dict[Ending, int]
    later: Estimate | None


class RevisionRow(Record):
    """The number-th revision, over the self-debug attempts that reached it; shares of them.

    regressed: passes fewer public tests than the answer before. passed: all public ones. right: all hidden ones too.
    redrawn_right: of the resampling attempts that reached an answer of this number, those where it is right.
    gain: by how much allowing it raises the share of right submissions among all attempts.
    """

    number: int = Field(ge=1)
    reached: int
    changes: dict[Change, float]
    no_program: float
    regressed: float
    passed: float
    right: float
    redrawn_right: float | None
    gain: Difference


class PolicyStrategies(Record):
    """One policy under both strategies. difference: self-debug less resampling, over whole attempts."""

    policy: str
    identity: PolicyIdentity
    uses: tuple[StrategyUse, ...]
    difference: Difference
    curves: tuple[BudgetCurve, ...]
    revisions: tuple[RevisionRow, ...]


class PolicyGain(Record):
    """What a policy gained over the first one under one strategy, paired by task."""

    policy: str
    over: str
    strategy: Strategy
    difference: Difference


class StrategyReport(Record):
    """Everything that the strategy report says. Right is what passes all public and hidden tests."""

    taskset: str
    split: str
    tasks: int
    families: int
    attempts: int
    budget: Budget
    rule: SubmitRule
    max_new_tokens: int
    temperature: float
    confidence: float
    resamples: int
    seed: int
    policies: tuple[PolicyStrategies, ...]
    gains: tuple[PolicyGain, ...]
