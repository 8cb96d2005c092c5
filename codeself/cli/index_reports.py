"""index-reports: the list of all reports with their digests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    files: Annotated[list[Path], typer.Argument(help="The reports.")],
    output: Annotated[Path, typer.Option(help="Index to write (JSON); index.html is written beside it.")],
) -> None:
    """List every report with its size and sha256, for programs (JSON) and for people (index.html)."""
    from codeself.records.files import write_text
    from codeself.records.jsonl import write_record
    from codeself.reports.index import index_reports
    from codeself.reports.pages import render_index

    index = index_reports(files, output.parent)
    write_text(output.parent / "index.html", render_index(index))
    write_record(output, index)
