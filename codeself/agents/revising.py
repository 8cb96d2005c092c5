"""The prompt of a revision: a template like any prompt's, which sees the last answer and its public result too.

A template may use `task` (as every prompt template), `attempt` (the last answer's source) and `result`
(codeself.records.traces.PublicResult).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from codeself.policies.backend import Prompt, Request
from codeself.policies.openings import joined, opening_of
from codeself.policies.prompts import Template
from codeself.records.errors import InputError
from codeself.records.tasks import Task
from codeself.records.traces import PublicResult
from codeself.records.verdicts import Candidate

Asked = TypeVar("Asked")


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


def check_style(first: Template, revision: Template) -> None:
    """Raises InputError where a revision is asked for in another style than a first answer."""
    if revision.style != first.style:
        raise InputError(
            f"prompt template '{revision.name}' is in {revision.style} style, '{first.name}' in {first.style}"
            " style; expected a revision in the style of the first answer"
        )


def together(asked: Sequence[tuple[Asked, Request]]) -> list[tuple[Asked, Request]]:
    """The same, requests with equal prompts side by side: a prompt is then read once for all of them."""
    places: dict[str, int] = {}
    for _, request in asked:
        places.setdefault(request.prompt.text, len(places))
    return sorted(asked, key=lambda each: places[each[1].prompt.text])
