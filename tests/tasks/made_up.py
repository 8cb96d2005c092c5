"""Small tasks for tests."""

from __future__ import annotations

from typing import Any

from codeself.records.tasks import Task


def made_up(**changes: Any) -> Task:
    """A task that asks for `double`; any of its fields may be changed."""
    fields: dict[str, Any] = {
        "task_id": "mine/0",
        "family": "mine/0",
        "prompt": "Return twice the number.",
        "entry_point": "double",
        "public_tests": [{"args": [2], "expected": 4}],
        "hidden_tests": [{"args": [3], "expected": 6}, {"args": [-1], "expected": -2}],
        "locked_tests": [{"args": [100], "expected": 200}],
        "reference_solution": "def double(n):\n    return n * 2\n",
    }
    return Task.model_validate(fields | changes)
