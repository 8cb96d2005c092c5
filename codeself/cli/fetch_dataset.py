"""fetch-dataset: the file of a public dataset, checked against its digest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    output: Annotated[Path, typer.Option(help="Where to put the file.")],
    url: Annotated[str, typer.Option(help="Where to download it from.")] = "",
    path: Annotated[str, typer.Option(help="A local copy, used instead of the URL.")] = "",
    sha256: Annotated[str, typer.Option(help="Digest that the file must have.")] = "",
    content_sha256: Annotated[
        str, typer.Option(help="Digest that the rows must have, however the file is laid out.")
    ] = "",
) -> None:
    """Fetch the file of a public dataset, from a local copy or its URL, and check its digest."""
    import sys

    from pydantic import ValidationError
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    from codeself.records.base import describe_validation_error
    from codeself.records.datasets import DatasetFile
    from codeself.records.errors import InputError
    from codeself.tasks.datasets import fetch_dataset

    try:
        source = DatasetFile(url=url, path=path, sha256=sha256 or None, content_sha256=content_sha256 or None)
    except ValidationError as error:
        raise InputError(f"fetch-dataset: {describe_validation_error(error)}") from error
    if not sys.stderr.isatty():  # where nobody watches, some versions of the bar still print an empty line
        fetch_dataset(source, output)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        row = bar.add_task(output.name, total=None)
        fetch_dataset(
            source, output, progress=lambda done, total: bar.update(row, completed=done, total=total)
        )
