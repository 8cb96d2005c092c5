"""Files are written whole or not at all: a temporary name beside the target, fsync, rename."""

from __future__ import annotations

import gzip
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from codeself.records.errors import CodeselfError, InputError


@contextmanager
def writing(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file that appears at `path` only when the block ends without an error.

    A reader never sees half a file, and a failed or interrupted write leaves what was there before.
    mode: "w" for UTF-8 text with "\\n" line ends, "wb" for bytes.
    Raises CodeselfError when the disk is full or the folder cannot be written.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        temporary = Path(name)
        text = "b" not in mode
        with os.fdopen(
            handle, mode, encoding="utf-8" if text else None, newline="\n" if text else None
        ) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes private files; an artifact has the permissions any new file would have.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        temporary = None
    except OSError as error:
        raise CodeselfError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    with writing(path) as stream:
        stream.write(text)


def write_bytes(path: Path, data: bytes) -> None:
    with writing(path, "wb") as stream:
        stream.write(data)


def read_bytes(path: Path) -> bytes:
    """The content of a file, unpacked when its name ends in .gz. Raises InputError naming the file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    if path.suffix != ".gz":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError) as error:
        raise InputError(f"{path}: is not a whole gzip file: {error}") from error


def read_text(path: Path) -> str:
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text: {error.reason} at byte {error.start}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
