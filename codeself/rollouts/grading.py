"""Rollouts in, verdicts out: parse each completion, grade the candidate, keep the order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from codeself.policies.parsing import parse_completion
from codeself.records.errors import InputError
from codeself.records.rollouts import Rollout
from codeself.records.tasks import Task
from codeself.records.verdicts import Verdict
from codeself.sandbox.pool import Job, JudgePool


def grade(
    tasks: Iterable[Task], rollouts: Sequence[Rollout], pool: JudgePool, *, locked: bool
) -> Iterator[Verdict]:
    """One verdict a rollout, in the rollouts' order.

    locked: whether the locked tests run too: only in a final evaluation.
    Raises InputError for a rollout of a task that is not among the tasks.
    """
    by_id = {task.task_id: task for task in tasks}
    for rollout in rollouts:
        if rollout.task_id not in by_id:
            raise InputError(
                f"rollout '{rollout.rollout_id}' is of task '{rollout.task_id}', which is not among the tasks"
            )
    return pool.verdicts(_jobs(by_id, rollouts, locked))


def _jobs(by_id: dict[str, Task], rollouts: Sequence[Rollout], locked: bool) -> Iterator[Job]:
    for rollout in rollouts:
        task = by_id[rollout.task_id]
        candidate = parse_completion(rollout.completion, task, rollout.prompt_style, rollout.finish_reason)
        yield Job(task, candidate, rollout.rollout_id, locked)
