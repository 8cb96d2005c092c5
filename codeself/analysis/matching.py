"""Rollouts and their verdicts, brought together one to one, before anything is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from codeself.records.errors import InputError
from codeself.records.rollouts import Rollout
from codeself.records.tasks import Task
from codeself.records.verdicts import Verdict


@dataclass(frozen=True)
class Graded:
    """A rollout of a task, and what the judge found about it."""

    task: Task
    rollout: Rollout
    verdict: Verdict


def match(tasks: Sequence[Task], rollouts: Sequence[Rollout], verdicts: Sequence[Verdict]) -> list[Graded]:
    """Every rollout with its verdict, in the order of task, decoding and sample.

    Raises InputError, naming the ids, when a rollout or a verdict is missing, stands twice or is of another
    task; when rollouts of several policies or settings are mixed; or when tasks have unequal numbers of
    samples: each would bias a rate without a trace.
    """
    if not rollouts:
        raise InputError("the rollouts files hold no rollout; there is nothing to evaluate")
    _refuse_repeats("rollout", (rollout.rollout_id for rollout in rollouts))
    _refuse_repeats("verdict on rollout", (verdict.rollout_id for verdict in verdicts))
    by_id = {verdict.rollout_id: verdict for verdict in verdicts}
    known = {rollout.rollout_id for rollout in rollouts}
    if missing := [rollout.rollout_id for rollout in rollouts if rollout.rollout_id not in by_id]:
        raise InputError(
            f"{len(missing)} of {len(rollouts)} rollouts have no verdict ({_some(missing)}); every one must"
            " be judged before it is counted"
        )
    if strangers := [verdict.rollout_id for verdict in verdicts if verdict.rollout_id not in known]:
        raise InputError(
            f"{len(strangers)} verdicts are on rollouts that were not given ({_some(strangers)})"
        )
    task_of = {task.task_id: task for task in tasks}
    graded = []
    for rollout in rollouts:
        verdict = by_id[rollout.rollout_id]
        if rollout.task_id not in task_of:
            raise InputError(
                f"rollout '{rollout.rollout_id}' is of task '{rollout.task_id}', which the tasks file does"
                " not have"
            )
        if verdict.task_id != rollout.task_id:
            raise InputError(
                f"rollout '{rollout.rollout_id}' is of task '{rollout.task_id}', but its verdict is of task"
                f" '{verdict.task_id}'"
            )
        graded.append(Graded(task_of[rollout.task_id], rollout, verdict))
    _refuse_mixed_settings(rollouts)
    _refuse_unequal_counts(rollouts)
    return sorted(graded, key=lambda g: (g.task.task_id, g.rollout.decoding, g.rollout.sample))


def refuse_missing_tasks(graded: Iterable[Graded], expected: Iterable[str], split: str) -> None:
    """Raises InputError unless the graded tasks are exactly the split's."""
    found, wanted = {item.task.task_id for item in graded}, set(expected)
    if absent := sorted(wanted - found):
        raise InputError(
            f"{len(absent)} of the {len(wanted)} tasks of split '{split}' have no rollout"
            f" ({_some(absent)}); a rate over the rest is not the split's"
        )
    if others := sorted(found - wanted):
        raise InputError(f"{len(others)} tasks with rollouts are not in split '{split}' ({_some(others)})")


def _refuse_repeats(what: str, ids: Iterable[str]) -> None:
    if repeated := [name for name, count in Counter(ids).items() if count > 1]:
        others = f", as do {len(repeated) - 1} more" if len(repeated) > 1 else ""
        raise InputError(f"{what} '{repeated[0]}' stands more than once{others}; was a shard given twice?")


def _refuse_mixed_settings(rollouts: Sequence[Rollout]) -> None:
    for key in ("policy", "identity", "max_new_tokens", "prompt_name", "prompt_style", "prompt_digest"):
        _refuse_several(key, {str(getattr(rollout, key)): rollout.rollout_id for rollout in rollouts})
    sampled = [rollout for rollout in rollouts if rollout.decoding == "sampled"]
    for key in ("temperature", "top_p"):
        _refuse_several(key, {str(getattr(rollout, key)): rollout.rollout_id for rollout in sampled})


def _refuse_several(key: str, examples: Mapping[str, str]) -> None:
    if len(examples) > 1:
        (one, first), (other, second) = list(examples.items())[:2]
        raise InputError(
            f"rollouts differ in {key}: {one} ('{first}') and {other} ('{second}'); one evaluation is of"
            " one policy under one setting"
        )


def _refuse_unequal_counts(rollouts: Sequence[Rollout]) -> None:
    drawn = Counter((rollout.task_id, rollout.decoding) for rollout in rollouts)
    places = Counter((rollout.task_id, rollout.decoding, rollout.sample) for rollout in rollouts)
    (place, count), *_ = places.most_common(1)
    if count > 1:
        raise InputError(
            f"task '{place[0]}' has {count} {place[1]} rollouts of number {place[2]}; expected one"
        )
    task_ids = sorted({rollout.task_id for rollout in rollouts})
    for decoding in ("greedy", "sampled"):
        counts = {task_id: drawn[(task_id, decoding)] for task_id in task_ids}
        fewest, most = min(counts, key=lambda t: counts[t]), max(counts, key=lambda t: counts[t])
        if counts[fewest] != counts[most]:
            raise InputError(
                f"task '{fewest}' has {counts[fewest]} {decoding} rollouts and task '{most}' has"
                f" {counts[most]}; every task needs the same number (is a shard missing?)"
            )


def _some(names: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
