"""fetch-dataset as a person calls it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from codeself.records.digests import sha256_bytes

CONTENT = b'{"task_id": 1}\n'


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "codeself", "fetch-dataset", *map(str, arguments)],
        capture_output=True,
        text=True,
    )


def test_a_local_copy_is_checked_and_copied_in_silence(tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(CONTENT)
    done = run(
        "--path", tmp_path / "copy", "--sha256", sha256_bytes(CONTENT), "--output", tmp_path / "o.jsonl"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "o.jsonl").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--path", "COPY", "--sha256", "0" * 64], 3, "has sha256 "),
        (["--path", "COPY"], 2, "needs a sha256 or a content_sha256"),
        (["--sha256", "0" * 64], 2, "needs a url or a path"),
        (["--path", "COPY", "--sha256", "abc"], 2, "sha256: .*found 'abc'"),
        (["--path", "NONE", "--sha256", "0" * 64], 3, "cannot be read: No such file"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, arguments: list[str], code: int, message: str) -> None:
    (tmp_path / "copy").write_bytes(CONTENT)
    places = {"COPY": tmp_path / "copy", "NONE": tmp_path / "none"}
    done = run(*(places.get(argument, argument) for argument in arguments), "--output", tmp_path / "o.jsonl")
    assert done.returncode == code
    assert done.stderr.count("\n") == 1
    assert re.search(message, done.stderr), done.stderr
    assert not (tmp_path / "o.jsonl").exists()
