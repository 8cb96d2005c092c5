"""What gives away a host, a user or a secret is refused, with its file and line."""

from __future__ import annotations

import json

import pytest

from codeself.provenance.scrubbing import Scrubber
from codeself.records.errors import InputError
from codeself.reports.page_data import packed

HOST = {"home": "/home/ada", "here": "/srv/lab/run 7", "user": "ada", "host": "tilde.lab.example"}
# In two pieces, so that no search for secrets stops at this file.
TOKEN = "hf_" + "a1" * 20
SCRUBBER = Scrubber(
    ["bluebird"], **HOST, environment={"LAB_API_KEY": "correct-horse-battery", "DEBUG_TOKEN": "1"}
)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("read /home/ada/data", "the home folder"),
        ("in /srv/lab/run 7: failed", "the folder of this run"),
        ("see /Users/ada/notes", "the user's name"),
        ("mail ada@example.org", "the user's name"),
        ("on tilde.lab.example.", "the host's name"),
        ("on tilde, at noon", "the host's name"),
        (f"token {TOKEN}", "a token of a model hub"),
        ("-----BEGIN RSA PRIVATE" + " KEY-----", "a private key"),
        ("AKIA" + "ABCDEFGHIJKLMNOP", "an access key"),
        ("key=correct-horse-battery", "the value of LAB_API_KEY"),
        ("project bluebird", "'bluebird'"),
    ],
)
def test_it_is_refused_with_its_place(text: str, what: str) -> None:
    with pytest.raises(InputError) as refused:
        SCRUBBER.check("tasks/a.jsonl", f"one\ntwo\n{text}\n".encode())
    assert f"tasks/a.jsonl, line 3: holds {what};" in str(refused.value)


@pytest.mark.parametrize(
    "text", ["Ada's armada has 11 ships", "/home/adam/x", "until the tildes", "bluebirds", "1"]
)
def test_words_that_only_look_alike_pass(text: str) -> None:
    SCRUBBER.check("a", text.encode())


def test_a_policys_own_words_may_name_any_path_but_hold_no_secret() -> None:
    row = {"task_id": "t", "completion": "open('/home/ada/x')", "candidate": {"program": "# /home/ada"}}
    SCRUBBER.check("a", json.dumps(row).encode())
    with pytest.raises(InputError, match="home folder"):
        SCRUBBER.check("a", json.dumps({**row, "detail": "at /home/ada/lib.py"}).encode())
    with pytest.raises(InputError, match="a token"):
        SCRUBBER.check("a", json.dumps({**row, "completion": TOKEN}).encode())


def test_the_page_of_attempts_holds_policies_words_too() -> None:
    def page(**data: object) -> bytes:
        return f'<script type="application/gzip" id="data">{packed(data)}</script>\n'.encode()

    SCRUBBER.check("traces.html", page(texts=["x = tilde", "# /home/ada"], traces=[]))
    with pytest.raises(InputError, match="the host's name"):
        SCRUBBER.check("traces.html", page(texts=[], traces=[{"said": "on tilde"}]))
    with pytest.raises(InputError, match=r"traces\.html, line 3: holds a token"):
        SCRUBBER.check("traces.html", b"<html>\n\n" + page(texts=[TOKEN], traces=[]))


@pytest.mark.parametrize("host", ["vm", "pc1", "ubuntu", "localhost"])
def test_a_host_called_by_a_common_word_is_not_looked_for(host: str) -> None:
    Scrubber(**{**HOST, "host": host}, environment={}).check("a", f"{host} = 1".encode())
    with pytest.raises(InputError, match="the host's name"):
        Scrubber(**{**HOST, "host": f"{host}.lab.example"}, environment={}).check(
            "a", f"on {host}.lab.example".encode()
        )


def test_a_home_that_every_machine_has_is_not_looked_for() -> None:
    home = "/ro" + "ot"  # in pieces: no tracked file names it
    shared = Scrubber(**{**HOST, "home": home}, environment={})
    shared.check("a", json.dumps({"detail": f"no such file: {home}/x"}).encode())
    with pytest.raises(InputError, match="the folder of this run"):
        shared.check("a", json.dumps({"detail": "in /srv/lab/run 7"}).encode())
