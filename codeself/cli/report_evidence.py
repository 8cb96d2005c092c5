"""report-evidence: the report on what practice changed, as Markdown and as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    plan: Annotated[Path, typer.Option(help="The plan (JSON).")],
    comparisons: Annotated[Path, typer.Option(help="What its tests found (JSON).")],
    output_md: Annotated[Path, typer.Option(help="Markdown file to write.")],
    output_html: Annotated[Path, typer.Option(help="HTML file to write: self-contained.")],
    figures: Annotated[Path, typer.Option(help="Folder that receives the figures (SVG).")],
    splits: Annotated[Path | None, typer.Option(help="Split manifest, for near-duplicates.")] = None,
    title: Annotated[str, typer.Option(help="Title of the experiment.")] = "Evidence",
) -> None:
    """Write the evidence report: claims from declared tests, and the controls beside them.

    Every number in it is made from the files given, whose digests it lists.
    """
    import os

    from codeself.records.comparisons import Comparisons
    from codeself.records.digests import sha256_file
    from codeself.records.errors import InputError
    from codeself.records.files import write_text
    from codeself.records.jsonl import read_record
    from codeself.records.plan import Plan
    from codeself.records.tasks import SplitManifest
    from codeself.reports.comparison import METHODS, compose
    from codeself.reports.drawing import standalone
    from codeself.reports.pages import render_html, render_markdown

    declared, found = read_record(plan, Plan), read_record(comparisons, Comparisons)
    if found.inputs.plan != sha256_file(plan):
        raise InputError(f"{comparisons}: was made from another plan than {plan}; compare the policies again")
    read = [path for path in (plan, comparisons, splits) if path is not None]
    report = compose(
        f"{title}: what practice changed",
        declared,
        found,
        read_record(splits, SplitManifest) if splits else None,
        [
            *((path.name if path.is_absolute() else path.as_posix(), sha256_file(path)) for path in read),
            *((f"metrics of {policy}", digest) for policy, digest in found.inputs.metrics.items()),
            *((f"per-task table of {policy}", digest) for policy, digest in found.inputs.per_task.items()),
        ],
        Path(os.path.relpath(figures, output_md.parent)).as_posix(),
    )
    for drawn in report.figures:
        write_text(figures / f"{drawn.name}.svg", standalone(drawn.svg))
    write_text(output_md, render_markdown(report, METHODS))
    write_text(output_html, render_html(report, METHODS))
