"""Next tokens from logits. Each row's draw depends on its own logits and its own number from [0, 1) alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

_BLOCK = 256


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
    numbers = torch.tensor([uniforms[row] for row in sampled], dtype=torch.float64, device=logits.device)
    drawn, held = _where_reached(chances, numbers)
    tokens[rows] = drawn
    # held is below 1 where the nucleus left something out.
    logprobs[rows] = (chances.gather(-1, drawn[:, None])[:, 0].double() / held).log().float()
    return tokens, logprobs


def _where_reached(chances: torch.Tensor, numbers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Where the distribution function of each row reaches its number, from [0, 1), of all that the row holds.

    chances: (rows, vocabulary); numbers: (rows,). Returns the places and what each row holds, both (rows,). Summed in
    double precision, as 50,000 terms of single precision would shift the tail; block by block, and then only within
    the block that holds the place, as running sums are slow.
    """
    rows, size = chances.shape
    blocks = torch.nn.functional.pad(chances, (0, -size % _BLOCK)).view(rows, -1, _BLOCK)
    ends = blocks.sum(dim=-1, dtype=torch.float64).cumsum(dim=-1)
    held = ends[:, -1].clone()
    wanted = (numbers * held)[:, None]
    # Rounded up to all that is held, a number would lie behind the last block that holds anything.
    last = torch.searchsorted(ends, held[:, None])
    block = torch.minimum(torch.searchsorted(ends, wanted, right=True), last)
    before = torch.where(block > 0, ends.gather(1, (block - 1).clamp(min=0)), 0.0)
    inside = blocks.gather(1, block[:, :, None].expand(-1, -1, _BLOCK))[:, 0]
    reached = before + inside.cumsum(dim=-1, dtype=torch.float64)
    place = torch.searchsorted(reached, wanted, right=True)
    # By rounding, a block's last sum can fall short of where the next begins: then it is its last likely token.
    likely = _BLOCK - 1 - (inside > 0).flip(-1).int().argmax(dim=-1, keepdim=True)
    return (block * _BLOCK + torch.minimum(place, likely))[:, 0], held


def _within_nucleus(chances: torch.Tensor, top_p: torch.Tensor) -> torch.Tensor:
    ordered, order = chances.sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(dim=-1, dtype=torch.float64) - ordered
    return torch.zeros_like(chances).scatter(-1, order, ordered.where(before < top_p[:, None], 0.0))
