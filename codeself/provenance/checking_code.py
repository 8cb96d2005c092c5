"""Tier statistics, second part: whether the code that a record names is the code of that commit.

A checkout has the history of the repository, so that the package and the files that a run was given can be compared
with those of the recorded commit, whatever is checked out.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from codeself.provenance.claims import Claim
from codeself.provenance.graph import CHECKOUT
from codeself.records.digests import sha256_bytes, sha256_lines
from codeself.records.manifest import MANIFEST_FILE, Manifest

_PACKAGE = "codeself"


def check_code(manifest: Manifest, checkout: Path = CHECKOUT) -> Iterator[Claim]:
    """A claim for the package, and one for each file of that commit which the run was given."""
    code = manifest.code
    subject = f"{MANIFEST_FILE}, code.package_sha256"
    if not code.commit:
        return  # a run outside a checkout names no commit
    files = _files_of(checkout, code.commit)
    if files is None:
        place = f"{checkout} does not have the commit {code.commit}"
        yield Claim("statistics", subject, "unchecked", place)
        return
    if code.changes_sha256:
        place = f"the run had changes to the commit {code.commit} that were not committed"
        yield Claim("statistics", subject, "unchecked", place)
        return
    # In the order of environment.code_version: by the parts of a path.
    inside = sorted((path for path in files if path.parts[0] == _PACKAGE), key=lambda path: path.parts)
    shown = [f"{path.relative_to(_PACKAGE).as_posix()} {sha256_bytes(files[path])}" for path in inside]
    same = sha256_lines(shown) == code.package_sha256
    yield Claim(
        "statistics",
        subject,
        "exact" if same else "different",
        "" if same else f"is not that of the commit {code.commit}",
    )
    for given in manifest.inputs:
        own = files.get(PurePosixPath(given.path))
        if own is not None and sha256_bytes(own) != given.sha256:
            place = f"is not the file of the commit {code.commit}"
            yield Claim("statistics", given.path, "different", place)


def _files_of(checkout: Path, commit: str) -> dict[PurePosixPath, bytes] | None:
    """Every file of a commit; None where there is no such commit here."""
    # A name that begins with a dash would be an option.
    if not commit.isalnum() or not (checkout / ".git").exists():
        return None
    command = ["git", "-C", str(checkout), "archive", "--format=tar", commit]
    done = subprocess.run(command, capture_output=True)
    if done.returncode:
        return None
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        found = {}
        for member in tar:
            content = tar.extractfile(member) if member.isfile() else None
            if content is not None:
                found[PurePosixPath(member.name)] = content.read()
        return found
