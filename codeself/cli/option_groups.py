"""Options that several commands share, declared once.

A group is a dataclass whose fields are options, annotated as a command's parameters are. A command that takes one, and
is marked `with_option_groups`, has all of its options on the command line and gets them as one object.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_type_hints


def with_option_groups(command: Callable[..., None]) -> Callable[..., None]:
    """The command with each group's options in its place. They can be given by keyword alone."""
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, type] = {
        name: each.annotation
        for name, each in signature.parameters.items()
        if isinstance(each.annotation, type) and is_dataclass(each.annotation)
    }
    options: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        options += _options_of(groups[name]) if name in groups else [_by_keyword(parameter)]

    @functools.wraps(command)
    def grouped(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(
                **{each.name: given.pop(each.name) for each in fields(group) if each.name in given}
            )
        command(**given)

    grouped.__signature__ = signature.replace(parameters=options)  # type: ignore[attr-defined]
    grouped.__annotations__ = {option.name: option.annotation for option in options}
    return grouped


def _options_of(group: type) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if each.default is MISSING else each.default,
            annotation=hints[each.name],
        )
        for each in fields(group)
    ]


def _by_keyword(parameter: inspect.Parameter) -> inspect.Parameter:
    return parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
