"""Next tokens from logits. Each row's draw depends on its own logits and its own number from [0, 1) alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch


def uniform_numbers(seed: int, count: int) -> np.ndarray:
    """The numbers, from [0, 1), that decide the tokens of one completion, in order."""
    return np.random.Generator(np.random.PCG64(seed)).random(count)


def draw_tokens(
    logits: torch.Tensor, temperatures: Sequence[float], top_ps: Sequence[float], uniforms: Sequence[float]
) -> tuple[torch.Tensor, torch.Tensor]:
    """One token a row: the likeliest at temperature 0, else where the distribution function reaches the number.

    logits: (rows, vocabulary). Returns the tokens and the logarithms of the chances with which they were drawn, both
    (rows,); 0 at temperature 0. With top_p below 1, only the likeliest tokens that together hold top_p of the
    probability, one at least, can be drawn.
    """
    sampled = [row for row, temperature in enumerate(temperatures) if temperature > 0]
    greedy = [row for row, temperature in enumerate(temperatures) if temperature == 0]
    tokens = torch.zeros(len(temperatures), dtype=torch.long, device=logits.device)
    logprobs = torch.zeros(len(temperatures), device=logits.device)
    if greedy:
        tokens[greedy] = logits[greedy].argmax(dim=-1)
    if not sampled:
        return tokens, logprobs
    rows = torch.tensor(sampled, device=logits.device)
    scale = torch.tensor([temperatures[row] for row in sampled], device=logits.device)
    chances = torch.softmax(logits[rows].float() / scale[:, None], dim=-1)
    nucleus = torch.tensor([top_ps[row] for row in sampled], device=logits.device)
    if bool((nucleus < 1).any()):
        chances = _within_nucleus(chances, nucleus)
    # Summed in double precision, as 50,000 terms of single precision would shift the tail.
    reached = chances.cumsum(dim=-1, dtype=torch.float64)
    numbers = torch.tensor([uniforms[row] for row in sampled], dtype=torch.float64, device=logits.device)
    drawn = torch.searchsorted(reached, numbers[:, None] * reached[:, -1:], right=True)[:, 0]
    drawn = drawn.clamp(max=logits.shape[-1] - 1)
    tokens[rows] = drawn
    held = chances.sum(dim=-1, dtype=torch.float64)  # below 1 where the nucleus left something out
    logprobs[rows] = (chances.gather(-1, drawn[:, None])[:, 0].double() / held).log().float()
    return tokens, logprobs


def _within_nucleus(chances: torch.Tensor, top_p: torch.Tensor) -> torch.Tensor:
    ordered, order = chances.sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(dim=-1, dtype=torch.float64) - ordered
    return torch.zeros_like(chances).scatter(-1, order, ordered.where(before < top_p[:, None], 0.0))
