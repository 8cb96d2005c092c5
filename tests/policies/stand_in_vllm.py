"""Stands in for the module vllm where there is no GPU: the part of its interface that is used, on transformers.

Like the engine, it writes until an end token or the budget, knows no other rule, and draws from each request's seed.
A parameter that is not used here is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

__version__ = "0.0-stand-in"


@dataclass(frozen=True)
class SamplingParams:
    temperature: float
    top_p: float
    seed: int | None
    max_tokens: int
    stop_token_ids: list[int]
    logprobs: int
    detokenize: bool


@dataclass(frozen=True)
class Logprob:
    logprob: float


@dataclass
class CompletionOutput:
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[dict[int, Logprob]] = field(default_factory=list)


@dataclass(frozen=True)
class RequestOutput:
    outputs: list[CompletionOutput]


class LLM:
    made: ClassVar[list[dict[str, Any]]] = []
    asked: ClassVar[list[SamplingParams]] = []

    def __init__(self, model: str, **settings: Any) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        self.made.append(settings)
        self._model = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()

    def generate(
        self, prompts: Sequence[dict[str, list[int]]], params: Sequence[SamplingParams], use_tqdm: bool
    ) -> list[RequestOutput]:
        self.asked.extend(params)
        return [
            RequestOutput([self._write(prompt["prompt_token_ids"], each)])
            for prompt, each in zip(prompts, params, strict=True)
        ]

    def _write(self, prompt: list[int], params: SamplingParams) -> CompletionOutput:
        import torch

        draws = torch.Generator()
        if params.seed is not None:
            draws.manual_seed(params.seed)
        output = CompletionOutput()
        while len(output.token_ids) < params.max_tokens:
            with torch.no_grad():
                logits = self._model(torch.tensor([prompt + output.token_ids])).logits[0, -1]
            chances = torch.log_softmax(logits / (params.temperature or 1.0), dim=-1)
            drawn = (
                torch.multinomial(chances.exp(), 1, generator=draws)
                if params.temperature
                else logits.argmax()
            )
            token = int(drawn)
            output.token_ids.append(token)
            output.logprobs.append({token: Logprob(float(chances[token]))})
            if token in params.stop_token_ids:
                break
        return output
