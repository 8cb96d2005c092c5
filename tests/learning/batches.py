"""Small batches, and settings of practice, for tests of what learns from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from codeself.learning.arms import Paid
from codeself.learning.learner import Texts
from codeself.learning.objective import Targets
from codeself.learning.update import Group
from codeself.policies.backend import Completion, Prompt
from codeself.records.practice import PracticeConfig
from codeself.records.rollouts import FinishReason
from codeself.records.verdicts import ParseStatus, Status, Verdict


def settings(**changes: Any) -> PracticeConfig:
    """Three steps of four groups of four; a change of one part leaves the rest of it as it is."""
    small = {"arms": ["grpo"], "steps": 3, "prompts_per_step": 4, "samples": 4, "autocast": "none"}
    return PracticeConfig.model_validate(small | changes)


def prompt(text: str = "def f(x):") -> Prompt:
    # The opening's string keeps a completion from ending at a dedent, which random bytes would soon write.
    return Prompt("p", "completion", "d", text, 'f("""')


def completion(
    tokens: Sequence[int], logprobs: Sequence[float] | None = None, finish: FinishReason = "stop"
) -> Completion:
    made = tuple(logprobs) if logprobs is not None else (-1.0,) * len(tokens)
    return Completion("", finish, "", token_ids=tuple(tokens), logprobs=made)


def paid(rewards: Sequence[float], outcomes: Sequence[bool] | None = None) -> Paid:
    """outcomes: as the rewards say, where not given."""
    right = np.array(rewards) > 0 if outcomes is None else np.array(outcomes)
    return Paid(np.array(rewards, dtype=np.float64), right)


def answers_to(texts: Texts, paid: Paid) -> Group:
    """A group of one prompt: every sample is one completion."""
    return Group((texts,), (tuple(range(len(texts.completions))),), paid)


def targets(
    completions: Sequence[Completion], advantages: Sequence[float], weight: float | None = None
) -> list[Targets]:
    """One advantage a completion. weight: of each token; one over all tokens where not given."""
    each = weight if weight is not None else 1 / sum(len(c.token_ids) for c in completions)
    return [
        Targets(np.array(c.logprobs), np.full(len(c.token_ids), a), np.full(len(c.token_ids), each))
        for c, a in zip(completions, advantages, strict=True)
    ]


def verdict(
    correct: bool, status: Status | None = None, parsed: ParseStatus = "parsed", task_id: str = "t"
) -> Verdict:
    ended = status or ("passed" if correct else "failed")
    return Verdict.model_validate(
        {
            "task_id": task_id,
            "candidate": {"status": parsed, "program": "pass" if parsed == "parsed" else ""},
            "isolation": "limits",
            "phases": {"hidden": {"status": ended, "passed": int(correct), "total": 1}},
            "decided_by": "hidden",
            "status": ended,
            "correct": correct,
        }
    )
