"""compare-records: are two runs of one config the same, byte for byte?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    one: Annotated[Path, typer.Argument(help="An archive, or the results folder of a finished run.")],
    other: Annotated[Path, typer.Argument(help="Another of the same kind.")],
    json: Annotated[Path | None, typer.Option(help="Where to write every claim (JSON).")] = None,
    max_gib: Annotated[float, typer.Option(min=0, help="Size of what is unpacked, at most.")] = 8.0,
    every: Annotated[
        bool, typer.Option("--every", help="Print each file, not only those that are not exact.")
    ] = False,
) -> None:
    """Compare two runs file by file, and name what differs by its place.

    Exempt are logs, times, and facts of the host, in files of their own: they are listed, each with the reason. Exit
    code: 0 when every other file is the same, 1 when one differs or is missing, 2 for what is no record.
    """
    import tempfile

    from codeself.cli.claim_lines import conclude, tell
    from codeself.provenance.comparing import compare_runs
    from codeself.provenance.unpacking import unpack
    from codeself.records.errors import InputError

    with tempfile.TemporaryDirectory(prefix="codeself-compare-") as folder:
        places = []
        for name, path in (("one", one), ("other", other)):
            if not path.exists():
                raise InputError(f"{path}: is not there")
            places.append(path if path.is_dir() else unpack(path, Path(folder) / name, int(max_gib * 2**30)))
        claims = tell(compare_runs(*places), every)
    exempt: dict[str, int] = {}
    for claim in claims:
        if claim.state == "exempt":
            exempt[claim.place] = exempt.get(claim.place, 0) + 1
    for why, count in exempt.items():
        typer.echo(f"{count:>6}  exempt: {why}")
    conclude(one, claims, "against", json)
