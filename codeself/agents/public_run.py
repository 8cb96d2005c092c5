"""Answers run on public tests, and on no other: what is found is all that their author may be told."""

from __future__ import annotations

from collections.abc import Sequence

from codeself.policies.backend import Completion, Request
from codeself.policies.parsing import parse_completion
from codeself.records.tasks import Task
from codeself.records.verdicts import Verdict
from codeself.sandbox.pool import Job, JudgePool


def run_public(answered: Sequence[tuple[Task, Request, Completion]], pool: JudgePool) -> list[Verdict]:
    """A verdict for each, its candidate in it. Tasks: as `feedback.public_task` leaves them."""
    jobs = [
        Job(task, parse_completion(completion.text, task, request.prompt.style, completion.finish_reason))
        for task, request, completion in answered
    ]
    return list(pool.verdicts(jobs))
