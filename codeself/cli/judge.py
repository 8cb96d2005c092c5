"""judge: a long-running co-process that grades candidates for any trainer, in any language."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codeself.cli.judging import StrictJudgeOptions
from codeself.cli.option_groups import with_option_groups


@with_option_groups
def command(
    judge: StrictJudgeOptions,
    tasks: Annotated[
        Path | None, typer.Option(help="Canonical tasks, JSONL, that a line may name by their task_id.")
    ] = None,
    locked: Annotated[
        bool,
        typer.Option(
            "--locked/--no-locked",
            help="Run locked tests too, where a line does not say. Those of --tasks never run without.",
        ),
    ] = False,
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

    config = judge.config()
    protocol = Protocol(config.limits, locked, read_tasks(tasks) if tasks else ())
    with JudgePool(config, judge.workers) as pool:
        serve(pool, protocol, 0, 1, in_flight=64 * judge.workers)
