"""Groups packed into one sequence: each prompt once, its completions side by side, none seeing another.

A completion's token attends to its prompt and to what stands before it in its own completion, at the positions it
had when it was written, so that its numbers are those of prompt and completion alone. A prompt of 48 tokens with
eight completions of 20 makes 208 columns where eight padded rows would make 544.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Packed:
    """tokens, positions: (1, columns). mask: (1, 1, columns, columns), True where a column sees another.

    predicting: (targets,), the column before each completion token; targets: (targets,), those tokens, completion
    after completion in the order given. lengths: of each completion, their sum being the number of targets.
    """

    tokens: torch.Tensor
    positions: torch.Tensor
    mask: torch.Tensor
    predicting: torch.Tensor
    targets: torch.Tensor
    lengths: tuple[int, ...]


def pack(groups: Sequence[tuple[Sequence[int], Sequence[Sequence[int]]]], device: torch.device) -> Packed:
    """groups: a prompt's tokens with its completions' tokens, none of them empty."""
    tokens: list[int] = []
    positions: list[int] = []
    segments: list[int] = []  # one number a prompt or completion
    parents: list[int] = []  # of a completion's columns: its prompt's segment; of a prompt's: its own
    predicting: list[int] = []
    targets: list[int] = []
    lengths: list[int] = []
    segment = -1
    for prompt, completions in groups:
        segment += 1
        start, root = len(tokens), segment
        tokens += prompt
        positions += range(len(prompt))
        segments += [root] * len(prompt)
        parents += [root] * len(prompt)
        for completion in completions:
            segment += 1
            # The last token predicts nothing that is scored, and is left out.
            first = len(tokens)
            written = completion[:-1]
            tokens += written
            positions += range(len(prompt), len(prompt) + len(written))
            segments += [segment] * len(written)
            parents += [root] * len(written)
            predicting += [start + len(prompt) - 1, *range(first, first + len(written))]
            targets += completion
            lengths.append(len(completion))
    own, root_of = (torch.tensor(column, device=device) for column in (segments, parents))
    columns = torch.arange(len(tokens), device=device)
    seen = (own[:, None] == own[None, :]) | (root_of[:, None] == own[None, :])
    mask = seen & (columns[None, :] <= columns[:, None])
    return Packed(
        tokens=torch.tensor([tokens], device=device),
        positions=torch.tensor([positions], device=device),
        mask=mask[None, None],
        predicting=torch.tensor(predicting, device=device),
        targets=torch.tensor(targets, device=device),
        lengths=tuple(lengths),
    )
