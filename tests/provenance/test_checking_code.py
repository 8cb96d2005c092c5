"""The code that a record names is that of the commit, by the history of the checkout."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from codeself.provenance.checking_code import check_code
from codeself.provenance.environment import code_version
from codeself.records.digests import sha256_file
from codeself.records.manifest import FileDigest, Manifest

FILES = {"codeself/a.py": "A = 1\n", "codeself/sub/b.py": "B = 2\n", "CITATION.cff": "title: codeself\n"}


def git(folder: Path, *words: str) -> None:
    name = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", *name, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    return tmp_path


def record_of(checkout: Path) -> Manifest:
    """What of a manifest tells the code."""
    path = checkout / "CITATION.cff"
    given = FileDigest(path=path.name, sha256=sha256_file(path), bytes=path.stat().st_size)
    return Manifest.model_construct(code=code_version(checkout / "codeself"), inputs=(given,))


def found(manifest: Manifest, checkout: Path) -> dict[str, str]:
    return {claim.subject.rpartition(" ")[2]: claim.state for claim in check_code(manifest, checkout)}


def test_the_package_of_a_commit_is_found_again_whatever_is_checked_out(checkout: Path) -> None:
    manifest = record_of(checkout)
    (checkout / "codeself/a.py").write_text("A = 3\n")
    git(checkout, "commit", "--quiet", "-am", "second")
    assert found(manifest, checkout) == {"code.package_sha256": "exact"}


def test_a_citation_or_a_package_that_the_commit_does_not_have_is_different(checkout: Path) -> None:
    (checkout / "CITATION.cff").write_text("title: codeself, the best\n")
    assert found(record_of(checkout), checkout) == {
        "code.package_sha256": "exact",
        "CITATION.cff": "different",
    }
    manifest = record_of(checkout)
    forged = manifest.code.model_copy(update={"package_sha256": "0" * 64})
    manifest = Manifest.model_construct(code=forged, inputs=())
    assert found(manifest, checkout) == {"code.package_sha256": "different"}


def test_what_history_does_not_have_is_unchecked(checkout: Path) -> None:
    code = record_of(checkout).code
    for changes in ({"commit": "0" * 40}, {"commit": "--output=x"}, {"changes_sha256": "0" * 64}):
        manifest = Manifest.model_construct(code=code.model_copy(update=changes), inputs=())
        assert found(manifest, checkout) == {"code.package_sha256": "unchecked"}
    outside = Manifest.model_construct(code=code.model_copy(update={"commit": ""}), inputs=())
    assert found(outside, checkout) == {}
