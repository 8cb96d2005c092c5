"""A language model run by the transformers library, from a folder that fetch-model made.

Completions are written side by side in the slots of one batch. A prompt is read once for all of its samples; a slot
whose completion is finished takes the next one. Every completion draws from its own seed: what else is in the batch
can change it only through the last bits of floating-point sums. The same requests on the same machine with the same
settings give the same tokens.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# A folder is all that is needed; without this the library may ask a hub about it. Read when it is imported.
os.environ["HF_HUB_OFFLINE"] = "1"
# Without this, products on a GPU may differ from run to run. Read when the GPU is first used.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import numpy as np
import torch
import transformers
from transformers import DynamicCache

from codeself.policies.backend import Completion, Progress, Prompt, Request
from codeself.policies.model_text import ModelText, checked_record
from codeself.policies.precision import device_of, number_format
from codeself.policies.slots import SlotCache
from codeself.policies.stopping import is_finished
from codeself.policies.token_draws import draw_tokens, uniform_numbers
from codeself.records.digests import sha256_text
from codeself.records.rollouts import FinishReason, PolicyIdentity

# Requests in a chunk, at least, and in batches: a killed run loses a chunk, about a minute of a small model's work on
# one core; but a batch runs empty at a chunk's end, so that smaller chunks waste more.
_CHUNK = 256
_BATCHES = 4
# The share of slots in use below which the others are dropped: doing so copies the cache.
_EMPTY_ENOUGH = 0.75


@dataclass(frozen=True)
class _Reading:
    """A prompt that the model has read."""

    prompt: Prompt
    ids: list[int]
    cache: Any
    logits: torch.Tensor  # (1, vocabulary): of the first token


@dataclass
class _Row:
    """A completion being written."""

    index: int
    request: Request
    reading: _Reading
    uniforms: np.ndarray
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)

    @property
    def position(self) -> int:
        """The column of the last token that was drawn."""
        return len(self.reading.ids) + len(self.ids) - 1


class TransformersPolicy:
    def __init__(self, folder: Path, dtype: str, device: str, threads: int, batch_size: int) -> None:
        record = checked_record(folder)
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(True)
        # Memory that is not written before it is read would be a bug here; filling all of it costs a fifth of training.
        torch.utils.deterministic.fill_uninitialized_memory = False
        self._folder = folder
        self._device = device_of(device)
        self.text = ModelText(folder, record.chat_template_sha256)
        number = number_format(dtype, self._device)
        self.model: Any = self.load(number)
        # The library renamed this argument in the course of version 5.
        names = inspect.signature(self.model.forward).parameters
        self._cache_argument = "cache" if "cache" in names else "past_key_values"
        self._batch_size = batch_size
        self.chunk = max(_CHUNK, _BATCHES * batch_size)
        self.chat_template_sha256 = record.chat_template_sha256
        self.identity = PolicyIdentity(
            backend="transformers",
            source=f"{record.name}; {str(number).removeprefix('torch.')} on {self._device.type}, {threads} thread(s),"
            f" batches of {batch_size}",
            digest=record.weights_sha256,
        )

    def load(self, dtype: torch.dtype) -> Any:
        """The folder's model, in this format, on this policy's device."""
        model: Any = transformers.AutoModelForCausalLM.from_pretrained(
            self._folder, dtype=dtype, attn_implementation="sdpa"
        )
        return model.to(self._device).eval()

    def complete(self, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        """One completion a request. Requests with the same prompt should stand together."""
        asked = dict.fromkeys((each.prompt, each.task_id, each.max_new_tokens) for each in requests)
        ids = {prompt: self.text.prompt_ids(prompt, task_id, new) for prompt, task_id, new in asked}
        completions: dict[int, Completion] = {}
        with torch.inference_mode():
            for row, reason in self._write(requests, ids):
                completions[row.index] = Completion(
                    text=self.text.written(row.reading.ids, row.ids),
                    finish_reason=reason,
                    prompt_sha256=sha256_text(self.text.as_read(row.request.prompt)),
                    prompt_tokens=len(row.reading.ids),
                    token_ids=tuple(row.ids),
                    logprobs=tuple(row.logprobs),
                )
                progress(1)
        return [completions[index] for index in range(len(requests))]

    def _write(
        self, requests: Sequence[Request], ids: dict[Prompt, list[int]]
    ) -> Iterator[tuple[_Row, FinishReason]]:
        """The finished rows, in the order they finish."""
        size = min(self._batch_size, len(requests))
        columns = max((len(ids[request.prompt]) + request.max_new_tokens for request in requests), default=0)
        cache = SlotCache(self.model.config.num_hidden_layers, size, columns)
        slots: list[_Row | None] = [None] * size
        started = self._start(requests, ids)
        waiting = next(started, None)
        while True:
            for slot in range(size):
                while slots[slot] is None and waiting is not None:
                    row, waiting = waiting, next(started, None)
                    if reason := self._add(row, *self._draw([row], row.reading.logits)[0]):
                        yield row, reason
                    else:
                        cache.fill(slot, row.reading.cache)
                        slots[slot] = row
            active = [slot for slot, row in enumerate(slots) if row is not None]
            if not active:
                return
            if len(active) <= _EMPTY_ENOUGH * size:
                cache.keep(torch.tensor(active, device=self._device))
                slots = [slots[slot] for slot in active]
                size = len(active)
                active = list(range(size))
            logits = self._step(slots, cache)
            rows = [row for row in slots if row is not None]
            tokens = self._draw(rows, logits if len(rows) == size else logits[active])
            for slot, row, token in zip(active, rows, tokens, strict=True):
                if reason := self._add(row, *token):
                    slots[slot] = None
                    yield row, reason

    def _start(self, requests: Sequence[Request], ids: dict[Prompt, list[int]]) -> Iterator[_Row]:
        """A row a request, its prompt read; the prompt is read again only when it is another one."""
        reading: _Reading | None = None
        for index, request in enumerate(requests):
            if reading is None or reading.prompt != request.prompt:
                reading = self._read(request.prompt, ids[request.prompt])
            yield _Row(index, request, reading, uniform_numbers(request.seed, request.max_new_tokens))

    def _read(self, prompt: Prompt, ids: list[int]) -> _Reading:
        cache = DynamicCache()
        tokens = torch.tensor([ids], device=self._device)
        logits = self.model(tokens, use_cache=True, logits_to_keep=1, **{self._cache_argument: cache}).logits[
            :, -1
        ]
        return _Reading(prompt, ids, cache, logits)

    def _step(self, slots: Sequence[_Row | None], cache: SlotCache) -> torch.Tensor:
        """One more position in every slot; an empty slot goes along unread. Returns (slots, vocabulary)."""
        last = [(row.ids[-1], row.position) if row else (0, 0) for row in slots]
        tokens, positions = torch.tensor(last, device=self._device).unbind(1)
        mask = cache.at(positions)
        return self.model(
            tokens[:, None],
            attention_mask=mask,
            position_ids=positions[:, None],
            use_cache=True,
            **{self._cache_argument: cache},
        ).logits[:, -1]

    def _draw(self, rows: Sequence[_Row], logits: torch.Tensor) -> list[tuple[int, float]]:
        requests = [row.request for row in rows]
        tokens, logprobs = draw_tokens(
            logits,
            [request.temperature for request in requests],
            [request.top_p for request in requests],
            [float(row.uniforms[len(row.ids)]) for row in rows],
        )
        return list(zip(tokens.tolist(), logprobs.tolist(), strict=True))

    def _add(self, row: _Row, token: int, logprob: float) -> FinishReason | None:
        """Take the token into the row. Returns why the row is finished, if it is."""
        row.ids.append(token)
        row.logprobs.append(logprob)
        written = self.text.written(row.reading.ids, row.ids)
        if token in self.text.ends or is_finished(row.request.prompt, written):
            return "stop"
        return "length" if len(row.ids) == row.request.max_new_tokens else None
