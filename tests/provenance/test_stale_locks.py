"""Locks go when nobody holds them any more, and only then."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from codeself.provenance.stale_locks import remove_stale_locks


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    """A folder with a small workflow that a killed run left locked."""
    folder = tmp_path / "work"
    locks = folder / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("results/a\n")
    (folder / "Snakefile").write_text('rule a:\n    output: "a"\n    shell: "touch {output}"\n')
    return folder


@pytest.fixture
def program(tmp_path: Path) -> Iterator[object]:
    """Starts a program of any name that sleeps in a folder."""
    started: list[subprocess.Popen] = []

    def start(name: str, folder: Path, seconds: float = 60) -> subprocess.Popen:
        script = tmp_path / name
        script.write_text(f"import time\nprint('up', flush=True)\ntime.sleep({seconds})\n")
        process = subprocess.Popen([sys.executable, str(script)], cwd=folder, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def locked(folder: Path) -> bool:
    return any((folder / ".snakemake" / "locks").glob("*.lock"))


def test_locks_that_nobody_holds_are_removed(workflow: Path) -> None:
    assert remove_stale_locks(workflow)
    assert not locked(workflow)


def test_without_locks_nothing_is_done(tmp_path: Path) -> None:
    assert not remove_stale_locks(tmp_path)
    assert not (tmp_path / ".snakemake").exists()


def test_the_locks_of_a_run_at_work_are_left(workflow: Path, program) -> None:
    program("snakemake", workflow)
    assert not remove_stale_locks(workflow)
    assert locked(workflow)


def test_a_run_in_another_folder_does_not_count(workflow: Path, program, tmp_path: Path) -> None:
    program("snakemake", tmp_path)
    assert remove_stale_locks(workflow)


def test_a_job_that_outlived_its_run_is_waited_for(workflow: Path, program, capsys) -> None:
    job = program("codeself", workflow, seconds=1.5)
    assert remove_stale_locks(workflow)
    # Gone, or a zombie that only this test has yet to collect.
    assert job.wait(timeout=1) == 0
    assert f"waiting for process {job.pid}" in capsys.readouterr().err


def test_a_process_that_ends_while_it_is_looked_at_is_passed_over(workflow: Path, tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    (proc / "123").mkdir(parents=True)  # no cmdline, no cwd
    assert remove_stale_locks(workflow, proc)
    assert not locked(workflow)
