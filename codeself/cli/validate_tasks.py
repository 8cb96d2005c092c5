"""validate-tasks: leaks and duplicates of a task set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    tasks: Annotated[Path, typer.Option(help="The task set, as JSON Lines.")],
    output: Annotated[Path, typer.Option(help="Where to write the report, as JSON.")],
    allow_origin_leaks: Annotated[
        bool,
        typer.Option(
            "--allow-origin-leaks",
            help="For public datasets: hidden tests that are shown, and repeated tasks, are warnings.",
        ),
    ] = False,
) -> None:
    """Check that no hidden or locked test and no solution can be read in what a policy is shown.

    The report lists every finding. With an error among them it goes beside its place, named .rejected, and
    the exit code is 2.
    """
    import sys

    from codeself.records.errors import InputError
    from codeself.records.jsonl import write_record
    from codeself.records.tasks import read_tasks
    from codeself.tasks.validation import validate_tasks

    report = validate_tasks(read_tasks(tasks), allow_origin_leaks=allow_origin_leaks)
    if report.errors:
        rejected = output.with_name(output.name + ".rejected")
        write_record(rejected, report)
        first = next(finding for finding in report.findings if finding.severity == "error")
        more = (
            f" ({report.errors - 1} more error(s) in {rejected})"
            if report.errors > 1
            else f" (see {rejected})"
        )
        raise InputError(f"{tasks}: task '{first.task_id}': {first.detail}{more}")
    write_record(output, report)
    warnings = ", ".join(f"{count} {rule}" for rule, count in report.warnings.items()) or "no warning"
    print(f"{tasks}: {report.tasks} tasks are valid; {warnings}", file=sys.stderr)
