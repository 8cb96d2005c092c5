"""Files appear whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from codeself.records.errors import CodeselfError
from codeself.records.files import write_bytes, write_text, writing


def test_a_failure_in_the_middle_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail() -> None:
        with writing(path) as stream:
            stream.write("half of the new")
            stream.flush()
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_nobody_sees_a_file_before_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "a.txt"
    with writing(path) as stream:
        stream.write("half")
        stream.flush()
        assert not path.exists()
    assert path.read_text() == "half"


def test_a_kill_in_the_middle_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom codeself.records.files import writing\n"
        "with writing(Path(sys.argv[1])) as stream:\n"
        "    stream.write('half')\n    stream.flush()\n    print('writing', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert path.read_text() == "old"


def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this machine has no /dev/full")
    path = tmp_path / "a.txt"

    def fill() -> None:
        with writing(path) as stream, full.open("w") as device:
            # The temporary file's descriptor now writes to a device that is always full.
            os.dup2(device.fileno(), stream.fileno())
            stream.write("x" * 100_000)

    with pytest.raises(CodeselfError, match=r"a\.txt: cannot be written: No space left"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    write_text(tmp_path / "file", "")
    with pytest.raises(CodeselfError, match="cannot be written"):
        write_bytes(tmp_path / "file" / "below", b"")


def test_an_artifact_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_text(tmp_path / "a", "")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


def test_line_ends_are_the_same_everywhere(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "one\ntwo\r\n")
    assert (tmp_path / "a").read_bytes() == b"one\ntwo\r\n"
