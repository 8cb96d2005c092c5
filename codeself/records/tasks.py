"""A task, its tests, and where a split puts it: the contract between task sets and everything after them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    field_validator,
    model_serializer,
)

from codeself.records.base import Record
from codeself.records.digests import sha256_file
from codeself.records.errors import InputError
from codeself.records.jsonl import read_record, read_records
from codeself.records.values import NotData, decode

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")
Visibility = Literal["public", "hidden", "locked"]


class CallTest(Record):
    """Calls the entry point and compares what comes back with what was expected.

    args, kwargs and expected are encoded as codeself.records.values describes.
    compare: "equal" is Python's ==; "close" lets numbers, at any depth, differ by atol + 1e-7 |expected|;
    "set" compares as sets; "not_none" asks only whether both or neither are None.
    """

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = Field(default_factory=dict)
    expected: Any
    compare: Literal["equal", "close", "set", "not_none"] = "equal"
    atol: float = Field(default=0.0, ge=0.0)

    @field_validator("args", "kwargs", "expected")
    @classmethod
    def _is_encoded(cls, value: Any) -> Any:
        try:
            decode(list(value) if isinstance(value, tuple) else value)
        except NotData as error:
            raise ValueError(f"is not an encoded value: {error}") from error
        return value

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Task files hold tens of thousands of calls; what is not said is the default.
        defaults = {"kwargs": {}, "compare": "equal", "atol": 0.0}
        return {key: value for key, value in handler(self).items() if defaults.get(key, ...) != value}


class AssertTest(Record):
    """Python statements, usually one assert, that use the entry point by its name."""

    source: str = Field(alias="assert", min_length=1)


class CheckTest(Record):
    """Python source that defines check(candidate), which raises when the candidate is wrong."""

    source: str = Field(alias="check", min_length=1)


def _test_kind(value: Any) -> str | None:
    if isinstance(value, dict):
        return next((kind for kind in ("assert", "check") if kind in value), "call")
    kinds: dict[type, str] = {CallTest: "call", AssertTest: "assert", CheckTest: "check"}
    return kinds.get(type(value))


Test = Annotated[
    Annotated[CallTest, Tag("call")]
    | Annotated[AssertTest, Tag("assert")]
    | Annotated[CheckTest, Tag("check")],
    Discriminator(_test_kind),
]


class Task(Record):
    """One coding problem.

    prompt: what is asked, in words. starter_code: the beginning of the program (imports, signature and
    docstring), empty where the task gives none; a completion-style policy continues it.
    setup_code: trusted source that runs beside the tests, in the judge, before them.
    reference_solution: a whole program that solves the task. wrong_variants: whole programs that the hidden
    tests must reject. family: tasks that are variants of one idea share it.
    """

    task_id: str = Field(min_length=1)
    family: str = Field(min_length=1)
    prompt: str
    entry_point: str = Field(pattern=r"^[A-Za-z_][A-Za-z_0-9]*$")
    starter_code: str = ""
    setup_code: str = ""
    public_tests: tuple[Test, ...] = ()
    hidden_tests: tuple[Test, ...] = Field(min_length=1)
    locked_tests: tuple[Test, ...] = ()
    reference_solution: str = Field(min_length=1)
    wrong_variants: tuple[str, ...] = ()
    origin: str = ""
    metadata: dict[str, Any] = Field(default_factory=dict)

    def tests(self, visibility: Visibility) -> tuple[CallTest | AssertTest | CheckTest, ...]:
        return {"public": self.public_tests, "hidden": self.hidden_tests, "locked": self.locked_tests}[
            visibility
        ]


class NearDuplicate(Record):
    """Two tasks that read alike, and the splits in which they ended up."""

    first: str
    second: str
    similarity: float = Field(ge=0, le=1)
    splits: tuple[Split, Split]


class SplitManifest(Record):
    """Which tasks are for practice, for tuning, and for the final evaluation.

    near_duplicates: pairs of different families or on different sides. Method hash keeps both on one side;
    method origin follows the dataset, so that a pair may stand apart and is only reported.
    """

    taskset: str
    tasks_sha256: str
    method: Literal["hash", "origin"] = "hash"
    seed: int
    fractions: dict[Split, float]
    families: dict[Split, tuple[str, ...]]
    task_ids: dict[Split, tuple[str, ...]]
    near_duplicates: tuple[NearDuplicate, ...] = ()


def read_tasks(path: Path) -> list[Task]:
    """The tasks of a canonical JSONL file. Raises InputError for a bad line or an id that stands twice."""
    tasks = read_records(path, Task)
    if not tasks:
        raise InputError(f"{path}: holds no task")
    ((task_id, count),) = Counter(task.task_id for task in tasks).most_common(1)
    if count > 1:
        raise InputError(f"{path}: task_id '{task_id}' stands {count} times; ids must be unique")
    return tasks


def read_splits(path: Path, tasks: Path) -> SplitManifest:
    """The split manifest of a task file. Raises InputError for one that was made from another."""
    manifest = read_record(path, SplitManifest)
    if manifest.tasks_sha256 != (found := sha256_file(tasks)):
        raise InputError(
            f"{path}: was made from another task file (sha256 {manifest.tasks_sha256[:12]}...);"
            f" {tasks} has {found[:12]}...; split the tasks again"
        )
    return manifest
