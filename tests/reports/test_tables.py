"""The per-task table comes back as it was written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeself.records.errors import InputError
from codeself.records.metrics import TaskRow
from codeself.reports.tables import read_rows, write_rows

names = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), min_size=1)
rows = st.builds(
    TaskRow,
    task_id=names,
    family=names,
    greedy_hidden=st.none() | st.booleans(),
    greedy_locked=st.none() | st.booleans(),
    samples=st.integers(0, 99),
    right_hidden=st.integers(0, 99),
    right_locked=st.none() | st.integers(0, 99),
    informative=st.none() | st.booleans(),
    parse_failures=st.integers(0, 9),
    truncated=st.integers(0, 9),
    mean_tokens=st.floats(0, 1e6),
    infrastructure=st.integers(0, 9),
)


@given(st.lists(rows, max_size=5))
def test_rows_survive_the_file(tmp_path_factory: pytest.TempPathFactory, written: list[TaskRow]) -> None:
    path = tmp_path_factory.mktemp("table") / "rows.csv"
    write_rows(path, written)
    assert read_rows(path) == written


def test_a_bad_cell_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("task_id,family,samples\na,b,many\n")
    with pytest.raises(InputError, match=r"rows.csv, line 2: .*is missing"):
        read_rows(path)
    path.write_text("")
    with pytest.raises(InputError, match="is not a per-task table"):
        read_rows(path)
