"""Prompts from templates. A template sees what is public about a task and cannot see anything else.

A template is a Jinja2 file whose first line says its style, `{# style: completion #}` or `{# style: chat #}`.
In completion style it ends with `{{ task.opening }}`, which the policy continues; in chat style it is what
the user says, and the model's own chat template wraps it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from codeself.policies.backend import Prompt
from codeself.policies.openings import opening_of
from codeself.policies.showing import show_test
from codeself.records.digests import sha256_lines, sha256_text
from codeself.records.errors import InputError
from codeself.records.files import read_text
from codeself.records.rollouts import PromptStyle
from codeself.records.tasks import Task

_STYLE = re.compile(r"\s*\{#-?\s*style:\s*(\w+)\s*-?#\}")


@dataclass(frozen=True)
class PublicView:
    """What a template may show of a task. public_tests: as Python source, an assert each."""

    prompt: str
    entry_point: str
    starter_code: str
    opening: str
    public_tests: tuple[str, ...]


def public_view(task: Task) -> PublicView:
    return PublicView(
        prompt=task.prompt,
        entry_point=task.entry_point,
        starter_code=task.starter_code,
        opening=opening_of(task),
        public_tests=tuple(show_test(test, task.entry_point) for test in task.public_tests),
    )


@dataclass(frozen=True)
class Template:
    """A prompt template: its name, style and source. Its digest changes with any character of the source."""

    name: str
    style: PromptStyle
    source: str

    def digest(self, chat_template_sha256: str = "") -> str:
        """Of the template, and in chat style of the model's chat template too."""
        own = sha256_text(self.source)
        return sha256_lines([own, chat_template_sha256]) if self.style == "chat" else own

    def render(self, tasks: Sequence[Task], chat_template_sha256: str = "") -> list[Prompt]:
        """The prompt of each task. Raises InputError for a template that asks for what it may not see."""
        return self.fill([(task, {}) for task in tasks], chat_template_sha256)

    def fill(
        self, asked: Sequence[tuple[Task, Mapping[str, Any]]], chat_template_sha256: str = ""
    ) -> list[Prompt]:
        """A prompt for each task, with more that it is to show by name. Raises InputError as `render` does."""
        from jinja2 import StrictUndefined, TemplateError
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        digest = self.digest(chat_template_sha256)
        prompts = []
        views: dict[str, PublicView] = {}
        try:
            environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
            template = environment.from_string(self.source)
            for task, more in asked:
                if (view := views.get(task.task_id)) is None:
                    view = views[task.task_id] = public_view(task)
                text = template.render(task=view, **more)
                opening = view.opening if self.style == "completion" else ""
                if not text.endswith(opening):
                    raise InputError(
                        f"prompt template '{self.name}': the prompt of task '{task.task_id}' does not end"
                        " with task.opening; a completion must continue it"
                    )
                prompts.append(Prompt(self.name, self.style, digest, text, opening))
        except TemplateError as error:
            line = f", line {lineno}" if (lineno := getattr(error, "lineno", None)) else ""
            raise InputError(f"prompt template '{self.name}'{line}: {error}") from error
        return prompts


def load_template(path: Path) -> Template:
    """The template of a file. Raises InputError where the file does not say its style."""
    source = read_text(path)
    found = _STYLE.match(source)
    if found is None or found[1] not in get_args(PromptStyle):
        said = f"says style '{found[1]}'" if found else "does not say its style"
        raise InputError(
            f"{path}, line 1: {said}; expected the style, as {{# style: completion #}} or {{# style: chat #}}"
        )
    return Template(path.name.removesuffix(".j2"), "chat" if found[1] == "chat" else "completion", source)
