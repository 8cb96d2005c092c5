"""What each arm pays, and what it makes of the pay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeself.learning.arms import advantages_of, objective_of, pay
from codeself.records.practice import ARMS, AdvantageConfig, Arm
from codeself.records.verdicts import Verdict
from codeself.rewards import Reward, reward_v0_correctness
from tests.learning.batches import paid, verdict

OUTCOMES = st.lists(st.booleans(), min_size=2, max_size=10)


def verdicts(outcomes: Sequence[bool]) -> list[Verdict]:
    return [verdict(right) for right in outcomes]


def shaped(verdict: Verdict) -> Reward:
    """1 for a right program, and something by its length for any."""
    return Reward(value=verdict.correct + len(verdict.rollout_id) / 10, components={})


@pytest.mark.parametrize("arm", ["grpo", "ppo", "rejection"])
def test_true_arms_pay_the_reward(arm: Arm) -> None:
    found = pay(arm, verdicts([True, False, True]), reward_v0_correctness, 0, 0, "t")
    assert found.rewards.tolist() == [1.0, 0.0, 1.0]
    assert found.outcomes.tolist() == [True, False, True]


@given(OUTCOMES, st.integers(0, 5), st.integers(0, 5))
def test_random_reward_pays_the_same_in_all_and_the_same_again(
    outcomes: list[bool], seed: int, step: int
) -> None:
    found, again = (
        pay("random-reward", verdicts(outcomes), reward_v0_correctness, seed, step, "t") for _ in range(2)
    )
    assert sorted(found.rewards) == sorted(float(right) for right in outcomes)
    assert found.outcomes.tolist() == [reward > 0 for reward in found.rewards]
    assert found.rewards.tolist() == again.rewards.tolist()
    assert found.informative == (0 < sum(outcomes) < len(outcomes))


def test_random_reward_tells_nothing_of_who_was_right() -> None:
    outcomes = [True] * 4 + [False] * 4
    taken = []
    for draw in range(1000):
        found = pay("random-reward", verdicts(outcomes), reward_v0_correctness, draw % 10, draw // 10, "t")
        taken.append(found.rewards)
    shares = np.mean(taken, axis=0)
    # Each place is paid half of the time: 1000 draws, four standard errors.
    assert shares == pytest.approx([0.5] * 8, abs=4 * 0.5 / 1000**0.5)
    assert len({tuple(rewards) for rewards in taken}) > 60  # of the 70 orders there are


def test_random_reward_differs_by_task_step_and_seed() -> None:
    outcomes = verdicts([True, False] * 10)
    drawn = {
        tuple(pay("random-reward", outcomes, reward_v0_correctness, seed, step, task).rewards)
        for seed in (0, 1)
        for step in (0, 1)
        for task in ("a", "b")
    }
    assert len(drawn) == 8


def test_format_reward_pays_for_programs_right_or_wrong() -> None:
    group = [verdict(True), verdict(False), verdict(False, parsed="invalid_syntax"), verdict(False, "error")]
    found = pay("format-reward", group, reward_v0_correctness, 0, 0, "t")
    assert found.rewards.tolist() == [1.0, 1.0, 0.0, 1.0]
    assert found.outcomes.tolist() == [True, True, False, True]


def test_shaped_rewards_make_no_group_informative() -> None:
    group = [verdict(False).model_copy(update={"rollout_id": "x" * length}) for length in range(4)]
    found = pay("grpo", group, shaped, 0, 0, "t")
    assert len(set(found.rewards)) == 4
    assert not found.informative
    right = [each.model_copy(update={"correct": True}) for each in group]
    assert not pay("grpo", right, shaped, 0, 0, "t").informative
    assert pay("grpo", [*group[:2], *right[2:]], shaped, 0, 0, "t").informative


@pytest.mark.parametrize("arm", ARMS)
def test_a_group_with_a_verdict_without_a_result_is_not_paid_at_all(arm: Arm) -> None:
    group = [verdict(True), verdict(False, "infrastructure")]
    assert pay(arm, group, reward_v0_correctness, 0, 0, "t") is None


def test_only_rejection_imitates() -> None:
    assert {arm: objective_of(arm) for arm in ARMS} == {
        "grpo": "surrogate",
        "grpo-selfdebug": "surrogate",
        "ppo": "surrogate",
        "rejection": "likelihood",
        "random-reward": "surrogate",
        "format-reward": "surrogate",
    }
    groups = [paid([0.3, 0.9, 0.0], [False, True, False]), paid([1, 1, 1])]
    found = advantages_of("rejection", groups, AdvantageConfig())
    assert found.tolist() == [[0, 1, 0], [1, 1, 1]]


@pytest.mark.parametrize("arm", ["grpo", "random-reward", "format-reward"])
def test_the_others_compare_within_the_group(arm: Arm) -> None:
    found = advantages_of(arm, [paid([1, 0, 0, 0])], AdvantageConfig(baseline="leave-one-out", scale="none"))
    assert found == pytest.approx(np.array([[1, -1 / 3, -1 / 3, -1 / 3]]))
