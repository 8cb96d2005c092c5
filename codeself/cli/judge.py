"""judge: a long-running co-process that grades candidates for any trainer, in any language."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codeself.cli.execute_rollouts import Isolation, Scan


def command(
    tasks: Annotated[
        Path | None, typer.Option(help="Canonical tasks, JSONL, that a line may name by their task_id.")
    ] = None,
    locked: Annotated[
        bool, typer.Option("--locked/--no-locked", help="Run locked tests too, where a line does not say.")
    ] = False,
    isolation: Annotated[
        Isolation,
        typer.Option(help="Lowest level of isolation to accept; the highest to be had is used."),
    ] = Isolation.strict,
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
) -> None:
    """Read one request a line from standard input, write one verdict a line to standard output.

    A request is a JSON object with id, task (entry_point and tests) and candidate; its answer holds the same
    id and comes as soon as it is there, not in the order asked. A line that cannot be used is answered with
    its error. The end of the input ends the judge, once all is answered. docs/judge.md has every key.
    """
    from codeself.records.judging import JudgeConfig, Limits
    from codeself.records.tasks import read_tasks
    from codeself.sandbox.pool import JudgePool
    from codeself.sandbox.protocol import Protocol
    from codeself.sandbox.service import serve

    limits = Limits(
        cpu_seconds=cpu_seconds,
        cpu_floor_seconds=cpu_floor_seconds,
        reference_factor=reference_factor,
        wall_seconds=wall_seconds,
        memory_mb=memory_mb,
        output_kb=output_kb,
        value_kb=value_kb,
        processes=processes,
    )
    protocol = Protocol(limits, locked, read_tasks(tasks) if tasks else ())
    with JudgePool(JudgeConfig(isolation=isolation.value, scan=scan.value, limits=limits), workers) as pool:
        serve(pool, protocol, 0, 1, in_flight=64 * workers)
