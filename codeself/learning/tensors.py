"""Scores and targets between numpy, in which steps are settled, and torch, in which models compute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from codeself.learning.objective import Scores, Targets


def to_numpy(scores: Scores) -> Scores:
    """float64, without a gradient."""

    def column(tensor: Any) -> Any:
        return None if tensor is None else tensor.detach().double().cpu().numpy()

    return Scores(column(scores.logprobs), column(scores.entropy), column(scores.values))


def to_tensors(targets: Targets, device: torch.device) -> Targets:
    """float32, on the device."""
    columns = {
        name: None if column is None else torch.tensor(column, dtype=torch.float32, device=device)
        for name, column in vars(targets).items()
    }
    return Targets(**columns)


def split(scores: Scores, lengths: Sequence[int]) -> Iterator[Scores]:
    """The scores of each completion, of which there are so many tokens one after another."""
    edges = np.cumsum(lengths)[:-1]
    columns = [np.split(column, edges) for column in (scores.logprobs, scores.entropy)]
    values = [None] * len(lengths) if scores.values is None else np.split(scores.values, edges)
    for logprobs, entropy, value in zip(*columns, values, strict=True):
        yield Scores(logprobs, entropy, value)
