"""What is declared before training: the part of the config that the plan is made from."""

from __future__ import annotations

from pydantic import Field

from codeself.records.base import Record


class PlanConfig(Record):
    """What will be tested, and how strictly; written to plan.json before any training."""

    taskset: str = Field(
        default="", description="Task set of the declared tests; empty takes the first evaluation's."
    )
    alpha: float = Field(
        default=0.05, gt=0, lt=0.5, description="Chance of any false claim, over all declared tests."
    )
    power: float = Field(default=0.8, gt=0, lt=1, description="Wanted chance to see an effect that is there.")
    margin: float = Field(
        default=0.03, gt=0, lt=1, description="A difference below this, either way, may be called unchanged."
    )
    greedy: bool = Field(default=True, description="Also test each arm's greedy answers against the base's.")
    controls: bool = Field(
        default=True, description="Also test whether the placebo arms themselves moved from the base."
    )
