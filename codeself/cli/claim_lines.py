"""What commands that check say: a line for each claim that is not simply exact, then how many there were of each."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from codeself.provenance.claims import Claim
    from codeself.records.manifest import Manifest
    from codeself.records.verification import Tier

_QUIET = {"exact", "left out", "exempt"}


def tell(claims: Iterable[Claim], every: bool) -> list[Claim]:
    """Print claims as they come, and hand them all back. every: also those that are exact, exempt or left out."""
    told = []
    for claim in claims:
        told.append(claim)
        if every or claim.state not in _QUIET:
            typer.echo(f"{claim.tier:<11}{claim}")
    return told


def conclude(
    record: Path, claims: list[Claim], tier: Tier, output: Path | None, manifest: Manifest | None = None
) -> NoReturn:
    """Print what the claims come to, write it down where that was asked for, and end with its exit code."""
    from codeself.provenance.claims import counts_of, outcome_of, printable
    from codeself.provenance.environment import code_version
    from codeself.records.digests import sha256_file
    from codeself.records.jsonl import write_record
    from codeself.records.verification import EXIT_CODES, Verification

    outcome, counts, here = outcome_of(claims), counts_of(claims), code_version()
    if output is not None:
        verification = Verification(
            record=record.name,
            sha256=sha256_file(record) if record.is_file() else "",
            tier=tier,
            outcome=outcome,
            exit_code=EXIT_CODES[outcome],
            root=manifest.root if manifest else "",
            recorded_commit=manifest.code.commit if manifest else "",
            commit=here.commit,
            counts=counts,
            claims=tuple(claim.to_record() for claim in claims),
        )
        write_record(output, verification)
    for name, states in counts.items():
        for state, count in states.items():
            typer.echo(f"{count:>6}  {name}: {state}")
    failing = sum(not claim.holds for claim in claims)
    kept_out = sum(claim.state == "left out" for claim in claims)
    words = {
        "holds": "holds" + (f", but for {kept_out} claims that were left out" if kept_out else ""),
        "differs": f"does not hold, {failing} claims fail",
        "not all checked": f"nothing differs, {failing} claims could not be checked",
    }
    typer.echo(f"{record}: {words[outcome]}")
    if manifest and failing and manifest.code.package_sha256 != here.package_sha256:
        typer.echo(
            f"the record was made by other code than this ({here.commit or here.version}): check it with"
            f" {printable(manifest.code.commit or manifest.code.version)}",
            err=True,
        )
    raise typer.Exit(EXIT_CODES[outcome])
