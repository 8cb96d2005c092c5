"""report-agentic: self-debug beside resampling at equal budget, as numbers and as a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    traces: Annotated[
        list[Path], typer.Option(help="Traces of both strategies; give it again for each file.")
    ],
    output: Annotated[Path, typer.Option(help="Numbers to write (JSON).")],
    output_md: Annotated[Path, typer.Option(help="Markdown file to write.")],
    output_html: Annotated[Path, typer.Option(help="HTML file to write: self-contained.")],
    figures: Annotated[Path, typer.Option(help="Folder that receives the figures (SVG).")],
    taskset: Annotated[str, typer.Option(help="The task set's name.")] = "tasks",
    split: Annotated[str, typer.Option(help="The split that was attempted.")] = "test",
    title: Annotated[str, typer.Option(help="Title of the experiment.")] = "Strategies",
    confidence: Annotated[float, typer.Option(help="Level of every interval.")] = 0.95,
    resamples: Annotated[int, typer.Option(min=100, help="Bootstrap replicates.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
) -> None:
    """Compare the strategies of each policy along answers, executions and tokens, and show what revisions did.

    Both strategies must have made the same attempts under the same settings.
    """
    import os

    from codeself.analysis.strategies import compare_strategies
    from codeself.records.digests import sha256_file
    from codeself.records.errors import InputError
    from codeself.records.files import write_text
    from codeself.records.jsonl import read_records, write_record
    from codeself.records.traces import Trace
    from codeself.reports.drawing import standalone
    from codeself.reports.file_links import link_html, link_markdown
    from codeself.reports.pages import render_html, render_markdown
    from codeself.reports.strategies import METHODS, TRACES, compose

    if not 0 < confidence < 1:
        raise InputError(f"--confidence: is {confidence}; expected a number between 0 and 1")
    found = compare_strategies(
        [trace for path in traces for trace in read_records(path, Trace)],
        taskset=taskset,
        split=split,
        confidence=confidence,
        resamples=resamples,
        seed=seed,
    )
    report = compose(
        f"{title}: revising or drawing again",
        found,
        [(path.name if path.is_absolute() else path.as_posix(), sha256_file(path)) for path in traces],
        Path(os.path.relpath(figures, output_md.parent)).as_posix(),
    )
    for drawn in report.figures:
        write_text(figures / f"{drawn.name}.svg", standalone(drawn.svg))
    write_record(output, found)
    # The page of all attempts stands beside this one.
    links = {TRACES: Path(TRACES).name}
    write_text(output_md, link_markdown(render_markdown(report, METHODS), links))
    write_text(output_html, link_html(render_html(report, METHODS), links))
