"""Who read locked tests, and with which answers: a file a policy and split, written before any of those tests runs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from codeself.records.base import Record
from codeself.records.sources import Sha256

ReadingName = Annotated[str, Field(pattern=r"^[^`\n]+$")]


class LockedRead(Record):
    """One reading of a policy's locked tests.

    name: under which it was asked for; None for the first, which needs none. answers: of them, how many; their digest
    does not depend on the files they are in, whose digests are in rollouts. tests: how many locked ones the split's
    tasks have; with none there is nothing to guard. plan_sha256, training_sha256: of the plan, and of the policy's
    done.json, that stood before it; empty for none.
    """

    name: ReadingName | None = None
    answers: int = Field(ge=1)
    answers_sha256: Sha256
    rollouts: tuple[Sha256, ...] = Field(min_length=1)
    tests: int = Field(ge=0)
    tasks_sha256: Sha256
    plan_sha256: str = ""
    training_sha256: str = ""

    def same_as(self, other: LockedRead) -> bool:
        """Whether both show the same: the same answers to the same tasks, judged for the same plan."""
        keys = ("answers_sha256", "tasks_sha256", "plan_sha256")
        return all(getattr(self, key) == getattr(other, key) for key in keys)


class LockedReads(Record):
    """Every reading of one policy's locked tests on one split, in their order. The last one is in force."""

    policy: str
    taskset: str
    split: str
    reads: tuple[LockedRead, ...] = Field(min_length=1)

    @property
    def last(self) -> LockedRead:
        return self.reads[-1]

    @property
    def further(self) -> tuple[str, ...]:
        """The names of all readings after the first."""
        return tuple(read.name for read in self.reads if read.name)


class ReadTime(Record):
    """When a reading was allowed, in UTC: a fact of the host, no part of the record. number: of it, from 1."""

    policy: str
    taskset: str
    split: str
    number: int = Field(ge=1)
    answers_sha256: Sha256
    time: str
