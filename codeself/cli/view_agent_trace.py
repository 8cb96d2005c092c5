"""view-agent-trace: read attempts, one in the terminal or as Markdown, or all on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    traces: Annotated[list[Path], typer.Option(help="Traces (JSONL); give it again for each file.")],
    trace: Annotated[
        str, typer.Option(help="A trace's id, or a part of it that only one has; the first if none.")
    ] = "",
    output_md: Annotated[Path | None, typer.Option(help="Write this trace as Markdown instead.")] = None,
    output_html: Annotated[
        Path | None, typer.Option(help="Write all traces as one HTML page instead: self-contained.")
    ] = None,
    title: Annotated[str, typer.Option(help="Title of the page.")] = "Traces",
) -> None:
    """Show how a policy used what it was told: answer by answer, what changed and what the public tests said."""
    from codeself.records.errors import InputError
    from codeself.records.files import write_text
    from codeself.records.jsonl import read_records
    from codeself.records.traces import Trace
    from codeself.reports.trace_page import render_traces
    from codeself.reports.trace_text import render_trace

    found = [each for path in traces for each in read_records(path, Trace)]
    if not found:
        raise InputError(f"{traces[0]}: holds no trace")
    if output_html is not None:
        write_text(output_html, render_traces(title, found))
    if output_html is not None and output_md is None and not trace:
        return
    matching = [each for each in found if trace in each.trace_id]
    exact = [each for each in matching if each.trace_id == trace]
    if not matching or (trace and len(matching) > 1 and len(exact) != 1):
        known = ", ".join(each.trace_id for each in (matching or found)[:3])
        raise InputError(f"--trace: '{trace}' fits {len(matching)} traces; expected one, as {known}")
    text = render_trace((exact or matching)[0])
    if output_md is not None:
        write_text(output_md, text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))
