"""The canonical file."""

from __future__ import annotations

import gzip
from pathlib import Path

from codeself.records.jsonl import write_records
from codeself.tasks.formats.canonical import load_canonical
from tests.tasks.made_up import made_up


def test_tasks_without_an_origin_get_the_sets_name(tmp_path: Path) -> None:
    tasks = [made_up(), made_up(task_id="b", origin="elsewhere")]
    write_records(tmp_path / "t.jsonl", tasks)
    (tmp_path / "t.jsonl.gz").write_bytes(gzip.compress((tmp_path / "t.jsonl").read_bytes()))
    for name in ("t.jsonl", "t.jsonl.gz"):
        assert [task.origin for task in load_canonical(tmp_path / name, "mine")] == ["mine", "elsewhere"]
