"""A renamed task is the same problem: its solution still solves it, and nothing but names has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeself.records.errors import InputError
from codeself.records.tasks import AssertTest, Task
from codeself.records.values import decode
from codeself.tasks.families.loading import family_tasks, load_families
from codeself.tasks.renaming import renamed


@pytest.fixture(scope="module")
def families(root: Path) -> list[Task]:
    return family_tasks(load_families(root / "resources" / "families"), 1, 0)


def test_every_reference_solves_its_task_under_other_names(families: list[Task]) -> None:
    for task in map(renamed, families):
        # The project's own solutions: they may run here.
        space: dict[str, object] = {}
        exec(task.reference_solution, space)
        solution = space[task.entry_point]
        for test in (*task.public_tests, *task.locked_tests):
            found = solution(*decode(list(test.args)), **decode(dict(test.kwargs)))  # type: ignore[operator, union-attr]
            if test.compare == "equal":  # type: ignore[union-attr]
                assert found == decode(test.expected), task.task_id  # type: ignore[union-attr]


def test_the_old_entry_point_is_gone_and_the_rest_is_there(families: list[Task]) -> None:
    for before in families:
        after = renamed(before)
        assert (after.task_id, after.family) == (before.task_id, before.family)
        assert f"{before.entry_point}(" not in after.prompt + after.starter_code + after.reference_solution
        assert f"{after.entry_point}(" in after.prompt
        assert after.reference_solution.startswith(after.starter_code)
        assert len(after.wrong_variants) == len(before.wrong_variants)
        assert [t.expected for t in after.hidden_tests] == [t.expected for t in before.hidden_tests]  # type: ignore[union-attr]


def task(**changes: object) -> Task:
    source = 'def add(left, other, key=0):\n    """Add left to it."""\n    return sorted([left + other], key=abs)[0]\n'
    fields = {
        "task_id": "t/0",
        "family": "t",
        "prompt": "Write a Python function `add(left, other, key=0)`.\nAdd left to it.",
        "entry_point": "add",
        "starter_code": 'def add(left, other, key=0):\n    """Add left to it."""\n',
        "hidden_tests": [{"args": [1], "kwargs": {"other": 2}, "expected": 3}],
        "reference_solution": source,
    }
    return Task.model_validate(fields | changes)


def test_arguments_are_renamed_where_no_word_or_keyword_needs_them() -> None:
    after = renamed(task())
    # left stands in the description, key is also a keyword of sorted.
    assert after.metadata["renamed"] == {"add": "solve", "other": "a"}
    assert after.prompt == "Write a Python function `solve(left, a, key=0)`.\nAdd left to it."
    assert "return sorted([left + a], key=abs)[0]" in after.reference_solution
    assert after.hidden_tests[0].kwargs == {"a": 2}  # type: ignore[union-attr]


def test_names_that_the_program_uses_are_not_given() -> None:
    source = 'def add(left, other, key=0):\n    """Add left to it."""\n    solve = a = left\n    return a + other\n'
    after = renamed(task(reference_solution=source))
    assert after.metadata["renamed"] == {"add": "solution", "other": "b", "key": "c"}


def test_tests_that_are_programs_are_refused() -> None:
    with pytest.raises(InputError, match="'t/0': only tasks whose tests are calls"):
        renamed(task(hidden_tests=[AssertTest(source="assert add(1, 2) == 3")]))
