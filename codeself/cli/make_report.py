"""make-report: a report for people, as Markdown and as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    metrics: Annotated[list[Path], typer.Option(help="Metrics of an evaluation; give it again for others.")],
    per_task: Annotated[list[Path], typer.Option(help="Its per-task table, in the same order.")],
    output_md: Annotated[Path, typer.Option(help="Markdown file to write.")],
    output_html: Annotated[Path, typer.Option(help="HTML file to write: self-contained.")],
    figures: Annotated[Path, typer.Option(help="Folder that receives the figures (SVG).")],
    audit: Annotated[
        list[Path] | None,
        typer.Option(help="Audit of a task set, named {taskset}.audit.json; may be given again."),
    ] = None,
    splits: Annotated[list[Path] | None, typer.Option(help="Split manifest; may be given again.")] = None,
    locked_reads: Annotated[
        list[Path] | None, typer.Option(help="Who read locked tests; may be given again.")
    ] = None,
    title: Annotated[str, typer.Option(help="Title of the report.")] = "Baseline",
) -> None:
    """Write the baseline report: rates, where answers fail, and what a comparison could see.

    Every number in it is made from the files given, whose digests it lists.
    """
    import os

    from codeself.records.audits import AuditReport
    from codeself.records.digests import sha256_file
    from codeself.records.errors import InputError
    from codeself.records.files import write_text
    from codeself.records.jsonl import read_record
    from codeself.records.locked_reads import LockedReads
    from codeself.records.metrics import Metrics
    from codeself.records.tasks import SplitManifest
    from codeself.reports.baseline import compose
    from codeself.reports.drawing import standalone
    from codeself.reports.pages import render_html, render_markdown
    from codeself.reports.tables import read_rows
    from codeself.reports.tasksets import describe

    if len(metrics) != len(per_task):
        raise InputError(
            f"--per-task: {len(per_task)} given for {len(metrics)} --metrics; expected one each, in the"
            " same order"
        )
    evaluated = []
    for metrics_path, rows_path in zip(metrics, per_task, strict=True):
        found, rows = read_record(metrics_path, Metrics), read_rows(rows_path)
        if len(rows) != found.tasks:
            raise InputError(
                f"{rows_path}: has {len(rows)} tasks, and {metrics_path} has {found.tasks}; they are of"
                " different evaluations"
            )
        evaluated.append((found, rows))
    parts = describe(
        [read_record(path, SplitManifest) for path in splits or ()],
        {path.name.split(".")[0]: read_record(path, AuditReport) for path in audit or ()},
    )
    read = [*metrics, *per_task, *(splits or ()), *(audit or ()), *(locked_reads or ())]
    report = compose(
        title,
        evaluated,
        parts,
        [(_shown(path), sha256_file(path)) for path in read],
        Path(os.path.relpath(figures, output_md.parent)).as_posix(),
        [read_record(path, LockedReads) for path in locked_reads or ()],
    )
    for drawn in report.figures:
        write_text(figures / f"{drawn.name}.svg", standalone(drawn.svg))
    write_text(output_md, render_markdown(report))
    write_text(output_html, render_html(report))


def _shown(path: Path) -> str:
    """A file's name in the report: as given, but never where on this machine it lies."""
    return path.name if path.is_absolute() else path.as_posix()
