"""index-reports: every report, its digest and its size."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from codeself.cli.index_reports import command
from codeself.records.errors import InputError


def test_the_index_says_what_each_report_is(tmp_path: Path) -> None:
    page, text = tmp_path / "reports" / "b.html", tmp_path / "reports" / "sub" / "a.md"
    text.parent.mkdir(parents=True)
    page.write_text("<title>Gains &amp; losses</title>")
    text.write_text("# Plain\n")
    command([page, text], tmp_path / "reports" / "all")
    index = json.loads((tmp_path / "reports" / "all").read_text())
    assert [report["path"] for report in index["reports"]] == ["b.html", "sub/a.md"]
    assert [report["title"] for report in index["reports"]] == ["Gains & losses", "Plain"]
    assert index["reports"][0]["sha256"] == hashlib.sha256(page.read_bytes()).hexdigest()
    assert index["reports"][1]["bytes"] == 8
    shown = (tmp_path / "reports" / "index.html").read_text()
    assert '<a href="sub/a.md">' in shown
    assert "Gains &amp; losses" in shown


def test_the_order_given_does_not_matter(tmp_path: Path) -> None:
    files = [tmp_path / "a.md", tmp_path / "b.md"]
    for path in files:
        path.write_text("# x\n")
    command(files, tmp_path / "all")
    first = (tmp_path / "all").read_bytes()
    command(files[::-1], tmp_path / "all")
    assert (tmp_path / "all").read_bytes() == first


def test_a_missing_report_is_named_and_no_index_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone.html: cannot be read: No such file"):
        command([tmp_path / "gone.html"], tmp_path / "all")
    (tmp_path / "a.md").write_text("# x\n")
    with pytest.raises(InputError, match="given twice"):
        command([tmp_path / "a.md", tmp_path / "a.md"], tmp_path / "all")
    assert not (tmp_path / "all").exists()
