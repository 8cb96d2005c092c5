"""Fetching the file of a public dataset: from a local copy, or from its pinned URL.

A file is taken only when its digest is the pinned one, and appears at its place whole or not at all.
"""

from __future__ import annotations

import http.client
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from codeself import __version__
from codeself.records.datasets import DatasetFile
from codeself.records.digests import sha256_bytes, sha256_json
from codeself.records.errors import InputError, SourceError
from codeself.records.files import write_bytes
from codeself.tasks.formats.rows import read_json_rows

Progress = Callable[[int, int | None], None]  # bytes so far, bytes in all where the server says
TRIES = 3
TIMEOUT = 30.0
CHUNK = 1 << 16


def fetch_dataset(source: DatasetFile, output: Path, *, progress: Progress | None = None) -> None:
    """Put the pinned file at `output`. Raises SourceError when it cannot be had or is another file."""
    if source.path:
        try:
            data = Path(source.path).read_bytes()
        except OSError as error:
            raise SourceError(
                f"{source.path}: cannot be read: {error.strerror or error}. It is the local copy that the"
                " config names as path; without one, the file is downloaded from its url"
            ) from error
    else:
        data = _download(source.url, output, progress)
    where = source.path or source.url
    if source.sha256 and (found := sha256_bytes(data)) != source.sha256:
        raise SourceError(f"{where}: has sha256 {found}; expected {source.sha256}. {_NOT_PINNED}")
    if (
        source.content_sha256
        and (found := _content_digest(data, output.name, where)) != source.content_sha256
    ):
        raise SourceError(
            f"{where}: has content_sha256 {found}; expected {source.content_sha256}. {_NOT_PINNED}"
        )
    write_bytes(output, data)


_NOT_PINNED = "It is not the file that results were declared for; nothing was written"


def content_digest(path: Path) -> str:
    """Digest of a dataset's rows, which is the same for a re-indented or re-packed copy."""
    return sha256_json([value for _, value in read_json_rows(path)])


def _content_digest(data: bytes, name: str, where: str) -> str:
    # A file's name says whether it is packed and how it is laid out.
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, name)
        write_bytes(copy, data)
        try:
            return content_digest(copy)
        except InputError as error:
            problem = str(error).removeprefix(f"{copy}").removeprefix(": ").removeprefix(", ")
            raise SourceError(f"{where}: is not a dataset's file: {problem}") from error


def _download(url: str, output: Path, progress: Progress | None) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": f"codeself/{__version__}"})
    for attempt in range(1, TRIES + 1):
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
                length = response.headers.get("Content-Length")
                total = int(length) if length and length.isdigit() else None
                parts, size = [], 0
                while chunk := response.read(CHUNK):
                    parts.append(chunk)
                    size += len(chunk)
                    if progress is not None:
                        progress(size, total)
            if total is not None and size < total:
                raise http.client.IncompleteRead(b"", total - size)
            return b"".join(parts)
        except (OSError, http.client.HTTPException, ValueError) as error:
            refused = isinstance(error, urllib.error.HTTPError) and error.code < 500
            if attempt == TRIES or refused or isinstance(error, ValueError):
                reason = getattr(error, "reason", None) or error
                raise SourceError(
                    f"{url}: cannot be downloaded: {reason} ({attempt} {'try' if attempt == 1 else 'tries'})."
                    f" Without a network, name a local copy of {output.name} as path in the config"
                ) from error
            time.sleep(attempt)
    raise AssertionError("unreachable")
