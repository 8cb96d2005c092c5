"""What an unfinished run has finished, in a file beside its output: how a killed run goes on where it stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from codeself.records.errors import CodeselfError
from codeself.records.files import read_text, write_text
from codeself.records.jsonl import dumps

Item = TypeVar("Item")


class Partial(Generic[Item]):
    """The finished chunks of a run, one a line, after a line with the digest of its settings.

    output: what the run will write in the end. kind: of a chunk's items, a record or a dataclass.
    """

    def __init__(self, output: Path, settings_digest: str, kind: type[Item]) -> None:
        self._path = output.with_name(output.name + ".partial")
        self._header = dumps({"settings": settings_digest})
        self._kind: TypeAdapter[list[Item]] = TypeAdapter(list[kind])  # type: ignore[valid-type]

    def read(self, limit: int | None = None) -> list[list[Item]]:
        """The chunks that a run with the same settings finished, no more than limit. All else there is dropped."""
        chunks: list[list[Item]] = []
        kept = [self._header]
        if self._path.exists():
            header, *lines = read_text(self._path).split("\n")
            # After the last line end stands nothing, or half a line that was being written.
            for line in lines[:-1][:limit] if header == self._header else ():
                chunks.append(self._kind.validate_python(json.loads(line)))
                kept.append(line)
            write_text(self._path, "\n".join(kept) + "\n")
        return chunks

    def keep(self, count: int) -> None:
        """Drop all chunks but the first so many."""
        lines = read_text(self._path).split("\n")[: 1 + count]
        write_text(self._path, "\n".join(lines) + "\n")

    def add(self, items: Sequence[Item]) -> None:
        """Raises CodeselfError where the disk takes no more."""
        plain: Any = self._kind.dump_python(list(items), mode="json", by_alias=True)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as stream:
                if stream.tell() == 0:
                    stream.write(self._header + "\n")
                stream.write(dumps(plain) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise CodeselfError(f"{self._path}: cannot be written: {error.strerror or error}") from error

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)
