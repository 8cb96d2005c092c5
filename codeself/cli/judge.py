"""judge: a long-running co-process that grades candidates for any trainer, in any language."""

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
    tasks: Annotated[
        Path | None, typer.Option(help="Canonical tasks, JSONL, that a line may name by their task_id.")
    ] = None,
    locked: Annotated[
        bool, typer.Option("--locked/--no-locked", help="Run locked tests too, where a line does not say.")
    ] = False,
    isolation: IsolationOption = Isolation.strict,
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
) -> None:
    """Read one request a line from standard input, write one verdict a line to standard output.

    A request is a JSON object with id, task (entry_point and tests) and candidate; its answer holds the same
    id and comes as soon as it is there, not in the order asked. A line that cannot be used is answered with
    its error. The end of the input ends the judge, once all is answered. docs/judge.md has every key.
    """
    from codeself.records.tasks import read_tasks
    from codeself.sandbox.pool import JudgePool
    from codeself.sandbox.protocol import Protocol
    from codeself.sandbox.service import serve

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
    protocol = Protocol(config.limits, locked, read_tasks(tasks) if tasks else ())
    with JudgePool(config, workers) as pool:
        serve(pool, protocol, 0, 1, in_flight=64 * workers)
