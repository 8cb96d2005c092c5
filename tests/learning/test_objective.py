"""An arm's loss is the weighted sum of its terms, however a minibatch is cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from codeself.learning.losses import clipped_surrogate, kl_divergence, value_loss
from codeself.learning.objective import Objective, Scores, Targets
from codeself.records.practice import LossConfig, ValueConfig

RNG = np.random.default_rng(11)
SCORES = Scores(*(RNG.normal(size=12) - 2 for _ in range(3)))
TARGETS = Targets(
    *(RNG.normal(size=12) - 2 for _ in range(2)), RNG.random(12), *(RNG.normal(size=(3, 12)) - 2)
)
LOSS = LossConfig(kl_coefficient=0.3)
VALUE = ValueConfig(coefficient=0.7)
OBJECTIVES = {
    "grpo": Objective("surrogate", LossConfig()),
    "grpo-kl": Objective("surrogate", LOSS),
    "ppo": Objective("surrogate", LOSS, VALUE),
    "rejection": Objective("likelihood", LossConfig()),
}


def only(record: Any, part: slice) -> Any:
    columns = {name: None if column is None else column[part] for name, column in vars(record).items()}
    return type(record)(**columns)


def as_tensors(record: Any) -> Any:
    import torch

    columns = {
        name: None if column is None else torch.tensor(column, requires_grad=True)
        for name, column in vars(record).items()
    }
    return type(record)(**columns)


def test_it_is_the_sum_of_its_terms() -> None:
    surrogate = clipped_surrogate(
        SCORES.logprobs, TARGETS.old_logprobs, TARGETS.advantages, clip_low=0.2, clip_high=0.28
    )
    divergence = kl_divergence(SCORES.logprobs, TARGETS.reference, "k3")
    missed = value_loss(SCORES.values, TARGETS.old_values, TARGETS.returns, clip=0.2)
    weights = TARGETS.weights
    without = Targets(TARGETS.old_logprobs, TARGETS.advantages, weights)
    assert OBJECTIVES["grpo"](SCORES, without) == pytest.approx(weights @ surrogate)
    assert OBJECTIVES["grpo-kl"](SCORES, TARGETS) == pytest.approx(weights @ (surrogate + 0.3 * divergence))
    whole = weights @ (surrogate + 0.3 * divergence + 0.7 * missed)
    assert OBJECTIVES["ppo"](SCORES, TARGETS) == pytest.approx(whole)
    assert OBJECTIVES["rejection"](SCORES, without) == pytest.approx(
        -weights @ (SCORES.logprobs * TARGETS.advantages)
    )


def test_a_k1_term_is_in_the_advantages_and_not_here() -> None:
    with_k1 = Objective("surrogate", LossConfig(kl_coefficient=0.3, kl_estimator="k1"))
    assert with_k1(SCORES, TARGETS) == OBJECTIVES["grpo"](
        SCORES, Targets(TARGETS.old_logprobs, TARGETS.advantages, TARGETS.weights)
    )


@pytest.mark.parametrize("arm", OBJECTIVES)
@pytest.mark.parametrize("cut", [1, 5, 11])
def test_the_loss_of_a_minibatch_is_the_sum_over_its_passes(arm: str, cut: int) -> None:
    objective = OBJECTIVES[arm]
    parts = [objective(only(SCORES, p), only(TARGETS, p)) for p in (slice(0, cut), slice(cut, None))]
    assert sum(parts) == pytest.approx(objective(SCORES, TARGETS))


@pytest.mark.parametrize("arm", OBJECTIVES)
def test_torch_gives_the_same_number_and_moves_logprobs_and_values_alone(arm: str) -> None:
    pytest.importorskip("torch")
    objective, scores, targets = OBJECTIVES[arm], as_tensors(SCORES), as_tensors(TARGETS)
    loss = objective(scores, targets)
    assert float(loss.detach()) == pytest.approx(objective(SCORES, TARGETS), abs=1e-12)
    loss.backward()
    nudge = 1e-6
    for name in ("logprobs", "values") if arm == "ppo" else ("logprobs",):
        for place in range(12):
            moved = [vars(SCORES) | {name: getattr(SCORES, name).copy()} for _ in range(2)]
            for sign, columns in zip((1, -1), moved, strict=True):
                columns[name][place] += sign * nudge
            ahead, behind = (objective(Scores(**columns), TARGETS) for columns in moved)
            found = float(getattr(scores, name).grad[place])
            assert found == pytest.approx((ahead - behind) / (2 * nudge), abs=1e-6)
    assert scores.entropy.grad is None
    assert (scores.values.grad is not None) == (arm == "ppo")


def test_completions_are_joined_in_order() -> None:
    parts = [only(TARGETS, p) for p in (slice(0, 3), slice(3, 4), slice(4, 12))]
    whole = Targets.joined(parts)
    for name, column in vars(TARGETS).items():
        assert getattr(whole, name).tolist() == column.tolist()
    bare = Targets.joined([Targets(np.zeros(2), np.zeros(2), np.zeros(2))] * 2)
    assert bare.reference is None
    assert len(bare.weights) == 4
