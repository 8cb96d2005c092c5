"""The objectives, token by token: by hand, in numpy and torch alike, and with the gradients that they should have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from codeself.learning.losses import (
    Aggregation,
    clipped_surrogate,
    kl_divergence,
    likelihood_loss,
    token_weights,
    value_loss,
)

AGGREGATIONS: list[Aggregation] = ["token", "sequence", "constant"]
LOG_RATIOS = arrays(np.float64, 5, elements=st.floats(-2, 2))
SIGNED = arrays(np.float64, 5, elements=st.floats(-3, 3))


def surrogate(ratio: float, advantage: float) -> float:
    numbers = [np.array([x]) for x in (np.log(ratio), 0.0, advantage)]
    return float(clipped_surrogate(*numbers, clip_low=0.2, clip_high=0.3)[0])


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss"),
    [
        (1.0, 2.0, -2.0),
        (1.25, 2.0, -2.5),
        (1.5, 2.0, -2.6),  # above 1.3: no more is to be gained
        (0.5, 2.0, -1.0),  # what was good became rarer: the whole of it counts
        (0.9, -2.0, 1.8),
        (0.5, -2.0, 1.6),  # below 0.8: no more is to be gained
        (1.5, -2.0, 3.0),
    ],
)
def test_the_clip_takes_away_the_gain_and_never_the_loss(ratio: float, advantage: float, loss: float) -> None:
    assert surrogate(ratio, advantage) == pytest.approx(loss)


@given(LOG_RATIOS, SIGNED)
def test_the_clipped_surrogate_is_never_below_the_plain_one(
    log_ratio: np.ndarray, advantages: np.ndarray
) -> None:
    clipped = clipped_surrogate(log_ratio, np.zeros(5), advantages, clip_low=0.2, clip_high=0.28)
    plain = -np.exp(log_ratio) * advantages
    assert (clipped >= plain - 1e-12).all()
    inside = (np.exp(log_ratio) > 0.8) & (np.exp(log_ratio) < 1.28)
    assert clipped[inside] == pytest.approx(plain[inside])


def test_at_the_old_policy_the_gradient_is_that_of_the_plain_policy_gradient() -> None:
    torch = pytest.importorskip("torch")
    old, advantages = torch.tensor([-0.3, -2.0, -1.0]), torch.tensor([1.0, -2.0, 0.5])
    now = old.clone().requires_grad_()
    clipped_surrogate(now, old, advantages, clip_low=0.2, clip_high=0.28).sum().backward()
    assert now.grad.tolist() == (-advantages).tolist()
    now = old.clone().requires_grad_()
    likelihood_loss(now, advantages).sum().backward()
    assert now.grad.tolist() == (-advantages).tolist()


def test_divergence_by_hand() -> None:
    # The token's chance is 1/2 now and 1/4 under the reference.
    now, reference = np.log([0.5]), np.log([0.25])
    assert kl_divergence(now, reference, "k1") == pytest.approx(np.log([2.0]))
    assert kl_divergence(now, reference, "k3") == pytest.approx(0.5 + np.log([2.0]) - 1)


@given(LOG_RATIOS, LOG_RATIOS)
def test_k3_is_never_negative_and_0_where_both_agree(now: np.ndarray, reference: np.ndarray) -> None:
    assert (kl_divergence(now, reference, "k3") >= -1e-12).all()
    assert kl_divergence(now, now, "k3").tolist() == kl_divergence(now, now, "k1").tolist() == [0.0] * 5


@given(arrays(np.float64, (2, 6), elements=st.floats(-3, 3)))
def test_both_estimators_have_the_divergence_as_their_mean(logits: np.ndarray) -> None:
    """Over a whole vocabulary of six, weighted by the chance of each token."""
    now, reference = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    exact = (np.exp(now) * (now - reference)).sum()
    estimates = {name: kl_divergence(now, reference, name) for name in ("k1", "k3")}  # type: ignore[arg-type]
    for estimate in estimates.values():
        assert (np.exp(now) * estimate).sum() == pytest.approx(exact, abs=1e-9)


def test_k3_varies_less_than_k1_near_the_reference() -> None:
    chances, moved = np.array([0.5, 0.3, 0.2]), np.array([0.45, 0.33, 0.22])
    found = [kl_divergence(np.log(chances), np.log(moved), name) for name in ("k1", "k3")]  # type: ignore[arg-type]
    deviations = [np.sqrt((chances * (f - (chances * f).sum()) ** 2).sum()) for f in found]
    assert deviations[1] < deviations[0] / 10


@pytest.mark.parametrize(
    ("value", "returned", "loss"),
    [
        (0.1, 1.0, 0.405),  # near its old value 0: half of 0.9 squared
        (1.0, 1.0, 0.32),  # too far from it, clipped to 0.2: half of 0.8 squared
        (-1.0, 1.0, 2.0),  # clipped to -0.2 it would be less
        (0.1, 0.1, 0.0),
    ],
)
def test_a_value_that_leaps_is_taken_at_its_worse(value: float, returned: float, loss: float) -> None:
    found = value_loss(np.array([value]), np.zeros(1), np.array([returned]), clip=0.2)
    assert found == pytest.approx([loss])


LOSSES: list[tuple[str, Callable[..., Any], int]] = [
    (
        "surrogate",
        lambda now, old, advantages: clipped_surrogate(now, old, advantages, clip_low=0.2, clip_high=0.28),
        3,
    ),
    ("likelihood", likelihood_loss, 2),
    ("k1", lambda now, reference: kl_divergence(now, reference, "k1"), 2),
    ("k3", lambda now, reference: kl_divergence(now, reference, "k3"), 2),
    ("value", lambda now, old, returned: value_loss(now, old, returned, clip=0.2), 3),
]


@pytest.mark.parametrize(("name", "loss", "arguments"), LOSSES)
def test_torch_and_numpy_agree_and_the_gradient_is_that_of_central_differences(
    name: str, loss: Callable[..., Any], arguments: int
) -> None:
    torch = pytest.importorskip("torch")
    numbers = np.random.default_rng(5).normal(size=(arguments, 400)) / 2
    tensors = [torch.tensor(row) for row in numbers]
    tensors[0].requires_grad_()
    found = loss(*tensors)
    assert found.detach().numpy() == pytest.approx(loss(*numbers), abs=1e-12)
    found.sum().backward()
    nudge = 1e-6
    ahead, behind = (loss(numbers[0] + step, *numbers[1:]) for step in (nudge, -nudge))
    slope = (ahead - behind) / (2 * nudge)
    # Each token's loss depends on its own number alone. Exactly at a clip's edge there would be no slope.
    assert tensors[0].grad.numpy() == pytest.approx(slope, abs=1e-7)


def test_weights_by_hand() -> None:
    lengths, kept = [2, 6, 4], [True, True, False]
    assert token_weights(lengths, kept, "token", 8) == pytest.approx([1 / 8, 1 / 8, 0])
    assert token_weights(lengths, kept, "sequence", 8) == pytest.approx([1 / 4, 1 / 12, 0])
    assert token_weights(lengths, kept, "constant", 8) == pytest.approx([1 / 16, 1 / 16, 0])


COMPLETIONS = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1, max_size=9)


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@given(COMPLETIONS)
def test_masked_and_empty_completions_have_no_part_at_all(
    aggregation: Aggregation, completions: list[tuple[int, bool]]
) -> None:
    lengths, kept = [length for length, _ in completions], [keep for _, keep in completions]
    weights = token_weights(lengths, kept, aggregation, 8)
    counted = [bool(length and keep) for length, keep in completions]
    rest = [length for length, count in zip(lengths, counted, strict=True) if count]
    alone = token_weights(rest, [True] * len(rest), aggregation, 8)
    assert weights[counted].tolist() == alone.tolist()
    assert not weights[np.logical_not(counted)].any()


@given(COMPLETIONS.filter(lambda rows: any(length and keep for length, keep in rows)))
def test_means_of_equal_terms_are_the_term(completions: list[tuple[int, bool]]) -> None:
    lengths, kept = [length for length, _ in completions], [keep for _, keep in completions]
    for aggregation in ("token", "sequence"):
        weights = token_weights(lengths, kept, aggregation, 8)  # type: ignore[arg-type]
        assert (weights * lengths).sum() == pytest.approx(1.0)
    constant = token_weights(lengths, kept, "constant", 8)
    assert (constant * lengths).sum() <= 1.0 + 1e-12
    assert len(set(constant[constant > 0])) == 1


def test_equal_lengths_make_token_and_sequence_alike_and_full_lengths_all_three() -> None:
    found = [token_weights([8, 8, 8], [True] * 3, aggregation, 8).tolist() for aggregation in AGGREGATIONS]
    assert found == [pytest.approx([1 / 24] * 3)] * 3
