"""An archive is the same bytes for the same files, and unpacks to nothing but them."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from codeself.provenance.archive import write_archive
from codeself.provenance.scrubbing import Scrubber
from codeself.provenance.unpacking import unpack
from codeself.records.errors import InputError

SCRUBBER = Scrubber(home="/home/ada", here="/srv/run", user="ada", host="tilde", environment={})


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    made = {"manifest.json": "{}\n", "results/tasks/a.jsonl": '{"a":1}\n', "results/" + "long" * 40: "x"}
    for name, text in made.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(text)
    return {name: tmp_path / "in" / name for name in made}


def test_the_same_files_give_the_same_bytes_whatever_their_times_modes_and_order(
    files: dict[str, Path], tmp_path: Path
) -> None:
    write_archive(tmp_path / "a.tar.gz", files, SCRUBBER)
    for path in files.values():
        os.utime(path, (1, 1))
        path.chmod(0o600)
    write_archive(tmp_path / "other.tar.gz", dict(reversed(files.items())), SCRUBBER)
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "other.tar.gz").read_bytes()
    with tarfile.open(tmp_path / "a.tar.gz") as tar:
        members = tar.getmembers()
    assert [member.name for member in members] == sorted(member.name for member in members)
    assert {(m.uid, m.gid, m.uname, m.gname, m.mode, m.mtime) for m in members} == {
        (0, 0, "", "", 0o644, 315532800)
    }


def test_it_unpacks_to_the_same_files_and_their_digests(files: dict[str, Path], tmp_path: Path) -> None:
    write_archive(tmp_path / "a.tar.gz", files, SCRUBBER)
    record = unpack(tmp_path / "a.tar.gz", tmp_path / "out")
    found = {str(path.relative_to(record)) for path in record.rglob("*") if path.is_file()}
    assert found == {*files, "SHA256SUMS"}
    assert all((record / name).read_bytes() == path.read_bytes() for name, path in files.items())


def test_a_file_that_names_the_home_folder_leaves_no_archive(files: dict[str, Path], tmp_path: Path) -> None:
    files["results/tasks/a.jsonl"].write_text('{"a":1}\n{"b":"/home/ada/x"}\n')
    with pytest.raises(InputError, match=r"a\.jsonl, line 2: holds the home folder"):
        write_archive(tmp_path / "a.tar.gz", files, SCRUBBER)
    assert not (tmp_path / "a.tar.gz").exists()


def test_a_damaged_archive_is_refused(files: dict[str, Path], tmp_path: Path) -> None:
    write_archive(tmp_path / "a.tar.gz", files, SCRUBBER)
    whole = (tmp_path / "a.tar.gz").read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:40] + b"\0\0\0\0" + whole[44:], b"no archive"):
        (tmp_path / "b.tar.gz").write_bytes(damaged)
        with pytest.raises(InputError, match=r"b\.tar\.gz: cannot be unpacked"):
            unpack(tmp_path / "b.tar.gz", tmp_path / "out")
