"""Fetching: the pinned file or nothing, from a copy or a real server."""

from __future__ import annotations

import gzip
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from codeself.records.datasets import DatasetFile
from codeself.records.digests import sha256_bytes, sha256_json
from codeself.records.errors import SourceError
from codeself.tasks import datasets as fetching
from codeself.tasks.datasets import content_digest, fetch_dataset

ROWS = [{"task_id": n, "text": "ä" * n} for n in range(200)]
CONTENT = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
WRONG = "0" * 64


class Server(http.server.BaseHTTPRequestHandler):
    failures = 0  # answers 503 this many times before it answers
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        if self.path != "/rows.jsonl":
            self.send_error(404)
        elif type(self).asked <= self.failures:
            self.send_error(503)
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(fetching.time, "sleep", lambda seconds: None)
    Server.failures = Server.asked = 0
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()


def test_a_file_is_downloaded_with_progress(server: str, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    source = DatasetFile(url=f"{server}/rows.jsonl", sha256=sha256_bytes(CONTENT))
    fetch_dataset(source, tmp_path / "rows.jsonl", progress=lambda done, total: seen.append((done, total)))
    assert (tmp_path / "rows.jsonl").read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_server_that_stumbles_is_asked_again(server: str, tmp_path: Path) -> None:
    Server.failures = 2
    source = DatasetFile(url=f"{server}/rows.jsonl", sha256=sha256_bytes(CONTENT))
    fetch_dataset(source, tmp_path / "rows.jsonl")
    assert Server.asked == 3


def test_a_server_that_keeps_stumbling_is_one_clear_line(server: str, tmp_path: Path) -> None:
    Server.failures = 9
    source = DatasetFile(url=f"{server}/rows.jsonl", sha256=sha256_bytes(CONTENT))
    with pytest.raises(SourceError, match=r"cannot be downloaded: Service Unavailable \(3 tries\)"):
        fetch_dataset(source, tmp_path / "rows.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_address_is_not_asked_again(server: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"Not Found \(1 try\)"):
        fetch_dataset(DatasetFile(url=f"{server}/none", sha256=WRONG), tmp_path / "rows.jsonl")
    assert Server.asked == 1


def test_no_network_is_one_clear_line_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching.time, "sleep", lambda seconds: None)
    # Port 1 of the loopback: nobody listens there.
    with pytest.raises(SourceError, match=r"refused.*name a local copy of rows\.jsonl as path") as caught:
        fetch_dataset(DatasetFile(url="http://127.0.0.1:1/rows.jsonl", sha256=WRONG), tmp_path / "rows.jsonl")
    assert "\n" not in str(caught.value)


def test_another_file_than_the_pinned_one_is_refused_and_nothing_written(server: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(b"old")
    source = DatasetFile(url=f"{server}/rows.jsonl", sha256=WRONG)
    with pytest.raises(SourceError, match=f"has sha256 {sha256_bytes(CONTENT)}; expected {WRONG}"):
        fetch_dataset(source, tmp_path / "rows.jsonl")
    assert (tmp_path / "rows.jsonl").read_bytes() == b"old"


def test_a_local_copy_comes_before_the_url(tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(CONTENT)
    source = DatasetFile(url="http://127.0.0.1:1/", path=str(tmp_path / "copy"), sha256=sha256_bytes(CONTENT))
    fetch_dataset(source, tmp_path / "out" / "rows.jsonl")
    assert (tmp_path / "out" / "rows.jsonl").read_bytes() == CONTENT


def test_a_missing_local_copy_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.jsonl: cannot be read: No such file"):
        fetch_dataset(DatasetFile(path=str(tmp_path / "none.jsonl"), sha256=WRONG), tmp_path / "o.jsonl")


def test_the_content_digest_holds_for_a_copy_laid_out_differently(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text(json.dumps(ROWS, indent=4))
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(CONTENT))
    for name in ("rows.json", "rows.jsonl.gz"):
        assert content_digest(tmp_path / name) == sha256_json(ROWS)
        source = DatasetFile(path=str(tmp_path / name), content_sha256=sha256_json(ROWS))
        fetch_dataset(source, tmp_path / f"out-{name}")
    source = DatasetFile(path=str(tmp_path / "rows.json"), content_sha256=WRONG)
    with pytest.raises(SourceError, match=f"has content_sha256 {sha256_json(ROWS)}; expected {WRONG}"):
        fetch_dataset(source, tmp_path / "third.json")
    assert not (tmp_path / "third.json").exists()


def test_a_page_instead_of_a_dataset_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("<html>sign in</html>")
    with pytest.raises(SourceError, match="page: is not a dataset's file: line 1: is not whole JSON"):
        fetch_dataset(DatasetFile(path=str(tmp_path / "page"), content_sha256=WRONG), tmp_path / "rows.jsonl")
