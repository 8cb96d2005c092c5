"""Tasks in an order that depends on nothing but the seed and the place."""

from __future__ import annotations

import pytest

from codeself.learning.curriculum import Curriculum
from tests.made_tasks import adding_task

TASKS = [adding_task(number) for number in range(7)]


def order(seed: int = 0, first: int = 0, count: int = 28) -> list[str]:
    curriculum = Curriculum(TASKS, seed)
    return [curriculum.at(place).task_id for place in range(first, first + count)]


def test_each_pass_meets_each_task_once_in_an_order_of_its_own() -> None:
    met = order()
    passes = [tuple(met[start : start + 7]) for start in range(0, 28, 7)]
    assert all(set(each) == {task.task_id for task in TASKS} for each in passes)
    assert len(set(passes)) == 4


@pytest.mark.parametrize("first", [1, 7, 13, 20])
def test_a_run_that_begins_in_the_middle_meets_what_it_would_have_met(first: int) -> None:
    assert order(first=first, count=28 - first) == order()[first:]


def test_places_may_be_asked_in_any_order() -> None:
    curriculum = Curriculum(TASKS, 0)
    places = [0, 20, 3, 13, 27, 0]
    assert [curriculum.at(place).task_id for place in places] == [order()[place] for place in places]


def test_seeds_differ_and_the_order_of_the_file_is_nothing() -> None:
    assert order(0) != order(1)
    turned = Curriculum(TASKS[::-1], 0)
    assert [turned.at(place).task_id for place in range(28)] == order()
