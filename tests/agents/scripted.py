"""Policies that do as they are told, and remember every prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from codeself.agents.running import Settings
from codeself.policies.backend import Completion, Policy, Progress, Request
from codeself.records.digests import sha256_text
from codeself.records.rollouts import PolicyIdentity
from codeself.records.traces import Budget

Answer = Callable[[Request, int], str]


class Scripted:
    """answer: the text of a request in a round, counted from 0. tokens: what it is said to have taken."""

    chunk = 1_000
    chat_template_sha256 = ""

    def __init__(self, answer: Answer, tokens: Callable[[Request], int] = lambda request: 10) -> None:
        self.identity = PolicyIdentity(backend="scripted", source="a test", digest="0")
        self.prompts: list[str] = []
        self.rounds = 0
        self._answer = answer
        self._tokens = tokens

    def complete(self, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        self.prompts += [request.prompt.text for request in requests]
        answers = []
        for request in requests:
            count = self._tokens(request)
            assert count <= request.max_new_tokens
            text = self._answer(request, self.rounds)
            answers.append(Completion(text, "stop", sha256_text(request.prompt.text), 5, tuple(range(count))))
        self.rounds += 1
        return answers


class Listening:
    """Any policy, its prompts remembered."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.identity = policy.identity
        self.chunk = policy.chunk
        self.chat_template_sha256 = policy.chat_template_sha256
        self.prompts: list[str] = []
        self.sizes: list[int] = []

    def complete(self, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        self.prompts += [request.prompt.text for request in requests]
        self.sizes.append(len(requests))
        return self._policy.complete(requests, progress)


def settings(**changes: object) -> Settings:
    given: dict[str, object] = {
        "strategy": "self-debug",
        "rule": "first-public",
        "budget": Budget(revisions=3, tokens=1_000, executions=4),
        "attempts": 1,
        "temperature": 0.8,
        "top_p": 1.0,
        "max_new_tokens": 64,
        "seed": 0,
    }
    return Settings(**(given | changes))  # type: ignore[arg-type]
