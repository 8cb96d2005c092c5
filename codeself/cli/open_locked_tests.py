"""open-locked-tests: lets one policy's answers meet locked tests, once, and writes down that it did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    tasks: Annotated[Path, typer.Option(help="Task set (JSONL).")],
    splits: Annotated[Path, typer.Option(help="Its split manifest.")],
    policy: Annotated[str, typer.Option(help="The policy's name in the records.")],
    rollouts: Annotated[
        list[Path], typer.Option(help="All its rollouts on the split; give it again for each shard.")
    ],
    output: Annotated[
        Path, typer.Option(help="Readings of these tests (JSON): what the file holds is kept, and added to.")
    ],
    times: Annotated[Path, typer.Option(help="When each was allowed (JSONL): added to as well.")],
    split: Annotated[str, typer.Option(help="The split that is judged.")] = "test",
    plan: Annotated[
        Path | None, typer.Option(help="The plan, where there is one: it must be older than what is judged.")
    ] = None,
    training: Annotated[Path | None, typer.Option(help="done.json of a trained policy.")] = None,
    further: Annotated[
        list[str] | None, typer.Option(help="Name of a further reading; each allows one. Give it again.")
    ] = None,
) -> None:
    """Allow the final evaluation of a policy to run locked tests on these answers, and on no others.

    It refuses a plan that the policy's training did not have, and a second reading with other answers, or under
    another plan, unless that is asked for by name.
    """
    from datetime import UTC, datetime

    from codeself.records.digests import sha256_file
    from codeself.records.errors import InputError
    from codeself.records.jsonl import read_record, read_records, write_record, write_records
    from codeself.records.locked_reads import LockedRead, LockedReads, ReadTime
    from codeself.records.plan import Plan
    from codeself.records.planned_training import require_plan
    from codeself.records.rollouts import Rollout
    from codeself.records.tasks import read_splits, read_tasks
    from codeself.rollouts.locked_tests import answers_digest, with_reading

    manifest = read_splits(splits, tasks)
    known = {str(name): ids for name, ids in manifest.task_ids.items()}
    if split not in known:
        raise InputError(f"--split: '{split}' is none of {', '.join(known)}")
    plan_sha256 = sha256_file(plan) if plan else ""
    if plan:
        planned = read_record(plan, Plan)
        if policy not in planned.policies:
            raise InputError(f"--policy: '{policy}' is none of {plan} ({', '.join(planned.policies)})")
        if policy not in planned.base_side.policies:
            if training is None:
                raise InputError(f"--training: is missing; '{policy}' is a trained policy of {plan}")
            require_plan(training, plan, plan_sha256)
    answers = [(path, rollout) for path in rollouts for rollout in read_records(path, Rollout)]
    if not answers:
        raise InputError("--rollouts: hold no answer; there is nothing to judge")
    here = set(known[split])
    for path, rollout in answers:
        if rollout.policy != policy or rollout.task_id not in here:
            raise InputError(
                f"{path}: rollout '{rollout.rollout_id}' is of policy '{rollout.policy}', task '{rollout.task_id}';"
                f" expected policy '{policy}', and a task of split '{split}'"
            )
    before = read_record(output, LockedReads) if output.exists() else None
    if before and (before.policy, before.taskset, before.split) != (policy, manifest.taskset, split):
        raise InputError(
            f"{output}: is of policy '{before.policy}', {before.taskset}, split {before.split}; expected"
            f" '{policy}', {manifest.taskset}, {split}"
        )
    read = LockedRead(
        answers=len(answers),
        answers_sha256=answers_digest(rollout for _, rollout in answers),
        rollouts=tuple(sha256_file(path) for path in rollouts),
        tests=sum(len(task.locked_tests) for task in read_tasks(tasks) if task.task_id in here),
        tasks_sha256=manifest.tasks_sha256,
        plan_sha256=plan_sha256,
        training_sha256=sha256_file(training) if training else "",
    )
    reads = with_reading(before, read, further or [])
    seen = read_records(times, ReadTime) if times.exists() else []
    new = before is None or len(reads) > len(before.reads)
    # A killed command may have written the time alone.
    if new and not any((row.number, row.answers_sha256) == (len(reads), read.answers_sha256) for row in seen):
        now = datetime.now(UTC).isoformat(timespec="seconds")
        seen.append(
            ReadTime(
                policy=policy,
                taskset=manifest.taskset,
                split=split,
                number=len(reads),
                answers_sha256=read.answers_sha256,
                time=now,
            )
        )
    write_records(times, seen)
    write_record(output, LockedReads(policy=policy, taskset=manifest.taskset, split=split, reads=reads))
