"""Leaks and duplicates are found; a clean task set is clean."""

from __future__ import annotations

from typing import Any

import pytest

from codeself.records.tasks import Task
from codeself.tasks.validation import ValidationReport, validate_tasks
from tests.tasks.made_up import made_up

SOLUTION = """\
def double(numbers):
    result = []
    for number in numbers:
        result.append(number * 2)
    return result
"""
IN_A_FENCE = """\
Like so:
```python
def f(numbers):
  result=[]
  for number in numbers:  # all
      result.append( number*2 )
  return result
```
"""
CHECK = """\
def check(candidate):
    for n in (1, 2):
        assert candidate(n) == n * 2
    assert candidate(3) == 6
"""


def rules(*tasks: Task, allow: bool = False, severity: str = "error") -> list[str]:
    report = validate_tasks(tasks, allow_origin_leaks=allow)
    return [finding.rule for finding in report.findings if finding.severity == severity]


def test_a_clean_task_is_clean() -> None:
    report = validate_tasks([made_up()])
    assert report == ValidationReport(
        tasks=1,
        tests={"public": 1, "hidden": 2, "locked": 1},
        allow_origin_leaks=False,
        errors=0,
        warnings={},
        findings=(),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": "Twice the number: double(3) == 6."},
        {"prompt": "For example\n  assert double( 3 )==6\nmust hold"},
        {"starter_code": 'def double(n):\n    """\n    >>> double(3)\n    6\n    """\n'},
        {"starter_code": "def double(n):\n    # double(3) -> 6\n"},
        {"public_tests": [{"args": [3], "expected": 6.0}]},
        {"public_tests": [{"assert": "assert double(3) == 6"}]},
        {"public_tests": [{"check": "def check(candidate):\n    assert candidate(3) == 6\n"}]},
    ],
)
def test_a_hidden_test_that_can_be_read_is_an_error(changes: dict[str, Any]) -> None:
    report = validate_tasks([made_up(task_id="mine/7", **changes)])
    (finding,) = report.findings
    assert finding.rule == "hidden_test_shown"
    assert finding.task_id == "mine/7"
    assert "double(3)" in finding.detail


@pytest.mark.parametrize("hidden", [[{"assert": "assert double(3) == 6"}], [{"check": CHECK}]])
def test_hidden_tests_of_every_kind_are_compared(hidden: list[dict[str, str]]) -> None:
    assert rules(made_up(prompt="double(3) is 6", hidden_tests=hidden)) == ["hidden_test_shown"]
    assert rules(made_up(prompt="double(4) is 8", hidden_tests=hidden)) == []


def test_a_locked_test_that_can_be_read_is_an_error_for_every_task_set() -> None:
    task = made_up(prompt="double(100) == 200")
    assert rules(task) == rules(task, allow=True) == ["locked_test_shown"]


def test_locked_and_hidden_tests_may_repeat_each_other() -> None:
    assert rules(made_up(locked_tests=[{"args": [3], "expected": 6}])) == []


def test_flaws_of_a_public_dataset_are_warnings_where_that_is_allowed() -> None:
    first = made_up(prompt="double(3) == 6")
    twin = first.model_copy(update={"task_id": "mine/1"})
    assert rules(first, twin) == ["hidden_test_shown", "hidden_test_shown", "duplicate_task"]
    report = validate_tasks([first, twin], allow_origin_leaks=True)
    assert report.allow_origin_leaks
    assert report.errors == 0
    assert report.warnings == {"duplicate_task": 1, "hidden_test_shown": 2}


@pytest.mark.parametrize("shown", [SOLUTION, IN_A_FENCE])
def test_a_reference_solution_that_can_be_read_is_an_error(shown: str) -> None:
    fields = {"reference_solution": SOLUTION}
    assert rules(made_up(prompt=f"Double them. {shown}", **fields)) == ["solution_shown"]
    assert rules(made_up(starter_code=shown, **fields), allow=True) == ["solution_shown"]
    assert rules(made_up(**fields)) == []


def test_a_body_that_anybody_would_write_is_no_secret() -> None:
    assert rules(made_up(prompt="Return n * 2, so: return n * 2")) == []


def test_an_id_that_stands_twice_is_an_error() -> None:
    other = made_up(prompt="Something else entirely, at some length.", reference_solution=SOLUTION)
    assert rules(made_up(), other) == ["duplicate_id"]


def test_a_task_that_stands_twice_is_an_error_and_names_the_other() -> None:
    twin = made_up(task_id="mine/1", prompt="Return  twice the number. ")
    report = validate_tasks([made_up(), twin])
    assert [(f.rule, f.task_id) for f in report.findings] == [("duplicate_task", "mine/1")]
    assert "'mine/0'" in report.findings[0].detail


def test_near_duplicates_of_different_families_are_a_warning() -> None:
    fields: dict[str, Any] = {
        "reference_solution": SOLUTION,
        "prompt": "Return every number of the list doubled.",
    }
    tasks = [
        made_up(**fields),
        made_up(task_id="b", family="b", **fields | {"prompt": fields["prompt"] + "."}),
    ]
    assert rules(*tasks, severity="warning") == ["near_duplicate"]
    assert rules(tasks[0], tasks[1].model_copy(update={"family": "mine/0"}), severity="warning") == []
