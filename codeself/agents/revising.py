"""The prompt of a revision: a template like any prompt's, which sees the last answer and its public result too.

A template may use `task` (as every prompt template), `attempt` (the last answer's source) and `result`
(codeself.records.traces.PublicResult).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codeself.policies.backend import Prompt
from codeself.policies.openings import joined, opening_of
from codeself.policies.prompts import Template
from codeself.records.tasks import Task
from codeself.records.traces import PublicResult
from codeself.records.verdicts import Candidate


@dataclass(frozen=True)
class Observed:
    """An answer that is to be revised."""

    task: Task
    attempt: str
    result: PublicResult


def attempt_source(task: Task, candidate: Candidate, completion: str, style: str) -> str:
    """An answer as its author should see it again: the program, or what was written where there is none."""
    if candidate.program:
        return candidate.program.rstrip()
    text = "".join(joined(opening_of(task), completion)) if style == "completion" else completion
    return text.rstrip()


def render_revisions(
    template: Template, observed: Sequence[Observed], chat_template_sha256: str = ""
) -> list[Prompt]:
    """A prompt for each. Raises InputError for a template that asks for what it may not see."""
    shown = [(each.task, {"attempt": each.attempt, "result": each.result}) for each in observed]
    return template.fill(shown, chat_template_sha256)
