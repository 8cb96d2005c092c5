"""Answers from the tasks themselves or from a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codeself.policies.backend import Prompt, Request
from codeself.policies.static import StaticPolicy
from codeself.records.errors import InputError
from tests.made_tasks import adding_task

TASKS = [adding_task(1), adding_task(2)]


def asked(task_id: str) -> Request:
    return Request(task_id, Prompt("p", "completion", "d", "text"), "greedy", 0, 0, 0.0, 1.0, 8)


def answers(path: Path, *rows: tuple[str, str]) -> str:
    path.write_text("".join(json.dumps({"task_id": key, "completion": text}) + "\n" for key, text in rows))
    return str(path)


def test_references_are_answers() -> None:
    policy = StaticPolicy(TASKS, "reference")
    (answer,) = policy.complete([asked("made/add_2")], lambda count: None)
    assert answer.text == TASKS[1].reference_solution


def test_answers_come_from_a_file_and_its_digest_is_the_policys(tmp_path: Path) -> None:
    one = StaticPolicy(
        TASKS, answers(tmp_path / "a.jsonl", ("made/add_1", "x"), ("made/add_2", "y"), ("other", "z"))
    )
    assert [one.complete([asked(f"made/add_{n}")], lambda count: None)[0].text for n in (1, 2)] == ["x", "y"]
    two = StaticPolicy(TASKS, answers(tmp_path / "b.jsonl", ("made/add_1", "x"), ("made/add_2", "z")))
    assert one.identity.digest != two.identity.digest


def test_a_missing_answer_is_an_error_that_names_the_task(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no answer for 1 of 2 tasks: made/add_2"):
        StaticPolicy(TASKS, answers(tmp_path / "a.jsonl", ("made/add_1", "x")))


def test_two_answers_to_a_task_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two answers for task 'made/add_1'"):
        StaticPolicy(TASKS, answers(tmp_path / "a.jsonl", ("made/add_1", "x"), ("made/add_1", "y")))


def test_a_bad_row_is_an_error_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"task_id": "made/add_1", "completion": "x"}\n{"task_id": 3}\n')
    with pytest.raises(InputError, match=r"a\.jsonl, line 2: "):
        StaticPolicy(TASKS, str(tmp_path / "a.jsonl"))
