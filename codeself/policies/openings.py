"""The beginning of a program that a completion-style policy continues.

It is the task's starter code where there is some, ending at its docstring's closing quotes and a line end. A
task that only shows a test gets `def entry_point(`: the policy names the arguments.
"""

from __future__ import annotations

from codeself.records.tasks import Task


def opening_of(task: Task) -> str:
    """Text that every completion-style prompt of the task ends with, and that its completions continue."""
    if task.starter_code.strip():
        return task.starter_code.rstrip() + "\n"
    return f"def {task.entry_point}("
