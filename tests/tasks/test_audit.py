"""Audits: what the verdicts on right and wrong programs say about a task's tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from codeself.cli.audit_tasks import command
from codeself.records.audits import AuditReport
from codeself.records.errors import InputError
from codeself.records.jsonl import read_record, write_records
from codeself.records.tasks import CallTest, Task
from codeself.records.verdicts import Candidate, Phase, PhaseResult, Verdict
from codeself.tasks.audit import AuditCase, audit_cases, audit_report, audit_task


def call(argument: int, expected: int) -> CallTest:
    return CallTest(args=(argument,), expected=expected)


def task(number: int = 0, **changes: Any) -> Task:
    fields: dict[str, Any] = {
        "task_id": f"mine/{number}",
        "family": "add_two",
        "prompt": "Add two.",
        "entry_point": "f",
        "public_tests": (call(1, 3),),
        "hidden_tests": (call(5, 7), call(0, 2)),
        "locked_tests": (call(2, 4), call(-2, 0)),
        "reference_solution": "def f(x):\n    return x + 2\n",
        "wrong_variants": ("def f(x):\n    return x - 2\n", "def f(x):\n    return 7\n"),
    }
    return Task(**{**fields, **changes})


def verdict(case: AuditCase, hidden: str, locked: str = "skipped") -> Verdict:
    statuses: dict[Phase, str] = {"public": "passed", "hidden": hidden, "locked": locked}
    return Verdict(
        task_id=case.task.task_id,
        candidate=Candidate(status="parsed", program=case.program),
        isolation="limits",
        phases={phase: PhaseResult(status=status, detail="seen") for phase, status in statuses.items()},
        decided_by="locked" if hidden == "passed" else "hidden",
        status=locked if hidden == "passed" else hidden,
        correct=hidden == "passed",
        correct_locked=None if locked == "skipped" else locked == "passed",
    )


def judged(cases: list[AuditCase], alive: dict[str, str]) -> list[tuple[AuditCase, Verdict]]:
    """The reference passes; of the others those named are alive, with this status on the locked tests."""
    return [
        (
            case,
            verdict(case, "passed", alive.get(case.change, "passed"))
            if case.kind == "reference" or case.change in alive
            else verdict(case, "failed"),
        )
        for case in cases
    ]


def test_faulty_programs_are_judged_by_hidden_and_locked_tests_alone() -> None:
    (cases,) = audit_cases([task()], 100)
    assert cases[0].kind == "reference"
    assert cases[0].task == task()
    assert [case.program for case in cases if case.kind == "wrong_variant"] == list(task().wrong_variants)
    assert all(not case.task.public_tests and case.task.hidden_tests for case in cases[1:])
    assert any(case.change == "'x + 2' became 'x - 2'" for case in cases)


def test_a_familys_mutants_are_dealt_out_over_its_tasks() -> None:
    tasks = [task(number) for number in range(4)]
    every = sum(case.kind == "mutant" for cases in audit_cases(tasks, 1000) for case in cases)
    assert every == 4 * sum(case.kind == "mutant" for case in audit_cases([task()], 1000)[0])
    drawn = [sum(case.kind == "mutant" for case in cases) for cases in audit_cases(tasks, 6)]
    assert sum(drawn) == 6
    assert audit_cases(tasks, 6) == audit_cases(tasks, 6)
    other = audit_cases([task(), task(1, family="other")], 3)
    assert [sum(case.kind == "mutant" for case in cases) for cases in other] == [3, 3]


def test_a_sound_task_has_no_problem_and_survivors_lower_the_score() -> None:
    (cases,) = audit_cases([task()], 100)
    mutants = [case.change for case in cases if case.kind == "mutant"]
    audit = audit_task(task(), judged(cases, {mutants[0]: "failed", mutants[1]: "passed"}))
    assert audit.problems == ()
    assert audit.reference == {"public": "passed", "hidden": "passed", "locked": "passed"}
    assert audit.tests == {"public": 1, "hidden": 2, "locked": 2}
    assert (audit.wrong_variants, audit.wrong_variants_rejected) == (2, 2)
    assert audit.mutants_rejected == audit.mutants - 2 == len(mutants) - 2
    assert [(survivor.change, survivor.locked) for survivor in audit.survivors] == [
        (mutants[0], True),
        (mutants[1], False),
    ]
    report = audit_report([audit])
    assert report.failed == ()
    assert report.mutation_score == pytest.approx((len(mutants) - 2) / len(mutants), abs=1e-4)
    assert report.rejected_by_locked_alone == 1


def test_a_wrong_variant_that_lives_fails_the_task() -> None:
    (cases,) = audit_cases([task()], 0)
    audit = audit_task(task(), judged(cases, {"wrong_variants[1]": "failed"}))
    assert audit.problems == ("wrong_variants[1] passes every hidden test",)
    assert audit.wrong_variants_rejected == 1
    assert audit_report([audit]).failed == ("mine/0",)
    assert audit_report([audit]).mutation_score is None


@pytest.mark.parametrize(("hidden", "locked"), [("failed", "skipped"), ("passed", "failed")])
def test_a_reference_that_a_test_rejects_fails_the_task(hidden: str, locked: str) -> None:
    (cases,) = audit_cases([task()], 0)
    pairs = judged(cases, {})
    audit = audit_task(task(), [(cases[0], verdict(cases[0], hidden, locked)), *pairs[1:]])
    (problem,) = audit.problems
    assert problem.startswith("reference_solution: failed in phase")


def test_what_was_not_judged_is_neither_rejected_nor_alive() -> None:
    (cases,) = audit_cases([task()], 0)
    pairs = judged(cases, {})
    lost = pairs[1][1].model_copy(update={"status": "infrastructure", "decided_by": "hidden"})
    audit = audit_task(task(), [pairs[0], (cases[1], lost), pairs[2]])
    assert (audit.wrong_variants, audit.wrong_variants_rejected) == (1, 1)
    assert audit.problems == ("wrong_variants[0] could not be judged: seen",)


def test_the_command_reports_a_sound_task_set(tmp_path: Path) -> None:
    write_records(tmp_path / "tasks.jsonl", [task(0), task(1)])
    command(tmp_path / "tasks.jsonl", tmp_path / "audit.json", workers=1, mutants=50, taskset_may_fail=False)
    report = read_record(tmp_path / "audit.json", AuditReport)
    assert (report.tasks, report.wrong_variants, report.wrong_variants_rejected) == (2, 4, 4)
    assert report.mutants == report.mutants_rejected > 8
    assert report.failed == ()


def test_the_command_names_what_fails_and_still_writes_the_report(tmp_path: Path) -> None:
    tasks = [task(0), task(1, wrong_variants=("def f(x):\n    return x + 2\n",))]
    write_records(tmp_path / "tasks.jsonl", tasks)
    arguments = (tmp_path / "tasks.jsonl", tmp_path / "audit.json", 1, 0)
    with pytest.raises(InputError, match=r"1 of 2 tasks fail their audit \(mine/1\).*wrong_variants\[0\]"):
        command(*arguments, False)
    assert json.loads((tmp_path / "audit.json").read_text())["failed"] == ["mine/1"]
    (tmp_path / "audit.json").unlink()
    command(*arguments, True)
    assert json.loads((tmp_path / "audit.json").read_text())["failed"] == ["mine/1"]
