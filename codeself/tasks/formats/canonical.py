"""Your own tasks: JSON Lines of the canonical record (workflow/schemas/task.schema.json), .gz accepted."""

from __future__ import annotations

from pathlib import Path

from codeself.records.tasks import Task, read_tasks


def load_canonical(path: Path, name: str) -> list[Task]:
    """The tasks of a canonical file; those that name no origin get the task set's name."""
    return [task if task.origin else task.model_copy(update={"origin": name}) for task in read_tasks(path)]
