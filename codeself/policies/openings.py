"""The beginning of a program that a completion-style policy continues.

It is the task's starter code where there is some, up to its docstring's closing quotes and not the line end after
them: tokenizers join a line end with the indentation that follows, and a model that is given the one without the
other is lost. A task that only shows a test gets `def entry_point(`: the policy names the arguments.
"""

from __future__ import annotations

from codeself.records.tasks import Task


def opening_of(task: Task) -> str:
    """Text that every completion-style prompt of the task ends with, and that its completions continue."""
    return task.starter_code.rstrip() or f"def {task.entry_point}("


def joined(opening: str, text: str) -> tuple[str, str]:
    """The opening and its continuation, so that both together are the program, and the two can be told apart.

    A body that forgets the line end before it gets one; an open bracket is continued on its line.
    """
    return (opening, text) if opening.endswith("(") else (opening + "\n", text.removeprefix("\n"))
