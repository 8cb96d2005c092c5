"""Locked tests are read once a policy, in the final evaluation. Another reading has to be asked for by name.

A reading is written down before the tests run, and the judge of the final evaluation runs them on those answers alone.
The same answers, judged again for the same plan, show nothing new and are the same reading. Other answers, another task
file, or a plan that was made after the first look, are another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from codeself.records.digests import sha256_lines, sha256_text
from codeself.records.errors import InputError
from codeself.records.locked_reads import LockedRead, LockedReads
from codeself.records.rollouts import Rollout


def answers_digest(rollouts: Iterable[Rollout]) -> str:
    """Of a policy's answers: the same in whatever files and order they come."""
    return sha256_lines(sorted(f"{each.rollout_id}\t{sha256_text(each.completion)}" for each in rollouts))


def with_reading(
    before: LockedReads | None, read: LockedRead, names: Sequence[str]
) -> tuple[LockedRead, ...]:
    """All readings, once this one is allowed. before: those until here. names: of further ones, as asked for.

    Each name allows one. Raises InputError where none of them is left.
    """
    if before is None or not before.last.tests:
        return (read,)
    if read.same_as(before.last):
        # The same answers may come in other files.
        return (*before.reads[:-1], read.model_copy(update={"name": before.last.name}))
    free = [name for name in names if name not in before.further]
    if not free:
        raise InputError(_refusal(before, read))
    return (*before.reads, read.model_copy(update={"name": free[0]}))


def require_reading(reads: LockedReads, where: str, rollouts_sha256: str, tasks_sha256: str) -> None:
    """Raises InputError unless the last reading is of this file of rollouts and this task file. where: its file."""
    last = reads.last
    if tasks_sha256 != last.tasks_sha256:
        raise InputError(
            f"{where}: is of another task file ({last.tasks_sha256[:12]}…, not {tasks_sha256[:12]}…); open its locked"
            " tests first"
        )
    if rollouts_sha256 not in last.rollouts:
        raise InputError(
            f"{where}: allows no reading of locked tests with these rollouts ({rollouts_sha256[:12]}…), which are none"
            f" of its {len(last.rollouts)} files of policy '{reads.policy}'; open the locked tests to them first"
        )


def _refusal(before: LockedReads, read: LockedRead) -> str:
    last = before.last
    if read.answers_sha256 != last.answers_sha256:
        other = f"these answers are others ({read.answers_sha256[:12]}…, not {last.answers_sha256[:12]}…)"
    elif read.tasks_sha256 != last.tasks_sha256:
        other = "the task file has changed since"
    else:
        other = "this plan was made after that"
    used = f" (used: {', '.join(before.further)})" if before.further else ""
    return (
        f"the locked tests of {before.taskset}, split {before.split}, have been read with answers of policy"
        f" '{before.policy}', and {other}. They are read once a policy: give another experiment a results folder of its"
        f" own, or name this reading under locked_reads in the config, and the reports will print it{used}"
    )
