"""What every backend offers, and the data that goes in and out.

A backend is one module with a class that has these attributes. It is asked for many completions at once and
answers in the order asked. A backend with weights never sees a task, only its prompt; those without weights
(mock, static) are given the tasks when they are made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from codeself.records.rollouts import Decoding, FinishReason, PolicyIdentity, PromptStyle

Progress = Callable[[int], None]  # called with the number of completions that have just been finished


@dataclass(frozen=True)
class Prompt:
    """A rendered template. opening: in completion style, the end of text, which the completion continues."""

    name: str
    style: PromptStyle
    digest: str
    text: str
    opening: str = ""


@dataclass(frozen=True)
class Request:
    """One completion to write. A greedy one has temperature 0."""

    task_id: str
    prompt: Prompt
    decoding: Decoding
    sample: int
    seed: int
    temperature: float
    top_p: float
    max_new_tokens: int


@dataclass(frozen=True)
class Completion:
    """What was written. prompt_sha256: of the text as the model read it, with its chat turn's markers.

    token_ids: what the model drew, the end token included, or the mock's decisions; empty for a backend without
    either. logprobs: of each of them, the logarithm of the chance with which it was drawn; 0 in a greedy answer.
    """

    text: str
    finish_reason: FinishReason
    prompt_sha256: str
    prompt_tokens: int = 0
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()


class Policy(Protocol):
    """A backend, ready to write.

    chunk: how many requests it is best asked at a time; of a killed run, the finished chunks are kept.
    chat_template_sha256: of the template that wraps a chat prompt, empty where there is none.
    """

    identity: PolicyIdentity
    chunk: int
    chat_template_sha256: str

    def complete(self, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        """One completion a request, in the order asked."""
        ...
