"""validate-tasks: a clean set gets its report; a leak fails the command and is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from codeself.cli.validate_tasks import command
from codeself.records.jsonl import read_record, write_records
from codeself.tasks.validation import ValidationReport
from tests.tasks.made_up import made_up


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "codeself", "validate-tasks", *map(str, arguments)],
        capture_output=True,
        text=True,
    )


def test_a_clean_set_gets_its_report(tmp_path: Path) -> None:
    write_records(tmp_path / "t.jsonl", [made_up()])
    command(tasks=tmp_path / "t.jsonl", output=tmp_path / "r.json")
    assert read_record(tmp_path / "r.json", ValidationReport).errors == 0


def test_a_leak_is_one_line_and_exit_code_2_and_leaves_the_report_beside(tmp_path: Path) -> None:
    leaks = [made_up(task_id=f"mine/{n}", prompt=f"{n}: double(3) == 6") for n in range(2)]
    write_records(tmp_path / "t.jsonl", leaks)
    done = run("--tasks", tmp_path / "t.jsonl", "--output", tmp_path / "r.json")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "t.jsonl: task 'mine/0': a hidden test can be read" in done.stderr
    assert not (tmp_path / "r.json").exists()
    assert read_record(tmp_path / "r.json.rejected", ValidationReport).errors == 2


def test_flaws_of_public_datasets_pass_where_that_is_allowed(tmp_path: Path) -> None:
    write_records(tmp_path / "t.jsonl", [made_up(prompt="double(3) == 6")])
    done = run("--tasks", tmp_path / "t.jsonl", "--output", tmp_path / "r.json", "--allow-origin-leaks")
    assert done.returncode == 0
    assert "1 tasks are valid; 1 hidden_test_shown" in done.stderr
    assert read_record(tmp_path / "r.json", ValidationReport).allow_origin_leaks
