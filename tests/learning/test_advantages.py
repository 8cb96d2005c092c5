"""Advantages, against numbers worked out by hand and against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from codeself.learning.advantages import (
    Baseline,
    Scale,
    generalized_advantages,
    group_advantages,
    whitened,
)

NUMBERS = st.floats(-10, 10, allow_nan=False, allow_subnormal=False)
GROUPS = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6), elements=NUMBERS)
KINDS: list[tuple[Baseline, Scale]] = [
    ("mean", "std"),
    ("mean", "none"),
    ("leave-one-out", "std"),
    ("leave-one-out", "none"),
]


def test_grpo_by_hand() -> None:
    # Rewards 1, 0, 0, 0: mean 1/4, deviation with one degree of freedom taken sqrt((9 + 1 + 1 + 1) / 16 / 3) = 1/2.
    (found,) = group_advantages([[1, 0, 0, 0]], eps=0.0)
    assert found == pytest.approx([1.5, -0.5, -0.5, -0.5])
    (found,) = group_advantages([[1, 0, 0, 0]])
    assert found == pytest.approx(np.array([0.75, -0.25, -0.25, -0.25]) / 0.5001)


def test_dr_grpo_by_hand() -> None:
    found = group_advantages([[1, 0, 0, 0], [1, 1, 0, 0]], scale="none")
    assert found == pytest.approx(np.array([[0.75, -0.25, -0.25, -0.25], [0.5, 0.5, -0.5, -0.5]]))


def test_leave_one_out_by_hand() -> None:
    # Each against the mean of the other three: 1 - 0, and 0 - 1/3.
    (found,) = group_advantages([[1, 0, 0, 0]], baseline="leave-one-out", scale="none")
    assert found == pytest.approx([1, -1 / 3, -1 / 3, -1 / 3])


@given(GROUPS)
def test_leave_one_out_is_the_reward_less_the_mean_of_the_others(rewards: np.ndarray) -> None:
    found = group_advantages(rewards, baseline="leave-one-out", scale="none")
    for row, group in enumerate(rewards):
        for place, reward in enumerate(group):
            others = np.delete(group, place).mean()
            assert found[row, place] == pytest.approx(reward - others, abs=1e-9)


@pytest.mark.parametrize(("baseline", "scale"), KINDS)
@given(GROUPS)
def test_a_groups_advantages_are_around_0(baseline: Baseline, scale: Scale, rewards: np.ndarray) -> None:
    found = group_advantages(rewards, baseline=baseline, scale=scale)
    assert found.shape == rewards.shape
    assert found.mean(axis=1) == pytest.approx(np.zeros(len(rewards)), abs=1e-6)


@pytest.mark.parametrize(("baseline", "scale"), KINDS)
@given(NUMBERS, st.integers(2, 9))
def test_equal_rewards_say_nothing(baseline: Baseline, scale: Scale, reward: float, samples: int) -> None:
    found = group_advantages([[reward] * samples], baseline=baseline, scale=scale)
    assert found.tolist() == [[0.0] * samples]


@pytest.mark.parametrize(("baseline", "scale"), KINDS)
@given(GROUPS, NUMBERS, st.randoms())
def test_neither_a_constant_nor_the_order_matters(
    baseline: Baseline, scale: Scale, rewards: np.ndarray, constant: float, random: object
) -> None:
    rewards = rewards.round(3)  # a difference that the constant swallows is none of ours
    found = group_advantages(rewards, baseline=baseline, scale=scale)
    moved = group_advantages(rewards + round(constant, 3), baseline=baseline, scale=scale)
    assert moved == pytest.approx(found, abs=1e-6)
    order = list(range(rewards.shape[1]))
    random.shuffle(order)  # type: ignore[attr-defined]
    mixed = group_advantages(rewards[:, order], baseline=baseline, scale=scale)
    assert mixed == pytest.approx(found[:, order], abs=1e-9)


@given(GROUPS, st.floats(0.1, 100))
def test_the_deviation_takes_the_rewards_unit_away(rewards: np.ndarray, unit: float) -> None:
    rewards = rewards.round(3)
    found = group_advantages(rewards, eps=0.0) if np.ptp(rewards, axis=1).all() else None
    if found is not None:
        assert group_advantages(rewards * unit, eps=0.0) == pytest.approx(found, abs=1e-8)
        assert found.std(axis=1, ddof=1) == pytest.approx(np.ones(len(rewards)))
    plain = group_advantages(rewards, scale="none")
    assert group_advantages(rewards * unit, scale="none") == pytest.approx(plain * unit, abs=1e-8)


@pytest.mark.parametrize("shape", [(4,), (3, 1), (2, 2, 2)])
def test_what_is_no_group_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected \(prompts, samples\) with 2 samples or more"):
        group_advantages(np.zeros(shape))


def test_generalized_advantages_by_hand() -> None:
    # Surprises 0.5*0.4-0.2 = 0, 0.5*0.6-0.4 = -0.1 and 1-0.6 = 0.4; each carries a quarter of what follows it.
    advantages, returns = generalized_advantages([0, 0, 1], [0.2, 0.4, 0.6], discount=0.5, trace=0.5)
    assert advantages == pytest.approx([0.0, 0.0, 0.4])
    assert returns == pytest.approx([0.2, 0.4, 1.0])


TOKENS = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=8)
SHARES = st.floats(0, 1)


@given(TOKENS, SHARES, SHARES)
def test_generalized_advantages_are_the_double_sum(
    tokens: list[tuple[float, float]], discount: float, trace: float
) -> None:
    """Equation 16: the sum over later places of (gamma lambda)^distance times the surprise there."""
    rewards, values = [r for r, _ in tokens], [v for _, v in tokens]
    after = [*values[1:], 0.0]
    expected = [
        sum(
            (discount * trace) ** (later - place) * (rewards[later] + discount * after[later] - values[later])
            for later in range(place, len(tokens))
        )
        for place in range(len(tokens))
    ]
    advantages, returns = generalized_advantages(rewards, values, discount=discount, trace=trace)
    assert advantages == pytest.approx(expected, abs=1e-9)
    assert returns == pytest.approx(np.array(expected) + values, abs=1e-9)


@given(TOKENS, SHARES)
def test_a_full_trace_gives_the_discounted_sum_of_rewards_as_return(
    tokens: list[tuple[float, float]], discount: float
) -> None:
    rewards, values = [r for r, _ in tokens], [v for _, v in tokens]
    _, returns = generalized_advantages(rewards, values, discount=discount, trace=1.0)
    sums = [
        math.fsum(discount**i * reward for i, reward in enumerate(rewards[place:]))
        for place in range(len(rewards))
    ]
    assert returns == pytest.approx(sums, abs=1e-9)


@pytest.mark.parametrize(("rewards", "values"), [([1.0], [1.0, 2.0]), ([[1.0]], [[1.0]])])
def test_a_value_belongs_to_each_token(rewards: list[float], values: list[float]) -> None:
    with pytest.raises(ValueError, match="expected one of each a token"):
        generalized_advantages(rewards, values)


def test_whitened_by_hand() -> None:
    assert whitened([1, 3, 5]) == pytest.approx([-math.sqrt(1.5), 0, math.sqrt(1.5)])


@given(arrays(np.float64, st.integers(1, 9), elements=NUMBERS.map(lambda x: round(x, 3))))
def test_whitened_numbers_have_mean_0_and_deviation_1(numbers: np.ndarray) -> None:
    found = whitened(numbers)
    assert found.mean() == pytest.approx(0, abs=1e-7)
    assert found.std() == pytest.approx(1.0 if np.ptp(numbers) else 0.0, abs=1e-4)
