"""An archive unpacked, whoever packed it: plain files inside one folder, each once, no more than was allowed for."""

from __future__ import annotations

import gzip
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from codeself.provenance.archive import FOLDER, SUMS_FILE
from codeself.records.errors import InputError
from codeself.records.manifest import MANIFEST_FILE

# A run of many shards has thousands of files; each costs a kilobyte of memory while it is listed.
_MOST_FILES = 200_000
# What tarfile reads at once: the content of files goes in smaller pieces, a header that claims more is no header.
_AT_ONCE = 2**20


class _Stream(gzip.GzipFile):
    """Unpacked bytes, never many at once: a header of gigabytes would be read into memory."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _AT_ONCE:
            raise tarfile.ReadError(f"a header claims {size} bytes")
        return super().read(size)


def unpack(archive: Path, folder: Path, most_bytes: int = 8 * 2**30) -> Path:
    """Unpack an archive into an empty folder; returns the record's own folder. most_bytes: of all files together.

    Raises InputError where it is no archive, or holds anything but plain files inside one folder, each once.
    """
    seen: set[str] = set()
    left = most_bytes
    try:
        with _Stream(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
            for member in tar:
                problem = _problem(member, seen)
                left -= member.size
                if not problem and left < 0:
                    problem = f"with which it is larger than {most_bytes / 2**30:g} GiB (--max-gib)"
                if not problem and len(seen) == _MOST_FILES:
                    problem = f"after {_MOST_FILES} other files"
                if problem:
                    raise InputError(f"{archive}: holds {member.name!a}, {problem}")
                seen.add(member.name)
                tar.extract(member, folder, filter="data")
    except (OSError, EOFError, tarfile.TarError, zlib.error, UnicodeError, ValueError) as error:
        raise InputError(f"{archive}: cannot be unpacked: {error}") from error
    return _record(folder / FOLDER, archive)


def _problem(member: tarfile.TarInfo, seen: set[str]) -> str:
    inside = PurePosixPath(member.name)
    is_plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not member.issparse()
    if not is_plain or inside.parts[:1] != (FOLDER,) or len(inside.parts) < 2 or ".." in inside.parts:
        return f"which is no plain file inside {FOLDER}/"
    if inside.as_posix() != member.name or not member.name.isprintable():
        return "which is no plain name"
    return "twice" if member.name in seen else ""


def take(folder: Path, into: Path) -> Path:
    """A copy of a record that is unpacked already: what is done with it leaves the original as it is.

    Raises InputError for anything but plain files and folders.
    """
    for path in folder.rglob("*"):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            shown = ascii(path.relative_to(folder).as_posix())
            raise InputError(f"{folder}: holds {shown}, which is no plain file")
    shutil.copytree(folder, into)
    return _record(into, folder)


def _record(folder: Path, origin: Path) -> Path:
    if not (folder / MANIFEST_FILE).is_file():
        raise InputError(f"{origin}: holds no {MANIFEST_FILE}; expected an archive of a run, or its folder")
    return folder


def read_sums(record: Path) -> dict[str, str]:
    """What SHA256SUMS says of each file. Raises InputError for a line of another form, or a file named twice."""
    path = record / SUMS_FILE
    if not path.is_file():
        raise InputError(f"{SUMS_FILE}: is missing from the archive")
    sums: dict[str, str] = {}
    for number, line in enumerate(path.read_text(errors="replace").split("\n")[:-1], start=1):
        digest, mark, name = line.partition("  ")
        if not mark or len(digest) != 64 or name in sums:
            raise InputError(f"{SUMS_FILE}, line {number}: is not a digest and the name of one more file")
        sums[name] = digest
    return sums
