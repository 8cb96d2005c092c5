"""make-manifest: the record of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    config: Annotated[str, typer.Option(help="The whole config as used (JSON).")],
    artifact: Annotated[
        list[Path],
        typer.Option(help="A file that the run made, or a folder of such; give it again for each."),
    ],
    output: Annotated[Path, typer.Option(help="Manifest to write (JSON).")],
    rows: Annotated[Path, typer.Option(help="Digest of each row of each file with rows, to write (JSON).")],
    page: Annotated[Path, typer.Option(help="The manifest for people, to write (Markdown).")],
    host: Annotated[Path, typer.Option(help="Facts about this machine and the run's cost, to write (JSON).")],
    benchmarks: Annotated[Path, typer.Option(help="Folder of Snakemake's benchmark tables.")],
    given: Annotated[
        list[Path] | None, typer.Option(help="A file that the run was given; give it again for each.")
    ] = None,
    lock: Annotated[list[Path] | None, typer.Option(help="A lock file; give it again for each.")] = None,
    metadata: Annotated[Path, typer.Option(help="Where Snakemake keeps how it made each file.")] = Path(
        ".snakemake/metadata"
    ),
) -> None:
    """List every artifact of a run with its digest, the command that made it, and where all of it came from.

    Two runs of one config on one machine give the same manifest. What differs between machines and days is in HOST.
    """
    import json
    import sys

    from codeself.provenance.host import host_facts
    from codeself.provenance.manifest import make_manifest
    from codeself.provenance.manifest_page import manifest_page
    from codeself.records.config import parse_config
    from codeself.records.errors import InputError
    from codeself.records.files import write_text
    from codeself.records.jsonl import dumps, write_record

    try:
        settings = parse_config(json.loads(config), "--config")
    except json.JSONDecodeError as error:
        raise InputError(f"--config: is not whole JSON: {error}") from error
    manifest, digests = make_manifest(settings, artifact, given or [], lock or [], metadata)
    unknown = [each.path for each in manifest.artifacts if each.job is None]
    if unknown:
        print(
            f"{metadata}: does not say how {len(unknown)} of {len(manifest.artifacts)} artifacts were made, such as"
            f" {unknown[0]}; verify cannot make those again",
            file=sys.stderr,
        )
    write_record(host, host_facts(benchmarks, settings))
    write_text(rows, dumps(digests.to_json_dict()) + "\n")
    write_text(page, manifest_page(manifest))
    write_record(output, manifest)
