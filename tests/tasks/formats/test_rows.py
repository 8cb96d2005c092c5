"""Rows of dataset files: either layout, packed or not, every error with its place."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from codeself.records.errors import InputError
from codeself.tasks.formats.rows import Row, read_dataset

ROWS = [{"task_id": 1, "code": "a\r\nb"}, {"task_id": 2, "code": "c"}]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.jsonl", "\n".join(map(json.dumps, ROWS)).encode()),
        ("rows.json", json.dumps(ROWS, indent=2).encode()),
        ("rows.jsonl.gz", gzip.compress("\n".join(map(json.dumps, ROWS)).encode(), mtime=0)),
        ("rows.json.gz", gzip.compress(json.dumps(ROWS).encode(), mtime=0)),
    ],
)
def test_every_layout_gives_the_same_rows(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    rows = read_dataset(tmp_path / name)
    assert [row.data for row in rows] == ROWS
    assert rows[0].text("code") == "a\nb"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("r.jsonl", '{"task_id": 1}\n[2]\n', r"r\.jsonl, line 2: holds a list; expected an object"),
        ("r.json", '{"task_id": 1}', r"r\.json: holds an object; expected a list"),
        ("r.json", '[{"task_id": 1}, {"task_id": ', r"r\.json: is not whole JSON"),
        ("r.jsonl", "", r"r\.jsonl: holds no row"),
        ("r.jsonl", '{"task_id": 1}\n{"task_id": 1}\n', "task_id '1' stands 2 times"),
        ("r.jsonl", '{"id": 1}\n', "line 1: has no key 'task_id' .found id.; is the file of another format"),
    ],
)
def test_errors_name_the_place(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        read_dataset(tmp_path / name)


@pytest.mark.parametrize("value", [1, None, ["a", 1], {}])
def test_a_value_of_another_type_names_its_key(value: Any) -> None:
    row = Row("file, line 7", {"key": value})
    with pytest.raises(InputError, match=r"file, line 7: key is .*; expected a string"):
        row.text("key")
    with pytest.raises(InputError, match=r"file, line 7: key is .*; expected a list of strings"):
        row.texts("key")


def test_keys_are_looked_for_in_order() -> None:
    row = Row("here", {"prompt": "b"})
    assert row.text("text", "prompt") == "b"
    assert row.text("setup", default="") == ""
