"""Tier bytes: every file of an archive is the one that the manifest lists, and there is no other."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from codeself.provenance.archive import SUMS_FILE, left_out
from codeself.provenance.claims import Claim
from codeself.provenance.manifest import files_root
from codeself.provenance.merkle import changed_rows, line_digests, lines_of, merkle_root
from codeself.provenance.unpacking import read_sums
from codeself.records.config import parse_config
from codeself.records.digests import sha256_bytes, sha256_file, sha256_json
from codeself.records.errors import InputError
from codeself.records.jsonl import read_record
from codeself.records.manifest import MANIFEST_FILE, ROWS_FILE, Artifact, FileDigest, Manifest, Rows

_NAMED = 5


def check_bytes(record: Path) -> Iterator[Claim]:
    """A claim for each file, and for what the manifest says as a whole. record: an unpacked archive's folder."""
    listed: dict[str, str] = {}
    try:
        listed = read_sums(record)
    except InputError as error:
        yield Claim("bytes", SUMS_FILE, "different", str(error))
    manifest, problem = _manifest(record)
    if manifest is None:
        yield Claim("bytes", MANIFEST_FILE, "different", problem)
    else:
        yield from _whole(manifest)
    files = _Files(record, listed, manifest)
    found = {path.relative_to(record).as_posix() for path in record.rglob("*") if not path.is_dir()}
    for name in sorted({*listed, *files.entries, *files.models, *found} - {SUMS_FILE}):
        yield files.check(name, name in found)


class _Files:
    """What is said of each file: by the list of digests, by the manifest, and by the records of models."""

    def __init__(self, record: Path, listed: dict[str, str], manifest: Manifest | None) -> None:
        self._record, self._listed = record, listed
        self.entries: dict[str, FileDigest] = {}
        self.models: dict[str, str] = {}
        self._apart: set[str] = set()
        if manifest is not None:
            config = parse_config(manifest.config, MANIFEST_FILE).archive
            self.entries = {each.path: each for each in (*manifest.artifacts, *manifest.inputs)}
            self.models = manifest.model_files()
            self._apart = left_out(manifest, config) | (set() if config.weights else self.models.keys())
        self._rows = _rows(record).rows

    def check(self, name: str, is_there: bool) -> Claim:
        entry = self.entries.get(name)
        if not is_there:
            if name in self._apart and name not in self._listed:
                return Claim("bytes", name, "left out", "its digest is in the manifest")
            return Claim("bytes", name, "missing", "the record lists it")
        if entry is None and name not in self._listed:
            return Claim("bytes", name, "added", "the record does not list it")
        problem = self._problem(name, entry, sha256_file(self._record / name))
        return Claim("bytes", name, "different" if problem else "exact", problem)

    def _problem(self, name: str, entry: FileDigest | None, digest: str) -> str:
        path = self._record / name
        if entry is not None and digest != entry.sha256:
            return _where(path, entry, None if name.endswith(".gz") else self._rows.get(name))
        if entry is not None and path.stat().st_size != entry.bytes:
            return f"the manifest says {entry.bytes} bytes"
        if digest != self.models.get(name, digest):
            return "is not the file that its model's record names"
        if self._listed and digest != self._listed.get(name):
            said = "does not list it" if name not in self._listed else "has another digest for it"
            return f"{SUMS_FILE} {said}"
        if isinstance(entry, Artifact) and entry.rows is not None:
            if name.endswith(".gz"):  # a packed file may be endless when it is unpacked
                return "a packed file has no rows, and the manifest has their digest"
            leaves = line_digests(path)
            if (merkle_root(leaves), len(leaves)) != (entry.rows.root, entry.rows.count):
                return "the manifest has another Merkle root or count for its rows"
        return ""


def _whole(manifest: Manifest) -> Iterator[Claim]:
    every = [*manifest.artifacts, *manifest.inputs]
    checks = {
        "root": (files_root(every), manifest.root),
        "config_sha256": (sha256_json(manifest.config), manifest.config_sha256),
    }
    for key, (now, said) in checks.items():
        yield Claim(
            "bytes",
            f"{MANIFEST_FILE}, {key}",
            "exact" if now == said else "different",
            "" if now == said else f"is {said[:12]}, and what it stands for gives {now[:12]}",
        )
    twice = next((path for path, count in Counter(each.path for each in every).items() if count > 1), "")
    if twice:
        yield Claim("bytes", MANIFEST_FILE, "different", f"lists {twice} twice")


def _where(path: Path, entry: FileDigest, was: tuple[str, ...] | None) -> str:
    """The rows that differ, or the size where rows do not tell."""
    if was is not None:
        lines = lines_of(path)
        changed = changed_rows(was, [sha256_bytes(line) for line in lines])
        if changed:
            shown = ", ".join(f"{number}{_name(lines, number)}" for number in changed[:_NAMED])
            more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
            count = f"; {len(lines)} lines, and were {len(was)}" if len(lines) != len(was) else ""
            return f"line {shown}{more}{count}"
    size = path.stat().st_size
    return f"{size} bytes, and were {entry.bytes}" if size != entry.bytes else "its bytes, not its size"


def _name(lines: list[bytes], number: int) -> str:
    """What a row of records is about, by its own word."""
    try:
        row = json.loads(lines[number - 1])
    except (IndexError, ValueError, RecursionError):
        return ""
    if not isinstance(row, dict):
        return ""
    name = row.get("rollout_id") or row.get("task_id") or ""
    return f" ({name})" if name else ""


def _manifest(record: Path) -> tuple[Manifest | None, str]:
    try:
        manifest = read_record(record / MANIFEST_FILE, Manifest)
        parse_config(manifest.config, f"{MANIFEST_FILE}, config")
        # Of two values of one name, another program may read the other.
        json.loads((record / MANIFEST_FILE).read_text(), object_pairs_hook=_each_once)
    except InputError as error:
        return None, str(error).replace(f"{record}/", "")
    return manifest, ""


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InputError(f"{MANIFEST_FILE}: the key '{key}' stands twice in one object")
        found[key] = value
    return found


def _rows(record: Path) -> Rows:
    try:
        return read_record(record / ROWS_FILE, Rows)
    except InputError:
        return Rows(rows={})  # its own claim says so; places are named by their file alone
