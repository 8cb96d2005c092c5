"""Rows of a public dataset's file: JSON Lines or one JSON list, plain or .gz; each row knows its place."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from codeself.records.errors import InputError
from codeself.records.files import read_text
from codeself.records.jsonl import read_rows

# Runs programs in the sandbox: for each (program, entry point, argument lists), the encoded results.
# Passed in, because tasks stand below the sandbox.
Expect = Callable[[Sequence[tuple[str, str, list[list[Any]]]]], list[list[Any]]]


class Row:
    """One row: its values by key, checked on access, every error naming the file and the line."""

    def __init__(self, place: str, data: Any) -> None:
        if not isinstance(data, dict):
            raise InputError(f"{place}: holds a {type(data).__name__}; expected an object, one a task")
        self.place = place
        self.data = data

    def text(self, *keys: str, default: str | None = None) -> str:
        """The string under the first key that is there, with "\\n" line ends."""
        value = self._first(keys, default)
        if not isinstance(value, str):
            raise InputError(f"{self.place}: {keys[0]} is {_kind(value)}; expected a string")
        return value.replace("\r\n", "\n")

    def texts(self, *keys: str, default: list[str] | None = None) -> list[str]:
        value = self._first(keys, default)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise InputError(f"{self.place}: {keys[0]} is {_kind(value)}; expected a list of strings")
        return [item.replace("\r\n", "\n") for item in value]

    def get(self, key: str) -> Any:
        return self._first((key,), None)

    def _first(self, keys: tuple[str, ...], default: Any) -> Any:
        for key in keys:
            if key in self.data:
                return self.data[key]
        if default is None:
            raise InputError(
                f"{self.place}: has no key '{keys[0]}' (found {', '.join(sorted(self.data)) or 'nothing'});"
                " is the file of another format?"
            )
        return default


def read_json_rows(path: Path) -> list[tuple[str, Any]]:
    """Each row's place, for errors, and its JSON value."""
    if path.name.removesuffix(".gz").endswith(".json"):
        try:
            data = json.loads(read_text(path))
        except (json.JSONDecodeError, RecursionError) as error:
            raise InputError(f"{path}: is not whole JSON: {error}") from error
        if not isinstance(data, list):
            raise InputError(f"{path}: holds {_kind(data)}; expected a list with one object a task")
        return [(f"{path}, row {number}", value) for number, value in enumerate(data, start=1)]
    return [(f"{path}, line {number}", value) for number, value in read_rows(path)]


def read_dataset(path: Path) -> list[Row]:
    """All rows. Raises InputError when there is none, or when a task_id stands twice."""
    rows = [Row(place, value) for place, value in read_json_rows(path)]
    if not rows:
        raise InputError(f"{path}: holds no row")
    once(path, (row.get("task_id") for row in rows))
    return rows


def once(path: Path, ids: Iterable[Any]) -> None:
    ((task_id, count),) = Counter(map(str, ids)).most_common(1)
    if count > 1:
        raise InputError(f"{path}: task_id '{task_id}' stands {count} times; ids must be unique")


def _kind(value: Any) -> str:
    return {type(None): "null", dict: "an object", list: "a list", str: "a string"}.get(
        type(value), f"a {type(value).__name__}"
    )
