"""MBPP, full and sanitized."""

from __future__ import annotations

import ast
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from codeself.records.errors import InputError
from codeself.records.tasks import AssertTest, CallTest
from codeself.tasks.formats.mbpp import entry_point, load_mbpp, origin_split
from codeself.tasks.syntax import parse
from tests.tasks.formats.running import run_here

ROW = {
    "text": "Write a function to add.",
    "code": "def helper(a):\r\n    return a\r\ndef add(a, b):\r\n    return helper(a) + b",
    "task_id": 11,
    "test_setup_code": "ZERO = 0",
    "test_list": ["assert add(1, 2) == 3", "assert add(0, 0) == ZERO", "assert add(2, 2) == 4"],
    "challenge_test_list": [],
}
PLUS = {
    "task_id": "Mbpp/11",
    "prompt": '"""\nWrite a function to add.\nassert add(1, 2) == 3\n"""\n',
    "entry_point": "add",
    "canonical_solution": "\ndef add(a, b):\n    return a + b\n",
    "base_input": [[1, 2], [0, 0], [2, 2]],
    "plus_input": [[5, 5], [1, 2], [0.5, 0.25], [5, 5]],
    "atol": 0,
    "contract": "",
    "assertion": "assert add(1, 2) == 3\nassert add(0,0) == ZERO\nassert add(2, 2) == 4",
}


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_first_assert_is_public_and_the_others_are_hidden(tmp_path: Path) -> None:
    (task,) = load_mbpp(write(tmp_path / "m.jsonl", ROW))
    assert task.task_id == task.family == "mbpp/11"
    assert task.prompt == "Write a function to add."
    assert task.entry_point == "add"
    assert task.public_tests == (AssertTest(source="assert add(1, 2) == 3"),)
    assert [test.source for test in task.hidden_tests if isinstance(test, AssertTest)] == ROW["test_list"][1:]
    assert task.locked_tests == ()
    assert task.setup_code == "ZERO = 0"
    assert "\r" not in task.reference_solution
    assert (task.origin, task.metadata) == ("mbpp", {"split": "test"})


def test_the_sanitized_layout_is_read_too(tmp_path: Path) -> None:
    row = {key: ROW[key] for key in ("code", "task_id", "test_list")}
    row |= {"prompt": "Add.", "test_imports": ["import math", "import re"], "source_file": "x"}
    (tmp_path / "s.json").write_text(json.dumps([row]))
    (task,) = load_mbpp(tmp_path / "s.json")
    assert (task.prompt, task.setup_code) == ("Add.", "import math\nimport re")


@pytest.mark.parametrize(
    ("number", "split"),
    [(1, "train"), (10, "train"), (11, "test"), (510, "test"), (511, "dev"), (600, "dev"), (601, "train")],
)
def test_splits_are_those_of_its_authors(number: int, split: str) -> None:
    assert origin_split(number) == split


@pytest.mark.parametrize(
    ("code", "asserts", "expected"),
    [
        ("def f(a): return a", ["assert f(1) == 1", "assert f(2) == 2"], "f"),
        ("def g(a): return a\ndef f(a): return g(a)", ["assert set(f(1)) == set(g(1))"], "f"),
        ("def f(a): return a\ndef g(a): return f(a)", ["assert f(1) == 1", "assert f(g(2)) == 2"], "f"),
        ("class Pair:\n    pass\ndef f(a): return 1", ["assert f([Pair(1)]) == 1"], "f"),
        ("f = lambda a: a", ["assert f(1) == 1"], "f"),
    ],
)
def test_the_entry_point_is_what_the_asserts_call(code: str, asserts: list[str], expected: str) -> None:
    assert entry_point(code, asserts, "here") == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test_list": ["assert add(1, 2) == 3"]}, r"line 1: task 'mbpp/11' has 1 test\(s\).*at least two"),
        ({"code": "def plus(a, b): return a + b"}, "no assert calls a function .*defined: plus"),
        ({"code": "def add(a, b) return a"}, "code that Python cannot parse"),
        ({"task_id": "eleven"}, "task_id is 'eleven'; expected a number"),
        ({"test_list": "assert"}, "test_list is a string; expected a list of strings"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_mbpp(write(tmp_path / "m.jsonl", ROW | changes))


def test_plus_inputs_are_locked_unless_they_are_shown(tmp_path: Path) -> None:
    plus = write(tmp_path / "plus.jsonl", PLUS)
    (task,) = load_mbpp(write(tmp_path / "m.jsonl", ROW), plus, run_here)
    # (1, 2) is the public assert; (5, 5) stands once.
    assert task.locked_tests == (
        CallTest(args=(0, 0), expected=0),
        CallTest(args=(2, 2), expected=4),
        CallTest(args=(5, 5), expected=10),
        CallTest(args=(0.5, 0.25), expected=0.75, compare="close", atol=1e-6),
    )
    assert task.reference_solution == PLUS["canonical_solution"]
    assert task.metadata["reference"] == "evalplus"


@pytest.mark.parametrize(
    "changes",
    [
        {"entry_point": "plus", "canonical_solution": "def plus(a, b): return a + b"},
        {"assertion": "assert add(1, 2, 0) == 3\nassert add(0, 0) == ZERO\nassert add(2, 2) == 4"},
        {"assertion": "assert add(1, 2) == '3'\nassert add(0, 0) == ZERO\nassert add(2, 2) == 4"},
        {"task_id": "Mbpp/12"},
    ],
)
def test_plus_inputs_of_another_question_are_not_taken(tmp_path: Path, changes: dict[str, Any]) -> None:
    plus = write(tmp_path / "plus.jsonl", PLUS | changes)
    (task,) = load_mbpp(write(tmp_path / "m.jsonl", ROW), plus, run_here)
    assert task.locked_tests == ()
    assert task.reference_solution == str(ROW["code"]).replace("\r\n", "\n")


def test_all_of_the_full_file_is_read(datasets: Path) -> None:
    tasks = load_mbpp(datasets / "mbpp.jsonl")
    assert len(tasks) == 974
    assert Counter(task.metadata["split"] for task in tasks) == {"train": 384, "dev": 90, "test": 500}
    for task in tasks:
        assert len(task.public_tests) == 1
        assert len(task.hidden_tests) >= 2
        assert f"{task.entry_point}" in ast.dump(parse(task.reference_solution))


def test_all_of_the_sanitized_file_is_read(datasets: Path) -> None:
    tasks = load_mbpp(datasets / "sanitized-mbpp.json")
    assert len(tasks) == 427
    assert sum(bool(task.setup_code) for task in tasks) == 13
