"""How answers ended, task by task, and what a gain is made of: formatting repaired, or tasks solved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codeself.analysis.evaluation import is_right
from codeself.analysis.matching import Graded
from codeself.records.metrics import TestKind
from codeself.records.rollouts import Decoding

Array = NDArray[np.float64]

# From the least to the most that an answer can do.
ENDINGS = (
    "no program",
    "bad syntax",
    "refused",
    "over limits",
    "raises",
    "wrong: public",
    "wrong: hidden",
    "wrong: locked",
    "right",
)
FORMATTING = (0, 1)  # what an answer may fail by before a line of it runs
RIGHT = len(ENDINGS) - 1


@dataclass(frozen=True)
class TaskEndings:
    """One task's answers of one policy. shares: (endings,) adding up to 1. passed: shares that pass all tests up
    to public, hidden and locked ones; None where the task has none of that kind or they were not run.
    """

    shares: Array
    passed: dict[str, float | None]


def ending(item: Graded, tests: TestKind) -> int:
    """The place in ENDINGS of one answer, judged by one kind of tests."""
    verdict = item.verdict
    if is_right(item, tests):
        return RIGHT
    phase, status = verdict.decided_by, verdict.status
    if phase == "parse":
        reason = verdict.candidate.status
        return 1 if reason == "invalid_syntax" else 0
    if phase == "syntax":
        return 1
    if phase == "scan" or status == "refused":
        return 2
    if status in ("timeout", "memory", "output", "crashed"):
        return 3
    if phase == "import" or status == "error":
        return 4
    return {"public": 5, "hidden": 6}.get(phase, 7)


def endings_by_task(graded: Sequence[Graded], tests: TestKind, decoding: Decoding) -> dict[str, TaskEndings]:
    """For each task with such answers. graded: of one policy, without infrastructure faults."""
    by_task: dict[str, list[Graded]] = {}
    for item in graded:
        if item.rollout.decoding == decoding:
            by_task.setdefault(item.task.task_id, []).append(item)
    found = {}
    for task_id, items in by_task.items():
        places = [ending(item, tests) for item in items]
        shares = np.bincount(places, minlength=len(ENDINGS)) / len(items)
        task = items[0].task
        passed: dict[str, float | None] = {
            "public": _share(item.verdict.phases["public"].status == "passed" for item in items)
            if task.public_tests
            else None,
            "hidden": _share(item.verdict.correct for item in items),
            "locked": _share(is_right(item, "locked") for item in items)
            if task.locked_tests and tests == "locked"
            else None,
        }
        found[task_id] = TaskEndings(shares, passed)
    return found


def transition_shares(before: Array, after: Array) -> Array:
    """(tasks, endings) twice in; (endings, endings) out: the chance of each pair of endings of two answers to the
    same task, one from each side, averaged over tasks.
    """
    return np.asarray(np.einsum("ti,tj->ij", before, after) / len(before))


def gain_by_origin(before: Array, after: Array) -> tuple[Array, Array]:
    """Each task's gain, taken apart: the part from formatting failures turned right, less the reverse, and the part
    from other failures. (tasks, endings) twice in; two (tasks,) out. They add up to the gain.
    """
    formatting = list(FORMATTING)
    solving = [place for place in range(RIGHT) if place not in FORMATTING]
    turned = [
        before[:, group].sum(axis=1) * after[:, RIGHT] - before[:, RIGHT] * after[:, group].sum(axis=1)
        for group in (formatting, solving)
    ]
    return turned[0], turned[1]


def _share(yes: object) -> float:
    return float(np.mean(list(yes)))  # type: ignore[call-overload]
