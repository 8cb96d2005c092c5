"""execute-rollouts: grade completions in the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codeself.cli.judging import JudgeOptions
from codeself.cli.option_groups import with_option_groups


@with_option_groups
def command(
    tasks: Annotated[Path, typer.Option(help="Canonical tasks, JSONL.")],
    rollouts: Annotated[Path, typer.Option(help="Rollouts to grade, JSONL.")],
    output: Annotated[Path, typer.Option(help="Verdicts, JSONL, one a rollout, in the same order.")],
    judge: JudgeOptions,
    locked_reads: Annotated[
        Path | None,
        typer.Option(help="Run the locked tests too, as open-locked-tests allowed here: final evaluations."),
    ] = None,
    shard: Annotated[
        int, typer.Option(min=0, help="Grade every SHARDS-th rollout, starting at this one.")
    ] = 0,
    shards: Annotated[int, typer.Option(min=1, help="Number of shards.")] = 1,
) -> None:
    """Parse each completion, run its candidate in the sandbox, and write the verdicts.

    The candidate runs in an isolated process; the tests run outside it. Locked tests run only on answers for which
    that was written down before. Interrupting loses nothing that was made before: the output appears whole or not
    at all.
    """
    from codeself.cli.progress import track
    from codeself.records.digests import sha256_file
    from codeself.records.errors import InputError
    from codeself.records.jsonl import read_record, read_records, write_records
    from codeself.records.locked_reads import LockedReads
    from codeself.records.rollouts import Rollout
    from codeself.records.tasks import read_tasks
    from codeself.rollouts.grading import grade
    from codeself.rollouts.locked_tests import require_reading
    from codeself.sandbox.pool import JudgePool

    if shard >= shards:
        raise InputError(f"--shard {shard}: must be below --shards {shards}; shards count from 0")
    if locked_reads is not None:
        allowed = read_record(locked_reads, LockedReads)
        require_reading(allowed, str(locked_reads), sha256_file(rollouts), sha256_file(tasks))
    chosen = read_records(rollouts, Rollout)[shard::shards]
    known = read_tasks(tasks)
    with JudgePool(judge.config(), judge.workers) as pool:
        verdicts = grade(known, chosen, pool, locked=locked_reads is not None)
        write_records(output, track(verdicts, "judging", total=len(chosen)))
