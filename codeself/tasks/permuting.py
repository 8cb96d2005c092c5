"""A task with its examples in another order: the same problem, to ask whether a gain survives it.

Each example moves one place on, in the docstring and among the public tests; the last comes first. Hidden and locked
tests stay as they are.
"""

from __future__ import annotations

import re

from codeself.records.errors import InputError
from codeself.records.tasks import Task

# A line with a prompt, its continuations, and what is shown below until a gap, the next prompt or the docstring's end.
_EXAMPLE = re.compile(
    r"""^[ \t]*>>>[ ].*(?:\n[ \t]*\.\.\..*)*(?:\n(?![ \t]*(?:>>>|\"{3}|'{3}))[ \t]*\S.*)*""", re.MULTILINE
)


def permuted(task: Task) -> Task:
    """The task with its public examples moved on by one place.

    Examples in a prompt or docstring are moved where they are written as doctests. Raises InputError for a task with
    fewer than two: it has one order alone.
    """
    if len(task.public_tests) < 2:
        raise InputError(
            f"task '{task.task_id}': its public examples are {len(task.public_tests)}; expected two or more, as one has"
            " no other order (tasks of format families show as many as examples says)"
        )
    return task.model_copy(
        update={
            "prompt": _moved_on(task.prompt),
            "starter_code": _moved_on(task.starter_code),
            "reference_solution": _moved_on(task.reference_solution),
            "wrong_variants": tuple(map(_moved_on, task.wrong_variants)),
            "public_tests": (task.public_tests[-1], *task.public_tests[:-1]),
            "metadata": {**task.metadata, "permuted": True},
        }
    )


def _moved_on(text: str) -> str:
    """The text with each doctest example in the next one's place. What stands between them stays."""
    blocks = [match.group() for match in _EXAMPLE.finditer(text)]
    moved = iter([*blocks[-1:], *blocks[:-1]])
    return _EXAMPLE.sub(lambda _: next(moved), text)
