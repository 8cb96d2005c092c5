"""The task record: three kinds of test, told apart by their keys, and small files."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from codeself.records.tasks import AssertTest, CallTest, CheckTest, Task


def task(**changes: Any) -> dict[str, Any]:
    return {
        "task_id": "a",
        "family": "a",
        "prompt": "p",
        "entry_point": "f",
        "hidden_tests": [{"args": [1], "expected": 1}],
        "reference_solution": "def f(x): return x",
    } | changes


def test_tests_are_told_apart_by_their_keys() -> None:
    tests = [{"args": [1], "expected": 1}, {"assert": "assert f(1)"}, {"check": "def check(candidate): pass"}]
    made = Task.model_validate(task(hidden_tests=tests))
    assert [type(test) for test in made.hidden_tests] == [CallTest, AssertTest, CheckTest]
    assert made.to_json_dict()["hidden_tests"] == tests


def test_what_is_the_default_is_not_written() -> None:
    short = CallTest(args=(1,), expected=2)
    assert short.to_json_dict() == {"args": [1], "expected": 2}
    assert CallTest(args=(), expected=None).to_json_dict() == {"args": [], "expected": None}
    close = CallTest(args=(1,), expected=2.0, compare="close", atol=0.5)
    assert CallTest.model_validate(close.to_json_dict()) == close


@pytest.mark.parametrize(
    "changes",
    [
        {"entry_point": "not a name"},
        {"hidden_tests": []},
        {"hidden_tests": [{"args": [{"$nonsense": 1}], "expected": 1}]},
        {"hidden_tests": [{"args": [1], "expected": 1, "compare": "roughly"}]},
        {"hidden_tests": [{"assert": ""}]},
        {"reference_solution": ""},
        {"surprise": 1},
    ],
)
def test_a_malformed_task_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Task.model_validate(task(**changes))
