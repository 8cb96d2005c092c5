"""The gold check and its mirror: every public task takes its own solution, and none takes a non-solution.

Slow because it judges about 2,100 tasks eight times over and runs 160,000 inputs of EvalPlus's references; it
takes minutes on two idle cores, 19 on two with the work of eight. docs/gold-check.md says what it found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from codeself.records.judging import Limits
from codeself.records.tasks import Task
from codeself.records.verdicts import Candidate, Verdict
from codeself.sandbox.pool import Job, JudgePool
from codeself.tasks.validation import validate_tasks

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

SIZES = {"mbpp": 974, "sanitized": 427, "humaneval": 164, "humanevalplus": 164, "mbppplus": 378}
WITH_PLUS = {"mbpp+plus": 303, "sanitized+plus": 378, "humaneval+plus": 164}
# Tasks whose own solution does not pass, by task set, each with its reason in docs/gold-check.md.
KNOWN_DEFECTS: dict[str, set[str]] = {}
# Whether a solution is right does not depend on how long it may take: one of MBPP's needs 5 s of CPU time.
PATIENT = Limits(cpu_seconds=60.0, wall_seconds=300.0)
# A loop is a loop after a twentieth of a second: no task's verdict depends on more.
SHORT = Limits(cpu_seconds=0.05, wall_seconds=20.0)

TaskSet = Callable[[str], list[Task]]


@pytest.mark.parametrize("name", [*SIZES, *WITH_PLUS])
def test_every_reference_solution_passes(name: str, task_set: TaskSet, pool: JudgePool) -> None:
    tasks = task_set(name)
    assert len(tasks) == SIZES[name.removesuffix("+plus")]
    failed = {
        verdict.task_id: f"{verdict.decided_by} {verdict.status}: {verdict.phases[verdict.decided_by].detail}"
        for verdict in judged(pool, tasks, [task.reference_solution for task in tasks], PATIENT)
        if not verdict.correct or verdict.correct_locked is False
    }
    assert set(failed) == KNOWN_DEFECTS.get(name, set()), failed


@pytest.mark.parametrize("name", WITH_PLUS)
def test_tasks_that_evalplus_has_get_its_inputs(name: str, task_set: TaskSet) -> None:
    assert sum(bool(task.locked_tests) for task in task_set(name)) == WITH_PLUS[name]


@pytest.mark.parametrize("name", [*SIZES, *WITH_PLUS])
def test_no_locked_test_and_no_solution_can_be_read(name: str, task_set: TaskSet) -> None:
    report = validate_tasks(task_set(name), allow_origin_leaks=True)
    assert [finding for finding in report.findings if finding.severity == "error"] == []


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("body", ["pass", "return None"])
def test_no_answer_never_passes(body: str, name: str, task_set: TaskSet, pool: JudgePool) -> None:
    for task, verdict in mirrored(pool, task_set(name), body):
        # A test that computes with the answer meets None there: an error, not a wrong answer.
        assert verdict.decided_by in ("public", "hidden"), task.task_id
        assert verdict.status in ("failed", "error"), task.task_id


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize(
    ("body", "status"), [("raise ValueError('no')", "error"), ("while True:\n        pass", "timeout")]
)
def test_a_crash_and_a_loop_end_in_the_first_tests(
    body: str, status: str, name: str, task_set: TaskSet, pool: JudgePool
) -> None:
    for task, verdict in mirrored(pool, task_set(name), body):
        first = "public" if task.public_tests else "hidden"
        assert (verdict.decided_by, verdict.status) == (first, status), task.task_id


@pytest.mark.parametrize("name", SIZES)
def test_what_is_no_python_ends_in_syntax(name: str, task_set: TaskSet, pool: JudgePool) -> None:
    for task, verdict in mirrored(pool, task_set(name), "return ("):
        assert (verdict.decided_by, verdict.status) == ("syntax", "error"), task.task_id
        assert verdict.phases["import"].status == "skipped"


def mirrored(pool: JudgePool, tasks: list[Task], body: str) -> Iterator[tuple[Task, Verdict]]:
    """Each task's verdict on its own solution with the entry point replaced. None of them is a pass."""
    programs = [
        f"{task.reference_solution}\n\n\ndef {task.entry_point}(*args, **kwargs):\n    {body}\n"
        for task in tasks
    ]
    for task, verdict in zip(tasks, judged(pool, tasks, programs, SHORT), strict=True):
        assert not verdict.correct, task.task_id
        assert not verdict.correct_locked, task.task_id
        assert verdict.phases["locked"].status == "skipped", task.task_id
        yield task, verdict


def judged(pool: JudgePool, tasks: list[Task], programs: list[str], limits: Limits) -> Iterator[Verdict]:
    return pool.verdicts(
        Job(task=task, candidate=Candidate(status="parsed", program=program), locked=True, limits=limits)
        for task, program in zip(tasks, programs, strict=True)
    )
