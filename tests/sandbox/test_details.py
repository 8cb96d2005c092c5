"""What a verdict says is the same on every machine and names no place of this one."""

from __future__ import annotations

import sys
import sysconfig

import pytest

from codeself.records.judging import JudgeConfig
from codeself.records.verdicts import Candidate
from codeself.sandbox.details import DETAIL_CHARACTERS, detail_text
from codeself.sandbox.judge import Judge
from tests.sandbox.conftest import make_task

STDLIB = sysconfig.get_path("stdlib")


def test_where_python_is_installed_is_not_told() -> None:
    assert detail_text(f"cannot import name 'x' from 'functools' ({STDLIB}/functools.py)") == (
        "cannot import name 'x' from 'functools' (<python>/functools.py)"
    )
    if sys.prefix not in ("/usr", "/usr/local"):  # these tell nothing of this machine
        assert sys.prefix not in detail_text(f"no file {sys.prefix}/lib/x.so")


@pytest.mark.parametrize("kept", [len(STDLIB) - 1, len(STDLIB) // 2 + 2])
def test_a_place_that_a_message_was_cut_in_is_not_told_either(kept: int) -> None:
    said = detail_text(f"from 'functools' ({STDLIB[:kept]}")
    assert said.startswith("from 'functools' (<python>")
    assert STDLIB[:5] not in said


@pytest.mark.parametrize("text", ["a / b", "1/2", "no '/' here", "/", "half of /tmp/x", ""])
def test_other_texts_stay(text: str) -> None:
    assert detail_text(text) == text


@pytest.mark.parametrize(
    "text", ["<generator object f at 0x7fedee0043c0>", "<f.C object at 0x7F1", "<x at 0x55>"]
)
def test_where_an_object_lies_in_memory_is_not_told(text: str) -> None:
    said = detail_text(text)
    assert said == text[: text.index("0x")] + "0x…" + (">" if text.endswith(">") else "")


def test_long_texts_are_trimmed_and_surrogates_written_out() -> None:
    assert len(detail_text("x" * 1000)) == DETAIL_CHARACTERS
    assert detail_text("\ud800") == "\\ud800"


@pytest.mark.parametrize(
    "program",
    [
        "from functools import reduce_all\ndef f(x): return x",
        "def f(x):\n    from functools import reduce_all\n    return x",
        f"def f(x):\n    from functools import {'y' * 200}\n    return x",
    ],
)
def test_a_verdict_names_no_place_of_the_library(program: str) -> None:
    with Judge(JudgeConfig()) as judge:
        verdict = judge.verdict(make_task(), Candidate(status="parsed", program=program))
    said = "\n".join(phase.detail for phase in verdict.phases.values())
    assert "ImportError" in said
    assert STDLIB not in said
    assert STDLIB[: len(STDLIB) // 2] not in said


def test_an_object_that_is_written_out_reads_the_same_in_every_run() -> None:
    program = "def f(x):\n    return str(i for i in [x])"
    with Judge(JudgeConfig()) as judge:
        verdict = judge.verdict(
            make_task(public_tests=[{"args": [[2, 1]], "expected": [1, 2]}]),
            Candidate(status="parsed", program=program),
        )
    said = "\n".join(phase.detail for phase in verdict.phases.values())
    assert "<genexpr> at 0x…>" in said
