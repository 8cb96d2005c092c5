"""What an audit found out about the tests of a task set: how many faulty programs they reject."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from codeself.records.base import Record
from codeself.records.tasks import Visibility
from codeself.records.verdicts import Status


class Survivor(Record):
    """A faulty program that the hidden tests let live.

    change: what is wrong with it. line: of the reference solution, 0 for a wrong variant.
    locked: whether the locked tests reject it; None where there are none.
    """

    kind: Literal["wrong_variant", "mutant"]
    change: str
    line: int = Field(default=0, ge=0)
    locked: bool | None = None


class TaskAudit(Record):
    """One task. problems is empty where its tests pass the reference and reject the wrong variants.

    reference: how each group of tests judged the reference solution. Mutants that live are no problem in
    themselves: some are right.
    """

    task_id: str
    family: str
    tests: dict[Visibility, int]
    reference: dict[Visibility, Status]
    wrong_variants: int = Field(ge=0)
    wrong_variants_rejected: int = Field(ge=0)
    mutants: int = Field(ge=0)
    mutants_rejected: int = Field(ge=0)
    survivors: tuple[Survivor, ...] = ()
    problems: tuple[str, ...] = ()


class AuditReport(Record):
    """The audit of a task set.

    mutation_score: share of all mutants that hidden tests reject; None where no task has any.
    rejected_by_locked_alone: survivors of the hidden tests that the locked tests reject.
    """

    tasks: int = Field(ge=0)
    failed: tuple[str, ...] = ()
    wrong_variants: int = Field(ge=0)
    wrong_variants_rejected: int = Field(ge=0)
    mutants: int = Field(ge=0)
    mutants_rejected: int = Field(ge=0)
    mutation_score: float | None = Field(default=None, ge=0, le=1)
    rejected_by_locked_alone: int = Field(ge=0)
    audits: tuple[TaskAudit, ...] = ()
