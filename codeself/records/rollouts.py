"""A rollout: one completion, with everything needed to reproduce and to grade it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from codeself.records.base import Record

Decoding = Literal["greedy", "sampled"]
FinishReason = Literal["stop", "length"]
PromptStyle = Literal["completion", "chat"]


class PolicyIdentity(Record):
    """Which policy wrote a completion: its backend, its source as configured, a digest of its weights."""

    backend: str
    source: str
    digest: str


class Rollout(Record):
    """One completion.

    sample: 0 for the greedy answer, 0 to K-1 for sampled ones; (task_id, decoding, sample) is unique in a set.
    seed: of this completion's own random draws. finish_reason: "stop" at a stop rule or end token, "length"
    when the token budget ran out first.
    """

    rollout_id: str
    task_id: str
    policy: str
    identity: PolicyIdentity
    decoding: Decoding
    sample: int = Field(ge=0)
    seed: int
    temperature: float
    top_p: float
    max_new_tokens: int
    prompt_name: str
    prompt_style: PromptStyle
    prompt_digest: str
    prompt_sha256: str
    prompt_tokens: int
    completion: str
    completion_tokens: int
    finish_reason: FinishReason
