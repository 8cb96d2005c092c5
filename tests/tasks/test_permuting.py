"""A permuted task is the same problem: its examples stand in another order, and nothing else has changed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from codeself.records.errors import InputError
from codeself.records.tasks import Task
from codeself.tasks.families.loading import family_tasks, load_families
from codeself.tasks.permuting import permuted
from codeself.tasks.validation import validate_tasks


@pytest.fixture(scope="module")
def families(root: Path) -> list[Task]:
    return family_tasks(load_families(root / "resources" / "families"), 1, 0, examples=3)


def test_examples_move_on_by_one_place_in_every_text_and_hidden_tests_stay(families: list[Task]) -> None:
    for before in families:
        after = permuted(before)
        assert (after.task_id, after.family, after.prompt) == (before.task_id, before.family, before.prompt)
        assert (after.hidden_tests, after.locked_tests) == (before.hidden_tests, before.locked_tests)
        first, second, third = before.public_tests
        assert after.public_tests == (third, first, second)
        for was, now in (
            (before.starter_code, after.starter_code),
            (before.reference_solution, after.reference_solution),
            *zip(before.wrong_variants, after.wrong_variants, strict=True),
        ):
            assert sorted(was.split("\n")) == sorted(now.split("\n"))
            assert shown(now) == [shown(was)[2], *shown(was)[:2]]
        assert after.reference_solution.startswith(after.starter_code)
        ast.parse(after.reference_solution)
    validate_tasks([permuted(task) for task in families])


def shown(program: str) -> list[str]:
    """Each example with its result, as one piece."""
    lines = program.split("\n")
    return ["\n".join(lines[n : n + 2]) for n, line in enumerate(lines) if line.strip().startswith(">>>")]


def test_three_moves_of_three_examples_are_none(families: list[Task]) -> None:
    task = families[0]
    again = permuted(permuted(permuted(task)))
    assert again.model_copy(update={"metadata": task.metadata}) == task


STARTER = '''def add(left, other):
    """Add.

    >>> add(1,
    ...     2)
    3

    Negative numbers too:
    >>> add(-1, -2)
    -3
    """
'''
MOVED = '''def add(left, other):
    """Add.

    >>> add(-1, -2)
    -3

    Negative numbers too:
    >>> add(1,
    ...     2)
    3
    """
'''


def task(**changes: object) -> Task:
    fields = {
        "task_id": "t/0",
        "family": "t",
        "prompt": "Write add.\n>>> add(1, 2)\n3\n>>> add(-1, -2)\n-3",
        "entry_point": "add",
        "starter_code": STARTER,
        "public_tests": [{"args": [1, 2], "expected": 3}, {"args": [-1, -2], "expected": -3}],
        "hidden_tests": [{"args": [5, 2], "expected": 7}],
        "reference_solution": STARTER + "    return left + other\n",
    }
    return Task.model_validate(fields | changes)


def test_what_stands_between_examples_stays() -> None:
    after = permuted(task())
    assert after.starter_code == MOVED
    assert after.reference_solution == MOVED + "    return left + other\n"
    assert after.prompt == "Write add.\n>>> add(-1, -2)\n-3\n>>> add(1, 2)\n3"


def test_one_example_has_no_other_order() -> None:
    with pytest.raises(InputError, match="'t/0': its public examples are 1; expected two or more"):
        permuted(task(public_tests=[{"args": [1, 2], "expected": 3}]))
