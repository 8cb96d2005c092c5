"""report-plan: the plan in words, for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    plan: Annotated[Path, typer.Option(help="The plan (JSON).")],
    output: Annotated[Path, typer.Option(help="Markdown file to write.")],
) -> None:
    """Say what is declared and what this design could see, before there is anything to compare."""
    from codeself.records.files import write_text
    from codeself.records.jsonl import read_record
    from codeself.records.plan import Plan
    from codeself.reports.comparison_sections import describe_plan

    write_text(output, describe_plan(read_record(plan, Plan)))
