"""The index of all reports: what a reader opens first, and what a checker compares digests with."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path

from codeself.records.base import Record
from codeself.records.digests import sha256_bytes
from codeself.records.errors import InputError
from codeself.records.files import read_bytes


class ReportFile(Record):
    """One report. path is relative to the index; title is the report's own, empty where it has none."""

    path: str
    title: str
    bytes: int
    sha256: str


class ReportIndex(Record):
    """Every report, in the order of their paths."""

    reports: tuple[ReportFile, ...]


def index_reports(files: Sequence[Path], folder: Path) -> ReportIndex:
    """Digest and size of each file. folder: where the index will stand."""
    reports = {}
    for path in files:
        data = read_bytes(path)
        shown = Path(os.path.relpath(path, folder)).as_posix()
        if shown in reports:
            raise InputError(f"{path}: is given twice; each report stands in the index once")
        reports[shown] = ReportFile(
            path=shown, title=_title(path, data), bytes=len(data), sha256=sha256_bytes(data)
        )
    return ReportIndex(reports=tuple(reports[shown] for shown in sorted(reports)))


def _title(path: Path, data: bytes) -> str:
    pattern = {".html": rb"<title>([^<]*)</title>", ".md": rb"^# (.*)"}.get(path.suffix)
    found = re.search(pattern, data) if pattern else None
    return unescape(found.group(1).decode("utf-8", "replace")).strip() if found else ""
