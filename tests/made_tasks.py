"""Small tasks for tests of policies and sampling."""

from __future__ import annotations

from pathlib import Path

from codeself.records.digests import sha256_file
from codeself.records.jsonl import write_record, write_records
from codeself.records.tasks import AssertTest, CallTest, SplitManifest, Task


def adding_task(number: int, *, starter: bool = True, wrong: bool = True) -> Task:
    """Add a number to x."""
    name = f"add_{number}"
    head = f'def {name}(x: int) -> int:\n    """Add {number} to x."""\n'
    return Task(
        task_id=f"made/{name}",
        family=name,
        prompt=f"Add {number} to x.",
        entry_point=name,
        starter_code=head if starter else "",
        public_tests=(
            CallTest(args=(1,), expected=1 + number)
            if starter
            else AssertTest(source=f"assert {name}(1) == {1 + number}"),
        ),
        hidden_tests=(
            CallTest(args=(5,), expected=5 + number),
            AssertTest(source=f"assert {name}(-70707) == {number - 70707}"),
        ),
        locked_tests=(CallTest(args=(60606,), expected=60606 + number),),
        reference_solution=head + f"    return x + {number}\n",
        wrong_variants=(head + f"    return x - {number}\n",) if wrong else (),
    )


def write_task_set(folder: Path, tasks: list[Task]) -> tuple[Path, Path]:
    """The task file, and a split manifest with every task in test."""
    path = folder / "tasks.jsonl"
    write_records(path, tasks)
    ids = tuple(task.task_id for task in tasks)
    manifest = SplitManifest(
        taskset="made",
        tasks_sha256=sha256_file(path),
        seed=0,
        fractions={"train": 0.0, "dev": 0.0, "test": 1.0},
        families={"train": (), "dev": (), "test": tuple(task.family for task in tasks)},
        task_ids={"train": (), "dev": (), "test": ids},
    )
    write_record(folder / "splits.json", manifest)
    return path, folder / "splits.json"
