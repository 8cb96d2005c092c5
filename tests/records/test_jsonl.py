"""JSON Lines: every error names its file and line, and files are whole."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeself.records.base import Record
from codeself.records.errors import InputError
from codeself.records.jsonl import dumps, read_record, read_records, read_rows, write_record, write_records
from codeself.records.tasks import read_tasks


class Point(Record):
    x: int
    name: str = ""


def test_records_come_back_as_they_were_written(tmp_path: Path) -> None:
    points = [Point(x=1, name="a\u2028b"), Point(x=2, name="\ud800 lone"), Point(x=3, name='"\n')]
    assert write_records(tmp_path / "p.jsonl", points) == 3
    assert read_records(tmp_path / "p.jsonl", Point) == points
    assert (tmp_path / "p.jsonl").read_bytes().count(b"\n") == 3


@given(st.recursive(st.integers() | st.text(), lambda i: st.lists(i) | st.dictionaries(st.text(), i)))
def test_a_row_is_one_line_of_ascii(data: object) -> None:
    line = dumps(data)
    assert "\n" not in line
    assert line.isascii()
    assert json.loads(line) == data


def test_gz_is_read_like_plain(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl.gz").write_bytes(gzip.compress(b'{"x": 1}\n\n{"x": 2}'))
    assert [point.x for point in read_records(tmp_path / "p.jsonl.gz", Point)] == [1, 2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"x": 1}\n{"x": \n', "line 2: is not whole JSON"),
        (b'{"x": 1}\n\n{"x": "one"}\n', "line 3: x: .*integer.*found 'one'"),
        (b'{"x": 1, "y": 2}\n', "line 1: y: is not a known key"),
        (b'{"name": "a"}\n', "line 1: x: is missing"),
        (b"[1]\n", "line 1: "),
        (b"\xff\xfe\n", "is not UTF-8 text"),
        (b"[" * 200_000 + b"\n", "line 1: is not whole JSON"),
    ],
)
def test_errors_name_file_line_and_key(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_records(path, Point)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_truncated_gz_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"x": 1}\n' * 1000)[:-12])
    with pytest.raises(InputError, match="not a whole gzip file"):
        list(read_rows(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl: cannot be read: No such file"):
        read_records(tmp_path / "none.jsonl", Point)


def test_a_failing_source_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    write_records(path, [Point(x=1)])

    def fails_in_the_middle():  # type: ignore[no-untyped-def]
        yield Point(x=2)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        write_records(path, fails_in_the_middle())
    assert read_records(path, Point) == [Point(x=1)]
    assert [entry.name for entry in tmp_path.iterdir()] == ["p.jsonl"]


def test_a_single_record_has_its_line_in_errors(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    write_record(path, Point(x=1))
    assert read_record(path, Point) == Point(x=1)
    path.write_text('{\n "x": 1,\n}')
    with pytest.raises(InputError, match="line 3: is not whole JSON"):
        read_record(path, Point)


def test_tasks_need_one_id_each(tmp_path: Path) -> None:
    task = {
        "task_id": "a",
        "family": "a",
        "prompt": "p",
        "entry_point": "f",
        "hidden_tests": [{"args": [1], "expected": 1}],
        "reference_solution": "def f(x): return x",
    }
    path = tmp_path / "tasks.jsonl"
    path.write_text("".join(json.dumps(task) + "\n" for _ in range(2)))
    with pytest.raises(InputError, match="task_id 'a' stands 2 times"):
        read_tasks(path)
    path.write_text("")
    with pytest.raises(InputError, match="holds no task"):
        read_tasks(path)
    path.write_text(json.dumps(task | {"hidden_tests": []}))
    with pytest.raises(InputError, match="line 1: hidden_tests"):
        read_tasks(path)
    path.write_text(json.dumps(task | {"hidden_tests": [{"args": [{"$tuple": 1}], "expected": 1}]}))
    with pytest.raises(InputError, match=r"line 1: hidden_tests\.0\.call\.args: .*not an encoded value"):
        read_tasks(path)
