"""A trace: one attempt at a task by a policy that may answer more than once, with all that it was told.

What a policy is told comes from public tests alone. How an answer fares on hidden tests is found out after the
attempt has ended, and stands beside it for whoever measures. Locked tests have no part in attempts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from codeself.records.base import Record
from codeself.records.rollouts import FinishReason, PolicyIdentity
from codeself.records.verdicts import Candidate, Phase, Status, Verdict

Strategy = Literal[
    "self-debug",  # the next answer revises the last one, which is shown with what the public tests said of it
    "resample",  # the next answer is written from the task alone, like the first
]
STRATEGIES: tuple[Strategy, ...] = ("self-debug", "resample")

SubmitRule = Literal[
    "last",  # the last answer
    "first-public",  # the first that passes the public tests; the last where none does
    "most-public",  # the one that passes most public tests, the earliest of equals
]

Change = Literal[
    "first",  # there is no answer before it
    "unchanged",  # the same text
    "cosmetic",  # another text, the same syntax tree but for docstrings
    "substantive",
]

Ending = Literal[
    "passed",  # every public test passed
    "untested",  # the task has no public tests
    "revisions",  # none were left
    "tokens",  # fewer were left than one answer may take
    "executions",  # none were left
]


class Budget(Record):
    """What one attempt may use. revisions: answers after the first. tokens: written, prompts not counted.
    executions: runs of the public tests; an answer without a program takes none.
    """

    revisions: int = Field(ge=0)
    tokens: int = Field(ge=1)
    executions: int = Field(ge=1)


class PublicResult(Record):
    """What the public tests said of one answer.

    phase, status: of the phase that ended it. test: the number of the first test that failed, 0 where none is
    named. shown: that test as source. said: what happened, for people and policies, on one line.
    """

    phase: Phase
    status: Status
    passed: int = Field(default=0, ge=0)
    total: int = Field(default=0, ge=0)
    test: int = Field(default=0, ge=0)
    shown: str = ""
    said: str = ""


class Step(Record):
    """One answer, what it was written from, and what came of it.

    prompt: as it was sent. diff: to the program before it, as a unified diff. executed: whether public tests were
    run on it. decision: what the loop did next. correct: by the hidden tests, found
    out after the attempt had ended.
    """

    prompt: str
    prompt_name: str
    prompt_digest: str
    prompt_sha256: str
    prompt_tokens: int
    seed: int
    completion: str
    completion_tokens: int
    finish_reason: FinishReason
    candidate: Candidate
    change: Change
    diff: str
    executed: bool
    public: PublicResult
    decision: Literal["revise", "submit"]
    correct: bool = False


class Trace(Record):
    """One attempt, from the first answer to the one that was submitted.

    submitted: its place among the steps, from 0. tokens, executions: used. verdict: on the submitted answer.
    """

    trace_id: str
    task_id: str
    family: str
    policy: str
    identity: PolicyIdentity
    strategy: Strategy
    attempt: int = Field(ge=0)
    temperature: float
    top_p: float
    max_new_tokens: int
    budget: Budget
    rule: SubmitRule
    steps: tuple[Step, ...] = Field(min_length=1)
    ended: Ending
    submitted: int = Field(ge=0)
    prompt_tokens: int
    tokens: int
    executions: int
    verdict: Verdict

    @property
    def right(self) -> bool:
        """Whether the submission passes all public and hidden tests."""
        return self.verdict.correct


def place_submitted(results: Sequence[PublicResult], rule: SubmitRule) -> int:
    """The place of the answer that the rule submits, from the public results alone."""
    last = len(results) - 1
    if rule == "first-public":
        return next((place for place, result in enumerate(results) if result.status == "passed"), last)
    if rule == "most-public":
        return max(range(len(results)), key=lambda place: (results[place].passed, -place))
    return last
