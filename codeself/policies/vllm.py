"""A language model run by vLLM on a GPU, from a folder that fetch-model made.

Every sampled completion has its own seed, handed to the engine with its request. What else is in a batch can change
a completion through the last bits of floating-point sums, and the engine decides what is in a batch: the same
requests give the same tokens only as far as its version, card and scheduling do.

The engine knows end tokens, and not the rule by which a completion is finished (codeself.policies.stopping). It
writes on, to the end of the budget at most, and what stands after the first finished token is cut off.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Read when vllm is imported. With the engine in this process, its schedule does not depend on the clock.
os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")

from codeself.policies.backend import Completion, Progress, Request
from codeself.policies.model_text import ModelText, checked_record
from codeself.policies.stopping import is_finished
from codeself.records.digests import sha256_text
from codeself.records.errors import InputError
from codeself.records.rollouts import FinishReason, PolicyIdentity

# The engine takes all at once; a killed run loses what it was asked last.
_CHUNK = 2048


class VLLMPolicy:
    """gpu_memory: the share of the GPU's memory that the engine may take."""

    def __init__(self, folder: Path, dtype: str, gpu_memory: float) -> None:
        try:
            import vllm
        except ImportError as error:
            raise InputError(
                f"backend vllm: vllm is not installed ({error}); pip install 'codeself[gpu]', or use backend"
                " transformers"
            ) from error
        record = checked_record(folder)
        self._text = ModelText(folder, record.chat_template_sha256)
        self._params: Any = vllm.SamplingParams
        self._engine: Any = vllm.LLM(
            model=str(folder),
            dtype=dtype,
            seed=0,
            gpu_memory_utilization=gpu_memory,
            # Of the distribution that is drawn from, after temperature and nucleus.
            logprobs_mode="processed_logprobs",
            enable_prefix_caching=True,
        )
        self.chunk = _CHUNK
        self.chat_template_sha256 = record.chat_template_sha256
        self.identity = PolicyIdentity(
            backend="vllm",
            source=f"{record.name}; {dtype}, vLLM {vllm.__version__}",
            digest=record.weights_sha256,
        )

    def complete(self, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        """One completion a request, in the order asked."""
        asked = [
            self._text.prompt_ids(request.prompt, request.task_id, request.max_new_tokens)
            for request in requests
        ]
        written = self._engine.generate(
            [{"prompt_token_ids": ids} for ids in asked],
            [self._parameters(request) for request in requests],
            use_tqdm=False,
        )
        completions = []
        for request, prompt_ids, answer in zip(requests, asked, written, strict=True):
            completions.append(self._completion(request, prompt_ids, answer.outputs[0]))
            progress(1)
        return completions

    def _parameters(self, request: Request) -> Any:
        greedy = request.decoding == "greedy"
        return self._params(
            temperature=0.0 if greedy else request.temperature,
            top_p=request.top_p,
            seed=None if greedy else request.seed,
            max_tokens=request.max_new_tokens,
            stop_token_ids=sorted(self._text.ends),
            logprobs=0,  # of the drawn token alone
            detokenize=False,
        )

    def _completion(self, request: Request, prompt_ids: list[int], output: Any) -> Completion:
        ids, reason = self._up_to_the_end(request, prompt_ids, list(output.token_ids))
        drawn = zip(ids, output.logprobs[: len(ids)], strict=True)
        chances = [of_place[token].logprob for token, of_place in drawn]
        return Completion(
            text=self._text.written(prompt_ids, ids),
            finish_reason=reason,
            prompt_sha256=sha256_text(self._text.as_read(request.prompt)),
            prompt_tokens=len(prompt_ids),
            token_ids=tuple(ids),
            logprobs=(0.0,) * len(ids) if request.decoding == "greedy" else tuple(map(float, chances)),
        )

    def _up_to_the_end(
        self, request: Request, prompt_ids: list[int], written: list[int]
    ) -> tuple[list[int], FinishReason]:
        """The tokens up to the first that finishes the completion, if one does."""
        for place, token in enumerate(written, start=1):
            ids = written[:place]
            if token in self._text.ends or is_finished(request.prompt, self._text.written(prompt_ids, ids)):
                return ids, "stop"
        return written, "length"
