"""execute-rollouts: grade completions in the sandbox."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Isolation(StrEnum):
    none = "none"
    limits = "limits"
    restricted = "restricted"
    strict = "strict"


class Scan(StrEnum):
    off = "off"
    warn = "warn"
    block = "block"


def command(
    tasks: Annotated[Path, typer.Option(help="Canonical tasks, JSONL.")],
    rollouts: Annotated[Path, typer.Option(help="Rollouts to grade, JSONL.")],
    output: Annotated[Path, typer.Option(help="Verdicts, JSONL, one a rollout, in the same order.")],
    locked: Annotated[
        bool, typer.Option("--locked/--no-locked", help="Run the locked tests too: final evaluations only.")
    ] = False,
    isolation: Annotated[
        Isolation,
        typer.Option(help="Lowest level of isolation to accept; the highest that can be had is used."),
    ] = Isolation.limits,
    scan: Annotated[Scan, typer.Option(help="What a finding of the static scan does.")] = Scan.warn,
    cpu_seconds: Annotated[
        float, typer.Option(min=0.01, help="CPU time of each test phase, at most.")
    ] = 10.0,
    cpu_floor_seconds: Annotated[
        float, typer.Option(min=0.01, help="CPU time of each test phase that any candidate gets.")
    ] = 0.25,
    reference_factor: Annotated[
        float,
        typer.Option(min=1, help="In between, the multiple of the reference's own CPU time that is allowed."),
    ] = 20.0,
    wall_seconds: Annotated[
        float, typer.Option(min=0.01, help="Wall time of each test phase, waiting for a core left out.")
    ] = 30.0,
    memory_mb: Annotated[int, typer.Option(min=64, help="Memory beyond the bare interpreter's.")] = 512,
    output_kb: Annotated[int, typer.Option(min=1, help="Bytes printed.")] = 256,
    value_kb: Annotated[int, typer.Option(min=1, help="Size of one value handed to the tests.")] = 8192,
    processes: Annotated[int, typer.Option(min=1, help="Threads at a time.")] = 16,
    workers: Annotated[int, typer.Option(min=1, help="Judges side by side.")] = 2,
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
    from codeself.records.judging import JudgeConfig, Limits
    from codeself.records.rollouts import Rollout
    from codeself.records.tasks import read_tasks
    from codeself.rollouts.grading import grade
    from codeself.sandbox.pool import JudgePool

    if shard >= shards:
        raise InputError(f"--shard {shard}: must be below --shards {shards}; shards count from 0")
    config = JudgeConfig(
        isolation=isolation.value,
        scan=scan.value,
        limits=Limits(
            cpu_seconds=cpu_seconds,
            cpu_floor_seconds=cpu_floor_seconds,
            reference_factor=reference_factor,
            wall_seconds=wall_seconds,
            memory_mb=memory_mb,
            output_kb=output_kb,
            value_kb=value_kb,
            processes=processes,
        ),
    )
    chosen = read_records(rollouts, Rollout)[shard::shards]
    known = read_tasks(tasks)
    with JudgePool(config, workers) as pool:
        verdicts = grade(known, chosen, pool, locked=locked)
        write_records(output, track(verdicts, "judging", total=len(chosen)))
