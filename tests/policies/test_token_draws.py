"""Tokens are drawn from the distribution that the settings describe."""

from __future__ import annotations

import math

import numpy as np
import pytest

from codeself.policies.token_draws import draw_tokens, uniform_numbers

torch = pytest.importorskip("torch")


def shares(logits: list[float], temperature: float, top_p: float, count: int = 20_000) -> np.ndarray:
    rows = torch.tensor([logits]).expand(count, -1)
    numbers = uniform_numbers(1, count).tolist()
    tokens, _ = draw_tokens(rows, [temperature] * count, [top_p] * count, numbers)
    return np.bincount(tokens.numpy(), minlength=len(logits)) / count


@pytest.mark.parametrize("temperature", [0.5, 0.8, 1.0, 2.0])
def test_shares_follow_the_softmax_at_the_temperature(temperature: float) -> None:
    logits = [0.0, 1.0, 2.0, -1.0]
    expected = np.exp(np.array(logits) / temperature)
    # 20,000 draws: four standard errors of a share are at most 0.014.
    assert shares(logits, temperature, 1.0) == pytest.approx(expected / expected.sum(), abs=0.014)


def test_a_nucleus_keeps_the_likeliest_tokens_that_reach_it() -> None:
    chances = [0.1, 0.5, 0.3, 0.1]
    logits = np.log(chances).tolist()
    assert shares(logits, 1.0, 0.7) == pytest.approx([0, 0.625, 0.375, 0], abs=0.014)
    assert shares(logits, 1.0, 0.4) == pytest.approx([0, 1, 0, 0])
    assert shares(logits, 1.0, 1e-9) == pytest.approx([0, 1, 0, 0])


def test_temperature_0_takes_the_likeliest_and_rows_keep_their_own_settings() -> None:
    logits = torch.tensor([[0.0, 3.0, 1.0]]).expand(3, -1)
    tokens, logprobs = draw_tokens(logits, [0.0, 1.0, 1.0], [1.0, 1.0, 0.5], [0.999, 0.999, 0.999])
    assert tokens.tolist() == [1, 2, 1]
    # Greedy and a nucleus of one are certain; the other is a draw from the softmax.
    likely = math.log(math.exp(1) / (1 + math.exp(3) + math.exp(1)))
    assert logprobs.tolist() == pytest.approx([0.0, likely, 0.0], abs=1e-6)


def test_the_ends_of_the_interval_draw_tokens_that_can_be_drawn() -> None:
    logits = torch.full((2, 50_000), -30.0)
    logits[:, 17] = 30.0
    tokens, _ = draw_tokens(logits, [1.0, 1.0], [0.9, 0.9], [0.0, 1 - 2**-53])
    assert tokens.tolist() == [17, 17]


def test_a_draw_is_where_the_running_sum_reaches_its_number() -> None:
    # Over a vocabulary of several blocks, the last one not full, against the definition in plain numpy.
    generator = torch.Generator().manual_seed(0)
    logits = 4 * torch.randn(300, 1000, generator=generator)
    numbers = uniform_numbers(2, 300)
    tokens, logprobs = draw_tokens(logits, [1.0] * 300, [1.0] * 300, numbers.tolist())
    chances = torch.softmax(logits, dim=-1).double().numpy()
    reached = chances.cumsum(axis=1)
    expected = [
        int(np.searchsorted(row, number * row[-1], side="right"))
        for row, number in zip(reached, numbers, strict=True)
    ]
    assert tokens.tolist() == expected
    drawn = chances[np.arange(300), expected] / chances.sum(axis=1)
    assert logprobs.numpy() == pytest.approx(np.log(drawn), abs=1e-5)


def test_a_seed_gives_its_numbers() -> None:
    assert uniform_numbers(3, 5).tolist() == uniform_numbers(3, 9)[:5].tolist()
    assert uniform_numbers(3, 5).tolist() != uniform_numbers(4, 5).tolist()
