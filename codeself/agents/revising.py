"""The prompt of a revision: a template like any prompt's, which sees the last answer and its public result too.

A template may use `task` (as every prompt template), `attempt` (the last answer's source) and `result`
(codeself.records.traces.PublicResult).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codeself.policies.backend import Prompt
from codeself.policies.openings import joined, opening_of
from codeself.policies.prompts import PublicView, Template, public_view
from codeself.records.errors import InputError
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
    from jinja2 import Environment, StrictUndefined, TemplateError

    digest = template.digest(chat_template_sha256)
    prompts = []
    views: dict[str, PublicView] = {}
    try:
        page = Environment(undefined=StrictUndefined, autoescape=False).from_string(template.source)
        for each in observed:
            view = views.setdefault(each.task.task_id, public_view(each.task))
            text = page.render(task=view, attempt=each.attempt, result=each.result)
            opening = view.opening if template.style == "completion" else ""
            if not text.endswith(opening):
                raise InputError(
                    f"prompt template '{template.name}': the prompt of task '{each.task.task_id}' does not end"
                    " with task.opening; a completion must continue it"
                )
            prompts.append(Prompt(template.name, template.style, digest, text, opening))
    except TemplateError as error:
        line = f", line {lineno}" if (lineno := getattr(error, "lineno", None)) else ""
        raise InputError(f"prompt template '{template.name}'{line}: {error}") from error
    return prompts
