"""One judge for the module's tests: starting a zygote costs half a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from codeself.records.judging import JudgeConfig, Limits
from codeself.records.tasks import Task
from codeself.records.verdicts import Candidate, Verdict
from codeself.sandbox.judge import Judge

# Small, so that loops end soon; a right answer to these tests takes a thousandth of it.
TIGHT = Limits(cpu_seconds=0.4, cpu_floor_seconds=0.15, wall_seconds=2.0, memory_mb=256)


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    with Judge(JudgeConfig(isolation="limits", limits=TIGHT)) as judge:
        yield judge


def make_task(**changes: Any) -> Task:
    """A task that asks for f; tests as given."""
    fields: dict[str, Any] = {
        "task_id": "t",
        "family": "t",
        "prompt": "sort",
        "entry_point": "f",
        "hidden_tests": [{"args": [[2, 1]], "expected": [1, 2]}],
        "reference_solution": "def f(x): return sorted(x)",
    }
    return Task.model_validate(fields | changes)


@pytest.fixture(scope="session")
def grade(judge: Judge) -> Callable[..., Verdict]:
    """Grade a program, given as source, on a task whose fields may be changed."""

    def grade(program: str, *, locked: bool = False, limits: Limits | None = None, **changes: Any) -> Verdict:
        candidate = Candidate(status="parsed", program=program)
        return judge.verdict(make_task(**changes), candidate, limits, locked=locked)

    return grade
