"""Two runs of one config, file by file: what is the same to the last byte, what is exempt and why, what differs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from codeself.provenance.claims import Claim
from codeself.provenance.recomputing import compared
from codeself.records.digests import sha256_file
from codeself.records.errors import InputError
from codeself.records.manifest import MANIFEST_FILE

# What of a results folder is no part of the record, and why: everything else is compared.
EXEMPT = {
    "logs/": "what jobs said, with times",
    "benchmarks/": "seconds and memory of each job, and when locked tests were read",
    "archive/host.json": "the machine, and what the run cost on it",
    ".snakemake_timestamp": "an empty mark of Snakemake, whose time alone counts",
}


def compare_runs(one: Path, other: Path) -> Iterator[Claim]:
    """A claim for each file of two results folders, or of two unpacked archives.

    Raises InputError for a folder that is neither.
    """
    files = [_files(folder) for folder in (one, other)]
    for name in sorted({*files[0], *files[1]}):
        if why := exemption(name):
            yield Claim("against", name, "exempt", why)
        elif name not in files[1]:
            yield Claim("against", name, "missing", "the second run does not have it")
        elif name not in files[0]:
            yield Claim("against", name, "added", "the first run does not have it")
        elif sha256_file(one / name) == sha256_file(other / name):
            yield Claim("against", name, "exact")
        else:
            yield compared("against", name, one / name, other / name)


def exemption(name: str) -> str:
    """Why a file of a results folder, or of an archive, is no part of the record; or nothing."""
    if name == "host.json":  # in an archive
        return EXEMPT["archive/host.json"]
    folder, _, _ = name.partition("/")
    _, _, last = name.rpartition("/")
    return EXEMPT.get(name) or EXEMPT.get(f"{folder}/") or EXEMPT.get(last, "")


def _files(folder: Path) -> set[str]:
    if not any((folder / name).is_file() for name in (MANIFEST_FILE, f"archive/{MANIFEST_FILE}")):
        raise InputError(
            f"{folder}: has no record in it; expected an archive, or the results folder of a run"
        )
    return {
        (Path(place) / name).relative_to(folder).as_posix()
        for place, _, names in os.walk(folder)
        for name in names
    }
