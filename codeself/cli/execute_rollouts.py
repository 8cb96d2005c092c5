"""execute-rollouts: grade completions in the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codeself.cli.judging import (
    CPUFloorSeconds,
    CPUSeconds,
    Isolation,
    IsolationOption,
    MemoryMB,
    OutputKB,
    Processes,
    ReferenceFactor,
    Scan,
    ScanOption,
    ValueKB,
    WallSeconds,
    Workers,
    judge_config,
)


def command(
    tasks: Annotated[Path, typer.Option(help="Canonical tasks, JSONL.")],
    rollouts: Annotated[Path, typer.Option(help="Rollouts to grade, JSONL.")],
    output: Annotated[Path, typer.Option(help="Verdicts, JSONL, one a rollout, in the same order.")],
    locked: Annotated[
        bool, typer.Option("--locked/--no-locked", help="Run the locked tests too: final evaluations only.")
    ] = False,
    isolation: IsolationOption = Isolation.limits,
    scan: ScanOption = Scan.warn,
    cpu_seconds: CPUSeconds = 10.0,
    cpu_floor_seconds: CPUFloorSeconds = 0.25,
    reference_factor: ReferenceFactor = 20.0,
    wall_seconds: WallSeconds = 30.0,
    memory_mb: MemoryMB = 512,
    output_kb: OutputKB = 256,
    value_kb: ValueKB = 8192,
    processes: Processes = 16,
    workers: Workers = 2,
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
    config = judge_config(
        isolation,
        scan,
        cpu_seconds=cpu_seconds,
        cpu_floor_seconds=cpu_floor_seconds,
        reference_factor=reference_factor,
        wall_seconds=wall_seconds,
        memory_mb=memory_mb,
        output_kb=output_kb,
        value_kb=value_kb,
        processes=processes,
    )
    chosen = read_records(rollouts, Rollout)[shard::shards]
    known = read_tasks(tasks)
    with JudgePool(config, workers) as pool:
        verdicts = grade(known, chosen, pool, locked=locked)
        write_records(output, track(verdicts, "judging", total=len(chosen)))
