"""Rollouts and verdicts: whatever would bias a rate without a trace is refused, by name."""

from __future__ import annotations

import random

import pytest

from codeself.analysis.matching import match, refuse_missing_tasks
from codeself.records.errors import InputError
from tests.evaluations import MadeUp, made_up


@pytest.fixture(scope="module")
def made() -> MadeUp:
    return made_up(families=3, variants=2, samples=3)


def test_every_rollout_meets_its_own_verdict_whatever_the_order(made: MadeUp) -> None:
    rollouts, verdicts = list(made.rollouts), list(made.verdicts)
    random.Random(1).shuffle(rollouts)
    random.Random(2).shuffle(verdicts)
    graded = match(made.tasks, rollouts, verdicts)
    assert len(graded) == len(made.rollouts)
    assert all(item.rollout.rollout_id == item.verdict.rollout_id for item in graded)
    assert all(item.task.task_id == item.rollout.task_id for item in graded)
    assert graded == match(made.tasks, made.rollouts, made.verdicts)


def test_a_rollout_without_a_verdict_is_named(made: MadeUp) -> None:
    gone = made.verdicts[4].rollout_id
    with pytest.raises(InputError, match=rf"1 of 24 rollouts have no verdict \('{gone}'\)"):
        match(made.tasks, made.rollouts, made.verdicts[:4] + made.verdicts[5:])


def test_a_verdict_without_a_rollout_is_named(made: MadeUp) -> None:
    with pytest.raises(InputError, match=r"4 verdicts are on rollouts that were not given .* and 1 more"):
        match(made.tasks, made.rollouts[4:], made.verdicts)


def test_a_shard_given_twice_is_noticed(made: MadeUp) -> None:
    first = made.rollouts[0].rollout_id
    with pytest.raises(InputError, match=f"rollout '{first}' stands more than once; was a shard given twice"):
        match(made.tasks, [*made.rollouts, made.rollouts[0]], made.verdicts)
    with pytest.raises(InputError, match=f"verdict on rollout '{first}' stands more than once, as do 1 more"):
        match(made.tasks, made.rollouts, [*made.verdicts, *made.verdicts[:2]])


def test_a_verdict_of_another_task_is_noticed(made: MadeUp) -> None:
    other = made.verdicts[0].model_copy(update={"task_id": made.tasks[-1].task_id})
    with pytest.raises(InputError, match=f"but its verdict is of task '{made.tasks[-1].task_id}'"):
        match(made.tasks, made.rollouts, [other, *made.verdicts[1:]])


def test_a_task_that_the_task_set_lacks_is_named(made: MadeUp) -> None:
    with pytest.raises(InputError, match=f"'{made.tasks[0].task_id}', which the tasks file does not have"):
        match(made.tasks[1:], made.rollouts, made.verdicts)


@pytest.mark.parametrize(
    ("key", "value"),
    [("policy", "other"), ("max_new_tokens", 64), ("prompt_digest", "0" * 64), ("top_p", 0.5)],
)
def test_rollouts_of_different_settings_are_not_one_evaluation(made: MadeUp, key: str, value: object) -> None:
    assert made.rollouts[1].decoding == "sampled"
    changed = made.rollouts[1].model_copy(update={key: value})
    with pytest.raises(InputError, match=f"rollouts differ in {key}"):
        match(made.tasks, [made.rollouts[0], changed, *made.rollouts[2:]], made.verdicts)


def test_a_task_with_fewer_samples_is_named(made: MadeUp) -> None:
    short = made.rollouts[1]
    with pytest.raises(InputError, match=f"task '{short.task_id}' has 2 sampled rollouts and task"):
        match(
            made.tasks,
            [r for r in made.rollouts if r is not short],
            [v for v in made.verdicts if v.rollout_id != short.rollout_id],
        )


def test_two_rollouts_in_one_place_are_named(made: MadeUp) -> None:
    twin = made.rollouts[1].model_copy(update={"rollout_id": "twin"})
    verdict = made.verdicts[1].model_copy(update={"rollout_id": "twin"})
    with pytest.raises(InputError, match="has 2 sampled rollouts of number 0; expected one"):
        match(made.tasks, [*made.rollouts, twin], [*made.verdicts, verdict])


def test_an_empty_evaluation_is_refused(made: MadeUp) -> None:
    with pytest.raises(InputError, match="no rollout"):
        match(made.tasks, [], [])


def test_a_split_is_evaluated_whole_and_alone(made: MadeUp) -> None:
    graded = match(made.tasks, made.rollouts, made.verdicts)
    ids = [task.task_id for task in made.tasks]
    refuse_missing_tasks(graded, ids, "test")
    with pytest.raises(InputError, match="1 of the 7 tasks of split 'test' have no rollout"):
        refuse_missing_tasks(graded, [*ids, "another"], "test")
    with pytest.raises(InputError, match="1 tasks with rollouts are not in split 'test'"):
        refuse_missing_tasks(graded, ids[1:], "test")
