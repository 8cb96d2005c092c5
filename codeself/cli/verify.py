"""verify: does an archive hold what it claims?"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from codeself.cli.judging import Isolation


class TierName(StrEnum):
    """In the order of what they cost; each takes the cheaper ones of the first three with it."""

    bytes = "bytes"
    statistics = "statistics"
    grade = "grade"
    generate = "generate"
    train = "train"


def command(
    archive: Annotated[Path, typer.Argument(help="An archive, or the folder that it was unpacked to.")],
    tier: Annotated[
        TierName,
        typer.Option(help="How far to go: bytes, then statistics, then grade; or generate, or train."),
    ] = TierName.statistics,
    sample: Annotated[
        int | None,
        typer.Option(min=1, help="Judge so many answers again (grade), or run so many jobs; else all."),
    ] = None,
    models: Annotated[
        Path | None,
        typer.Option(
            help="Results folder with models/ and training/, whose weights the archive lacks (generate, train)."
        ),
    ] = None,
    run_with: Annotated[
        list[str] | None,
        typer.Option(
            help="Run policies otherwise than recorded, as with dtype=float32; give it again (generate, train)."
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Judges side by side.")] = 2,
    isolation: Annotated[
        Isolation, typer.Option(help="Least isolation of candidates, whatever the record asks for.")
    ] = Isolation.restricted,
    trust_code: Annotated[
        bool,
        typer.Option("--trust-code", help="Run definitions, templates and tests that come with the record."),
    ] = False,
    sha256: Annotated[str, typer.Option(help="Digest that the archive must have, from another source.")] = "",
    max_gib: Annotated[float, typer.Option(min=0, help="Size of what is unpacked, at most.")] = 8.0,
    json: Annotated[Path | None, typer.Option(help="Where to write every claim (JSON).")] = None,
    every: Annotated[
        bool, typer.Option("--every", help="Print each claim, not only those that are not exact.")
    ] = False,
) -> None:
    """Check every claim of an archive, in tiers: exact, within interval, or different, and where.

    bytes: every file is the one that the manifest lists, and none is missing or added. statistics: what the manifest
    says, and every number, table, figure, card and report, made again from the stored rollouts and verdicts. grade: the
    stored answers are judged again. generate, train: completions are drawn, and arms trained, again; where these are
    not the same bytes, their numbers are compared with the recorded intervals.

    Exit code: 0 when every claim is exact, within interval, or left out by the archive's own config; 1 when one is
    different, missing or added; 2 for what is no archive; 3 when nothing differs but something could not be tried.
    """
    import tempfile

    from codeself.cli.claim_lines import conclude, tell
    from codeself.cli.progress import counting
    from codeself.provenance.claims import printable
    from codeself.provenance.recomputing import RUN_WITH
    from codeself.provenance.unpacking import take, unpack
    from codeself.provenance.verifying import Asked, manifest_of, verify
    from codeself.records.digests import sha256_file
    from codeself.records.errors import CodeselfError, InputError

    if not archive.exists():
        raise InputError(f"{archive}: is not there")
    if sha256 and (archive.is_dir() or sha256_file(archive) != sha256):
        found = "is a folder" if archive.is_dir() else f"has the digest {sha256_file(archive)}"
        raise InputError(f"{archive}: {found}, expected a file with {sha256}")
    settings = dict(each.split("=", 1) for each in run_with or [] if "=" in each)
    if len(settings) != len(run_with or []) or not settings.keys() <= set(RUN_WITH):
        raise InputError(f"--run-with: expected NAME=VALUE, with another of {', '.join(RUN_WITH)} each time")
    asked = Asked(tier.value, sample, models, workers, isolation.value, trust_code, settings)
    with tempfile.TemporaryDirectory(prefix="codeself-verify-") as name:
        folder, place = Path(name), Path(name) / "record"
        try:
            record = (
                take(archive, place) if archive.is_dir() else unpack(archive, place, int(max_gib * 2**30))
            )
            claims = tell(verify(record, folder, asked, counting), every)
            manifest = manifest_of(record)
        except RecursionError as error:
            raise InputError(f"{archive}: holds data that nests deeper than can be read") from error
        except CodeselfError as error:
            error.args = (printable(str(error)),)  # it may quote the archive
            raise
    conclude(archive, claims, tier.value, json, manifest)
