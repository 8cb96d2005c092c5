"""make-archive: one file to check a whole run from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    manifest: Annotated[
        Path, typer.Option(help="The run's manifest, in the folder 'archive' of its results (JSON).")
    ],
    output: Annotated[Path, typer.Option(help="Archive to write (.tar.gz).")],
    statement: Annotated[
        Path,
        typer.Option(
            help="in-toto statement over the archive, to write: what it is, how it was made (JSON)."
        ),
    ],
    describing: Annotated[
        list[Path] | None, typer.Option(help="A file beside the manifest to pack; give it again for each.")
    ] = None,
    archive: Annotated[str, typer.Option(help="The config's part 'archive' (JSON).")] = "{}",
) -> None:
    """Pack a run's record: the same bytes for the same run, and nothing of the host, its user or their secrets."""
    from pydantic import ValidationError

    from codeself.provenance.archive import files_to_pack, write_archive
    from codeself.provenance.scrubbing import Scrubber
    from codeself.provenance.statement import statement_over
    from codeself.records.archiving import ArchiveConfig
    from codeself.records.base import describe_validation_error
    from codeself.records.errors import InputError
    from codeself.records.files import write_text
    from codeself.records.jsonl import read_record
    from codeself.records.manifest import Manifest

    try:
        config = ArchiveConfig.model_validate_json(archive)
    except ValidationError as error:
        raise InputError(f"--archive: {describe_validation_error(error)}") from error
    if manifest.parent.name != "archive":
        raise InputError(f"{manifest}: expected it in the folder 'archive' of a results folder")
    record = read_record(manifest, Manifest)
    files = files_to_pack(record, config, manifest.parent.parent, [manifest, *(describing or [])])
    write_archive(output, files, Scrubber(config.forbidden))
    write_text(statement, statement_over(output, record))
