"""JSON Lines: one record a line, every error with its file and line number."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from codeself.records.base import Record, describe_validation_error
from codeself.records.errors import InputError
from codeself.records.files import read_text, writing

R = TypeVar("R", bound=Record)


def dumps(data: Any) -> str:
    """JSON on one line, the same bytes for the same data. Lone surrogates are kept, escaped."""
    return json.dumps(data, ensure_ascii=True, separators=(",", ":"))


def read_rows(path: Path) -> Iterator[tuple[int, Any]]:
    """Each line's number, from 1, and its JSON value. Blank lines are passed over. Accepts .gz.

    Raises InputError for a line that is not whole JSON.
    """
    # split on "\n" alone: str.splitlines would also break at U+2028, which JSON allows inside strings.
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}, line {number}: is not whole JSON: {error}") from error


def read_records(path: Path, kind: type[R]) -> list[R]:
    """All records of a file, validated. Raises InputError naming the line and the key at fault."""
    records = []
    for number, row in read_rows(path):
        try:
            records.append(kind.model_validate(row))
        except ValidationError as error:
            raise InputError(f"{path}, line {number}: {describe_validation_error(error)}") from error
    return records


def write_records(path: Path, records: Iterable[Record]) -> int:
    """Write records, one a line, whole or not at all. Returns how many."""
    count = 0
    with writing(path) as stream:
        for record in records:
            stream.write(dumps(record.to_json_dict()) + "\n")
            count += 1
    return count


def read_record(path: Path, kind: type[R]) -> R:
    """The single record of a JSON file."""
    try:
        return kind.model_validate(json.loads(read_text(path)))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}: is not whole JSON: {error.msg}") from error
    except ValidationError as error:
        raise InputError(f"{path}: {describe_validation_error(error)}") from error
    except (ValueError, RecursionError) as error:  # digits without end, brackets without end
        raise InputError(f"{path}: is not JSON that can be read: {error}") from error


def write_record(path: Path, record: Record) -> None:
    """Write one record as indented JSON, for people as much as for programs."""
    with writing(path) as stream:
        stream.write(json.dumps(record.to_json_dict(), indent=2) + "\n")
