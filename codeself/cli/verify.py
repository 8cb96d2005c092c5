"""verify: does an archive hold what it claims?"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codeself.provenance.claims import Claim
    from codeself.records.manifest import Manifest


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
        typer.Option(min=1, help="Judge so many verdicts again, or sample so many shards; else all."),
    ] = None,
    models: Annotated[
        Path | None,
        typer.Option(
            help="Folder with models/ and training/, whose weights the archive lacks (generate, train)."
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Judges side by side.")] = 2,
    sha256: Annotated[str, typer.Option(help="Digest that the archive must have, from another source.")] = "",
    every: Annotated[
        bool, typer.Option("--every", help="Print each claim, not only those that fail.")
    ] = False,
) -> None:
    """Check every claim of an archive, in tiers.

    bytes: every file is the one that the manifest lists, and none is missing or added. statistics: every number, table,
    figure and report is made again from the stored rollouts and verdicts, and compared byte for byte. grade: the stored
    candidates are judged again. generate, train: completions are drawn, and arms trained, again.

    The exit code is 0 only when every claim is exact, or left out by the archive's own config.
    """
    import tempfile
    from collections import Counter

    from codeself.provenance.unpacking import unpack
    from codeself.records.digests import sha256_file
    from codeself.records.errors import InputError

    if sha256 and archive.is_file() and sha256_file(archive) != sha256:
        raise InputError(f"{archive}: has the digest {sha256_file(archive)}, expected {sha256}")
    if not archive.exists():
        raise InputError(f"{archive}: is not there")
    with tempfile.TemporaryDirectory(prefix="codeself-verify-") as name:
        folder = Path(name)
        record = archive if archive.is_dir() else unpack(archive, folder / "unpacked")
        states: Counter[str] = Counter()
        wrong = 0
        for claim in _claims(record, folder, tier, sample, models, workers):
            states[f"{claim.tier}: {claim.state}"] += 1
            wrong += not claim.holds
            if every or not claim.holds:
                typer.echo(f"{claim.tier:<11}{claim}")
    for state, count in states.items():
        typer.echo(f"{count:>6}  {state}")
    typer.echo(
        f"{archive}: {'does not hold' if wrong else 'holds'}" + (f", {wrong} claims fail" if wrong else "")
    )
    raise typer.Exit(1 if wrong else 0)


def _claims(
    record: Path, folder: Path, tier: TierName, sample: int | None, models: Path | None, workers: int
) -> Iterator[Claim]:
    """Each tier's claims. Bytes come first: what follows reads only files that are the recorded ones."""
    from codeself.provenance.checking_bytes import check_bytes
    from codeself.records.jsonl import read_record
    from codeself.records.manifest import MANIFEST_FILE, Manifest

    whole = True
    for claim in check_bytes(record):
        whole = whole and claim.holds
        yield claim
    if tier is TierName.bytes:
        return
    if not whole:
        typer.echo("bytes differ: the other tiers are not tried", err=True)
        return
    manifest = read_record(record / MANIFEST_FILE, Manifest)
    if tier in (TierName.statistics, TierName.grade):
        yield from _made_again(record, folder, manifest, TierName.statistics, None, None)
    if tier is TierName.grade:
        yield from _judged_again(record, manifest, sample, workers)
        if sample is None:
            yield from _made_again(record, folder, manifest, tier, None, None)
    elif tier is not TierName.statistics:
        yield from _made_again(record, folder, manifest, tier, sample, models)


def _made_again(
    record: Path, folder: Path, manifest: Manifest, tier: TierName, sample: int | None, models: Path | None
) -> Iterator[Claim]:
    from codeself.cli.progress import track
    from codeself.provenance.recomputing import Workspace, check_known, jobs_of_tier

    jobs = jobs_of_tier(manifest, tier.value)
    check_known(jobs, tier.value)
    workspace = Workspace(record, manifest, folder / tier.value, models)
    chosen = jobs[:sample]
    for job in track(chosen, tier.value, total=len(chosen)):
        yield from workspace.make_again(job, tier.value)


def _judged_again(record: Path, manifest: Manifest, sample: int | None, workers: int) -> Iterator[Claim]:
    from codeself.cli.progress import counting
    from codeself.provenance.regrading import check_grades, verdicts_to_check

    files = verdicts_to_check(record, manifest, sample)
    with counting("judging", sum(len(each.rows) for each in files)) as advance:
        yield from check_grades(files, manifest, workers, advance)
