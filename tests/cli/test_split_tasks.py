"""split-tasks, from a file to a manifest."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeself.cli.split_tasks import command
from codeself.records.digests import sha256_file
from codeself.records.errors import InputError
from codeself.records.jsonl import read_record, write_records
from codeself.records.tasks import SplitManifest
from tests.tasks.made_up import made_up


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    made = [
        made_up(task_id=f"f{n}/{v}", family=f"f{n}", metadata={"split": "dev"})
        for n in range(5)
        for v in range(2)
    ]
    write_records(tmp_path / "t.jsonl", made)
    return tmp_path / "t.jsonl"


def test_the_manifest_names_its_tasks_and_how_they_were_dealt(tasks: Path, tmp_path: Path) -> None:
    command(tasks=tasks, taskset="mine", output=tmp_path / "s.json", seed=3)
    manifest = read_record(tmp_path / "s.json", SplitManifest)
    assert (manifest.taskset, manifest.method, manifest.seed) == ("mine", "hash", 3)
    assert manifest.tasks_sha256 == sha256_file(tasks)
    assert sum(map(len, manifest.task_ids.values())) == 10
    # All five families hold the same task: they are one cluster.
    assert sum(bool(ids) for ids in manifest.task_ids.values()) == 1


def test_the_same_call_gives_the_same_bytes(tasks: Path, tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        command(tasks=tasks, taskset="mine", output=tmp_path / name)
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_origin_takes_the_datasets_own_split(tasks: Path, tmp_path: Path) -> None:
    command(tasks=tasks, taskset="mine", output=tmp_path / "s.json", method="origin")
    assert len(read_record(tmp_path / "s.json", SplitManifest).task_ids["dev"]) == 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"train": 0.9}, "fractions: .*add up to 1"), ({"method": "random"}, "method: .*found 'random'")],
)
def test_flags_that_do_not_fit_are_named(
    tasks: Path, tmp_path: Path, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        command(tasks=tasks, taskset="mine", output=tmp_path / "s.json", **arguments)  # type: ignore[arg-type]
