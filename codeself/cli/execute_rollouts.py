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
    locked: Annotated[
        bool, typer.Option("--locked/--no-locked", help="Run the locked tests too: final evaluations only.")
    ] = False,
    shard: Annotated[
        int, typer.Option(min=0, help="Grade every SHARDS-th rollout, starting at this one.")
    ] = 0,
    shards: Annotated[int, typer.Option(min=1, help="Number of shards.")] = 1,
) -> None:
    """Parse each completion, run its candidate in the sandbox, and write the verdicts.

    The candidate runs in an isolated process; the tests run outside it. Interrupting loses nothing that was
    made before: the output appears whole or not at all.
    """
    from codeself.cli.progress import track
    from codeself.records.errors import InputError
    from codeself.records.jsonl import read_records, write_records
    from codeself.records.rollouts import Rollout
    from codeself.records.tasks import read_tasks
    from codeself.rollouts.grading import grade
    from codeself.sandbox.pool import JudgePool

    if shard >= shards:
        raise InputError(f"--shard {shard}: must be below --shards {shards}; shards count from 0")
    chosen = read_records(rollouts, Rollout)[shard::shards]
    known = read_tasks(tasks)
    with JudgePool(judge.config(), judge.workers) as pool:
        verdicts = grade(known, chosen, pool, locked=locked)
        write_records(output, track(verdicts, "judging", total=len(chosen)))
