"""The archive: one file that holds a run's record, the same bytes for the same run.

Inside stands one folder: manifest.json and what belongs to it, SHA256SUMS, the artifacts in the results folder, and the
files that the run was given under their own paths.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from codeself.provenance.scrubbing import Scrubber
from codeself.records.archiving import ArchiveConfig, part_of
from codeself.records.digests import sha256_file
from codeself.records.errors import InputError
from codeself.records.files import writing
from codeself.records.manifest import FileDigest, Manifest

FOLDER = "codeself-record"
SUMS_FILE = "SHA256SUMS"
# Any time will do that is always the same; some programs take none before 1980.
_TIME = 315532800
# Weights are numbers, and large.
_BINARY = {".safetensors", ".gguf", ".bin"}


def files_to_pack(
    manifest: Manifest, config: ArchiveConfig, results: Path, beside: Sequence[Path]
) -> dict[str, Path]:
    """Each file by its name in the archive. results: where the artifacts are. beside: the manifest and its kin.

    Raises InputError for a file that is not as the manifest says.
    """
    packed = {path.relative_to(results / "archive").as_posix(): path for path in beside}
    for each in manifest.artifacts:
        if part_of(manifest.inside(each.path)) in config.contents:
            packed[each.path] = _checked(each, results / manifest.inside(each.path))
    for given in manifest.inputs:
        packed[given.path] = _checked(given, Path(given.path))
    if config.weights:
        for shown, sha256 in manifest.model_files().items():
            place = results / manifest.inside(shown)
            size = place.stat().st_size if place.is_file() else 0
            packed[shown] = _checked(FileDigest(path=shown, sha256=sha256, bytes=size), place)
    return packed


def left_out(manifest: Manifest, config: ArchiveConfig) -> set[str]:
    """Artifacts that the config keeps out of the archive."""
    return {
        each.path for each in manifest.artifacts if part_of(manifest.inside(each.path)) not in config.contents
    }


def write_archive(output: Path, files: Mapping[str, Path], scrubber: Scrubber) -> None:
    """Pack files under these names, and SHA256SUMS over them. Refuses a file that gives away the host or a secret."""
    sums = "".join(f"{sha256_file(path)}  {name}\n" for name, path in sorted(files.items()))
    with (
        writing(output, "wb") as stream,
        gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as packer,
        tarfile.open(fileobj=packer, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, path in sorted([*files.items(), (SUMS_FILE, None)]):
            if path is not None and path.suffix in _BINARY:
                with path.open("rb") as content:
                    tar.addfile(_member(name, path.stat().st_size), content)
                continue
            data = sums.encode() if path is None else path.read_bytes()
            scrubber.check(str(path or name), data)
            tar.addfile(_member(name, len(data)), io.BytesIO(data))


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(f"{FOLDER}/{name}")
    member.size, member.mtime, member.mode = size, _TIME, 0o644
    return member


def _checked(expected: FileDigest, path: Path) -> Path:
    if not path.is_file():
        raise InputError(f"{path}: is missing, but the manifest lists it; make the manifest again")
    if sha256_file(path) != expected.sha256:
        raise InputError(f"{path}: is not the file that the manifest lists; make the manifest again")
    return path
