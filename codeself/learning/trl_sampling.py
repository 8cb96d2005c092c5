"""Completions for TRL's trainer, from transformers' own `generate`, with this project's prompts and stop rule.

TRL takes a function that samples (`rollout_func`), and asks it for the tokens. A completion ends where ours do: at an
end token, or where nothing that follows would be used. `generate` itself goes on until the last row has ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

from codeself.policies.backend import Prompt
from codeself.policies.model_text import ModelText
from codeself.policies.stopping import is_finished
from codeself.records.rollouts import FinishReason


@dataclass(frozen=True)
class Written:
    """A completion: the prompt's tokens, its own, and what they say."""

    prompt_ids: list[int]
    ids: list[int]
    text: str
    finish_reason: FinishReason


def generate(
    model: Any, text: ModelText, asked: Sequence[tuple[Prompt, list[int]]], config: GenerationConfig
) -> list[Written]:
    """One completion for each prompt and its tokens, all in one batch. Draws from torch's own generator."""
    width = max(len(ids) for _, ids in asked)
    filler = config.pad_token_id
    tokens = torch.tensor([[filler] * (width - len(ids)) + ids for _, ids in asked], device=model.device)
    mask = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for _, ids in asked], device=model.device)
    ending = _AtOurEnd(text, asked, width)
    with torch.no_grad():
        written = model.generate(
            input_ids=tokens,
            attention_mask=mask,
            generation_config=config,
            stopping_criteria=StoppingCriteriaList([ending]),
        )[:, width:].tolist()
    completions = []
    for (_, prompt_ids), row, length in zip(asked, written, ending.lengths, strict=True):
        ids = row[:length] if length else row
        completions.append(
            Written(prompt_ids, ids, text.written(prompt_ids, ids), "stop" if length else "length")
        )
    return completions


class _AtOurEnd(StoppingCriteria):
    """lengths: how many tokens each row had when it ended; 0 while it has not."""

    def __init__(self, text: ModelText, asked: Sequence[tuple[Prompt, list[int]]], width: int) -> None:
        self._text = text
        self._asked = asked
        self._width = width
        self.lengths = [0] * len(asked)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        rows = input_ids[:, self._width :].tolist()
        for row, (prompt, prompt_ids) in enumerate(self._asked):
            if not self.lengths[row] and self._has_ended(prompt, prompt_ids, rows[row]):
                self.lengths[row] = len(rows[row])
        return torch.tensor([length > 0 for length in self.lengths], device=input_ids.device)

    def _has_ended(self, prompt: Prompt, prompt_ids: list[int], ids: list[int]) -> bool:
        return ids[-1] in self._text.ends or is_finished(prompt, self._text.written(prompt_ids, ids))
