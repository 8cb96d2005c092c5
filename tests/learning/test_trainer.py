"""A step: what is drawn, what is refilled, what is left out, and what is written down of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codeself.learning.assignment import Assignment
from codeself.learning.curriculum import Curriculum
from codeself.learning.mock_learner import MockLearner
from codeself.learning.practice_log import PracticeLog
from codeself.learning.trainer import Trainer
from codeself.policies.mock import MockPolicy
from codeself.policies.prompts import Template
from codeself.records.practice import Arm
from codeself.records.tasks import Task
from codeself.records.training import ADVANTAGE_EDGES
from codeself.records.verdicts import Verdict
from codeself.rewards import Reward, RewardFunction, reward_v0_correctness
from codeself.sandbox.pool import Job, JudgePool
from tests.learning.batches import settings
from tests.made_tasks import adding_task

TASKS = [adding_task(number) for number in range(1, 9)]
TEMPLATE = Template("plain", "completion", "{# style: completion #}{{ task.opening }}")


class FaultyPool:
    """A real pool, whose judge has a fault with some tasks. A fault cannot be had from a judge by asking."""

    def __init__(self, pool: JudgePool, faulty: frozenset[str]) -> None:
        self._pool = pool
        self._faulty = faulty

    def verdicts(self, jobs: Iterable[Job]) -> Iterator[Verdict]:
        for place, verdict in enumerate(self._pool.verdicts(jobs)):
            # One completion of the group is enough.
            fault = verdict.task_id in self._faulty and place % 4 == 1
            yield verdict.model_copy(update={"status": "infrastructure"}) if fault else verdict


def practise(
    pool: Any,
    folder: Path,
    arm: Arm = "grpo",
    *,
    right: float = 0.4,
    tasks: list[Task] = TASKS,
    reward: RewardFunction = reward_v0_correctness,
    **changes: Any,
) -> PracticeLog:
    config = settings(**{"optimizer": {"learning_rate": 0.1}, "checkpoint_every": 100} | changes)
    learner = MockLearner(MockPolicy(tasks, right, 0.1, 1.0), config, critic=arm == "ppo")
    trainer = Trainer(learner, Assignment(arm, 0, config, tasks, TEMPLATE, pool, reward))
    seen: list[int] = []
    log = trainer.run(
        folder / "state", "d", lambda done: None, lambda record, timing: seen.append(record.step)
    )
    assert seen == [record.step for record in log.records] == [timing.step for timing in log.timings]
    return log


def of_step(log: PracticeLog, step: int, task_id: str = "") -> list[Any]:
    return [s for s in log.samples if s.step == step and task_id in ("", s.task_id)]


def test_rows_agree_with_the_samples_they_are_made_from(pool: JudgePool, tmp_path: Path) -> None:
    log = practise(pool, tmp_path, refills=2)
    for record in log.records:
        samples = of_step(log, record.step)
        assert record.completions == len(samples) == 4 * record.groups
        assert record.pass_rate == pytest.approx(np.mean([s.correct for s in samples]))
        assert record.reward == pytest.approx(np.mean([s.reward for s in samples]))
        assert record.reward_deviation == pytest.approx(np.std([s.reward for s in samples]))
        assert record.parse_failures == pytest.approx(np.mean([s.parsed != "parsed" for s in samples]))
        assert record.truncated == pytest.approx(np.mean([s.finish_reason == "length" for s in samples]))
        assert record.sampled_tokens == sum(s.completion_tokens for s in samples)
        assert sum(record.endings.values()) == len(samples)
        assert record.informative == pytest.approx(np.mean([s.informative for s in samples]))
        learned = [s for s in samples if s.informative]
        assert (record.learned_completions, record.wasted) == (len(learned), len(samples) - len(learned))
        assert record.learned_tokens == sum(s.completion_tokens for s in learned)
        assert sum(record.advantages) == len(learned)
        assert len(record.advantages) == len(ADVANTAGE_EDGES) - 1
    assert len({sample.seed for sample in log.samples}) == len(log.samples)


def test_what_was_paid_is_what_the_judge_found(pool: JudgePool, tmp_path: Path) -> None:
    for sample in practise(pool, tmp_path).samples:
        assert sample.reward == float(sample.correct)
        assert sample.correct == ((sample.decided_by, sample.status) == ("hidden", "passed"))
        assert (sample.parsed == "parsed") == (sample.decided_by != "parse")


def test_at_the_first_update_nothing_has_moved(pool: JudgePool, tmp_path: Path) -> None:
    for record in practise(pool, tmp_path).records:
        assert record.ratio is not None
        assert record.ratio.least == pytest.approx(1.0)
        assert record.ratio.greatest == pytest.approx(1.0)
        assert record.ratio.divergence == pytest.approx(0.0, abs=1e-12)
        assert record.ratio.clipped_low == record.ratio.clipped_high == 0.0
    moved = practise(pool, tmp_path, optimizer={"learning_rate": 0.5, "epochs": 3}).records
    assert all(record.ratio is not None and record.ratio.divergence > 0 for record in moved)
    assert any(record.ratio is not None and record.ratio.clipped_high > 0 for record in moved)


def test_refills_are_for_uninformative_groups_up_to_the_cap(pool: JudgePool, tmp_path: Path) -> None:
    plain = practise(pool, tmp_path, right=0.15, steps=4)
    refilled = practise(pool, tmp_path, right=0.15, steps=4, refills=2)
    assert all(record.refills == 0 and record.groups == 4 for record in plain.records)
    assert {record.refills for record in refilled.records} & {1, 2}
    position = 0
    for record in refilled.records:
        samples = of_step(refilled, record.step)
        first = [s for s in samples if not s.refill]
        lacking = sum(not s.informative for s in first) // 4
        assert record.refills == min(lacking, 2) == (len(samples) - len(first)) // 4
        assert record.groups == 4 + record.refills
        position += record.groups
        assert record.position == position
    # The first groups of the first step are those of a run without refills.
    assert of_step(refilled, 0)[:16] == of_step(plain, 0)


def by_length(verdict: Verdict) -> Reward:
    """Differs within nearly every group, right or wrong."""
    return Reward(value=verdict.correct + len(verdict.candidate.program) / 1e4, components={})


def test_a_shaped_reward_neither_saves_a_group_from_being_refilled_nor_is_learned_from(
    pool: JudgePool, tmp_path: Path
) -> None:
    plain = practise(pool, tmp_path, right=0.15, steps=1, refills=3).records[0]
    shaped = practise(pool, tmp_path, right=0.15, steps=1, refills=3, reward=by_length)
    samples = of_step(shaped, 0)
    dull = [samples[at : at + 4] for at in range(0, len(samples), 4) if not samples[at].informative]
    assert any(len({s.reward for s in group}) > 1 for group in dull)
    found = shaped.records[0]
    assert found.refills == plain.refills > 0
    assert (found.informative, found.learned_completions) == (plain.informative, plain.learned_completions)


def test_no_task_is_passed_by_for_a_refill(pool: JudgePool, tmp_path: Path) -> None:
    log = practise(pool, tmp_path, right=0.15, steps=4, refills=3)
    met = [log.samples[at].task_id for at in range(0, len(log.samples), 4)]
    curriculum = Curriculum(TASKS, 0)
    assert met == [curriculum.at(place).task_id for place in range(len(met))]


def test_a_group_that_the_judge_had_a_fault_with_is_left_out_and_counted(
    pool: JudgePool, tmp_path: Path
) -> None:
    bad = "made/add_3"
    faulty: Any = FaultyPool(pool, frozenset({bad}))
    for arm in ("grpo", "format-reward", "ppo"):
        log = practise(faulty, tmp_path, arm, steps=4)  # type: ignore[arg-type]
        assert sum(record.faulty_groups for record in log.records) == 2  # each task is met twice
        for record in log.records:
            samples = of_step(log, record.step)
            hurt = [s for s in samples if s.task_id == bad]
            assert record.faulty_groups == len(hurt) // 4
            assert all(s.reward is None and not s.informative for s in hurt)
            paid = [s for s in samples if s.task_id != bad]
            assert record.reward == pytest.approx(np.mean([s.reward for s in paid]))
            assert record.informative == pytest.approx(np.mean([s.informative for s in paid]))
            assert record.learned_completions == sum(s.informative for s in paid)


def test_a_fault_is_refilled_like_any_group_that_tells_nothing(pool: JudgePool, tmp_path: Path) -> None:
    every: Any = FaultyPool(pool, frozenset(task.task_id for task in TASKS))
    log = practise(every, tmp_path, refills=3, steps=2)
    for record in log.records:
        assert (record.groups, record.faulty_groups, record.refills) == (7, 7, 3)
        assert (record.updates, record.learned_completions, record.wasted) == (0, 0, 28)
        assert record.reward is record.informative is record.loss is record.ratio is record.entropy is None


@pytest.mark.parametrize("arm", ["random-reward", "format-reward", "ppo", "rejection"])
def test_each_arm_pays_its_own_way(pool: JudgePool, tmp_path: Path, arm: Arm) -> None:
    log = practise(pool, tmp_path, arm, steps=4)
    for start in range(0, len(log.samples), 4):
        group = log.samples[start : start + 4]
        right, paid = sum(s.correct for s in group), [s.reward for s in group]
        parsed = [float(s.parsed == "parsed") for s in group]
        if arm == "format-reward":
            assert paid == parsed
        elif arm == "random-reward":
            assert sorted(paid) == [0.0] * (4 - right) + [1.0] * right  # type: ignore[type-var]
        else:
            assert paid == [float(s.correct) for s in group]
    assert any(record.updates for record in log.records)
    assert all((record.critic is not None) == (arm == "ppo" and record.updates > 0) for record in log.records)
    if arm == "random-reward":
        assert [s.reward for s in log.samples] != [float(s.correct) for s in log.samples]
    if arm == "rejection":
        for record in log.records:
            passed = [s for s in of_step(log, record.step) if s.informative and s.correct]
            assert record.learned_completions == len(passed)


def test_a_small_task_set_is_met_more_than_once_in_a_step(pool: JudgePool, tmp_path: Path) -> None:
    log = practise(pool, tmp_path, tasks=TASKS[:2], steps=1, prompts_per_step=6)
    assert [len(of_step(log, 0, task.task_id)) for task in TASKS[:2]] == [12, 12]
    assert len({s.seed for s in log.samples}) == 24


def test_a_log_comes_back_from_its_own_json(pool: JudgePool, tmp_path: Path) -> None:
    log = practise(pool, tmp_path, "ppo", loss={"kl_coefficient": 0.1})
    assert PracticeLog.from_json_dict(log.to_json_dict()) == log


def test_explained_variance_is_0_for_a_constant_value(pool: JudgePool, tmp_path: Path) -> None:
    value = {"whiten": False, "trace": 1.0, "learning_rate": 1e-9}
    for record in practise(pool, tmp_path, "ppo", value=value).records:
        assert record.critic is not None
        assert record.critic.mean_value == pytest.approx(0.5, abs=1e-6)
        assert record.critic.explained_variance == pytest.approx(0.0, abs=1e-6)
