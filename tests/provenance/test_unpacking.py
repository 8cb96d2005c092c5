"""Whatever a stranger packed: it unpacks to plain files inside one folder, or is refused."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from codeself.provenance.archive import FOLDER
from codeself.provenance.unpacking import read_sums, take, unpack
from codeself.records.errors import InputError


def packed(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            member.size = 2 if member.isfile() else 0
            tar.addfile(member, io.BytesIO(b"{}"))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "manifest.json"
    return info


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([member(f"{FOLDER}/../outside")], "no plain file"),
        ([member("/absolute")], "no plain file"),
        ([member("elsewhere/manifest.json")], "no plain file"),
        ([member("")], "no plain file"),
        ([member(FOLDER)], "no plain file"),
        ([member(f"{FOLDER}/manifest.json", tarfile.SYMTYPE)], "no plain file"),
        ([member(f"{FOLDER}/manifest.json", tarfile.LNKTYPE)], "no plain file"),
        ([member(f"{FOLDER}/manifest.json", tarfile.CHRTYPE)], "no plain file"),
        ([member(f"{FOLDER}/manifest.json", tarfile.FIFOTYPE)], "no plain file"),
        ([member(f"{FOLDER}/folder", tarfile.DIRTYPE)], "no plain file"),
        ([member(f"{FOLDER}/manifest.json"), member(f"{FOLDER}/manifest.json")], "twice"),
        ([member(f"{FOLDER}/manifest.json"), member(f"{FOLDER}//manifest.json")], "no plain name"),
        ([member(f"{FOLDER}/./manifest.json")], "no plain name"),
        ([member(f"{FOLDER}/\x1b[2J")], "no plain name"),
        ([member(f"{FOLDER}/a"), member(f"{FOLDER}/a/b")], "cannot be unpacked"),
        ([member(f"{FOLDER}/a")], "holds no manifest.json"),
    ],
)
def test_what_is_no_archive_of_ours_is_refused(
    members: list[tarfile.TarInfo], words: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=words) as error:
        unpack(packed(tmp_path / "a.tar.gz", *members), tmp_path / "out")
    assert str(error.value).isprintable()
    assert {path.name for path in tmp_path.iterdir()} <= {"a.tar.gz", "out"}


def test_an_archive_that_is_larger_than_allowed_for_is_refused_before_it_fills_the_disk(
    tmp_path: Path,
) -> None:
    large = tarfile.TarInfo(f"{FOLDER}/manifest.json")
    large.size = 2**22
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.addfile(large, io.BytesIO(bytes(large.size)))
    with pytest.raises(InputError, match="larger than"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "out", most_bytes=2**21)
    assert not (tmp_path / "out").exists()
    assert unpack(tmp_path / "a.tar.gz", tmp_path / "out", most_bytes=2**22).is_dir()


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_claims_gigabytes_is_not_read_into_memory(kind: bytes, tmp_path: Path) -> None:
    header = tarfile.TarInfo("header")
    header.type, header.size = kind, 2**32
    with gzip.open(tmp_path / "a.tar.gz", "wb") as stream:
        stream.write(header.tobuf() + bytes(2**20))
    with pytest.raises(InputError, match="a header claims"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "out")


def test_a_sparse_file_is_refused(tmp_path: Path) -> None:
    sparse = member(f"{FOLDER}/manifest.json")
    sparse.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(2**40)}
    with pytest.raises(InputError, match=r"a\.tar\.gz"):
        unpack(packed(tmp_path / "a.tar.gz", sparse), tmp_path / "out")


def test_a_folder_with_a_link_in_it_is_refused_and_another_is_copied(tmp_path: Path) -> None:
    (tmp_path / "record").mkdir()
    (tmp_path / "record" / "manifest.json").write_text("{}")
    copy = take(tmp_path / "record", tmp_path / "copy")
    (copy / "manifest.json").write_text("[]")
    assert (tmp_path / "record" / "manifest.json").read_text() == "{}"
    for name, make in (("link", lambda path: path.symlink_to("/etc/passwd")), ("pipe", os.mkfifo)):
        make(tmp_path / "record" / name)
        with pytest.raises(InputError, match=f"holds '{name}'"):
            take(tmp_path / "record", tmp_path / name)
        (tmp_path / "record" / name).unlink()


def test_a_file_that_is_listed_twice_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  a\n{'1' * 64}  a\n")
    with pytest.raises(InputError, match="line 2"):
        read_sums(tmp_path)
