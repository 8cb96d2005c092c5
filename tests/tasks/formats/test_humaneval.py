"""HumanEval: what is shown, what is hidden, and what the judge brings itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from codeself.records.errors import InputError
from codeself.records.tasks import CallTest, CheckTest, Task
from codeself.tasks.formats.humaneval import load_humaneval
from tests.tasks.formats.running import run_here

ROW = {
    "task_id": "HumanEval/7",
    "prompt": (
        "from typing import List\n\n\ndef encode(x: int) -> int:\n    return x + 1\n\n\n"
        'def decode(x: int) -> float:\n    """ Undo encode.\n    >>> decode(2)\n    1\n    >>> decode(5)\n    7\n'
        '    >>> decode(2.5)\n    1.5\n    """\n'
    ),
    "entry_point": "decode",
    "canonical_solution": "    return x - 1\n",
    "test": "def check(candidate):\n    assert candidate(encode(3)) == 3\n",
}
PLUS = ROW | {
    "base_input": [[4]],
    "plus_input": [[2], [9]],
    "atol": 0,
    "contract": "",
    "canonical_solution": "    return -1 + x\n",
}


def load(tmp_path: Path, row: dict[str, Any], plus: dict[str, Any] | None = None) -> Task:
    (tmp_path / "h.jsonl").write_text(json.dumps(row))
    if plus is not None:
        (tmp_path / "plus.jsonl").write_text(json.dumps(plus))
    (task,) = load_humaneval(
        tmp_path / "h.jsonl", run_here, tmp_path / "plus.jsonl" if plus is not None else None
    )
    return task


def test_docstring_examples_are_public_and_check_is_hidden(tmp_path: Path) -> None:
    task = load(tmp_path, ROW)
    assert task.task_id == task.family == "humaneval/7"
    assert task.public_tests == (
        CallTest(args=(2,), expected=1),
        CallTest(args=(2.5,), expected=1.5, compare="close", atol=1e-6),
    )
    assert task.hidden_tests == (CheckTest(source=ROW["test"]),)
    assert task.starter_code == ROW["prompt"]
    assert task.prompt.startswith("Undo encode.\n>>> decode(2)")
    assert task.reference_solution == ROW["prompt"] + ROW["canonical_solution"]
    assert task.metadata["split"] == "test"


def test_an_example_that_the_reference_contradicts_is_not_used(tmp_path: Path) -> None:
    assert load(tmp_path, ROW).metadata["examples_contradicted"] == 1


def test_helpers_and_imports_of_the_prompt_are_the_judges_own(tmp_path: Path) -> None:
    setup = load(tmp_path, ROW).setup_code
    assert "from typing import List" in setup
    assert "def encode(x: int) -> int:" in setup
    assert "decode" not in setup


def test_plus_inputs_are_locked_without_those_that_the_docstring_shows(tmp_path: Path) -> None:
    task = load(tmp_path, ROW, PLUS)
    assert task.locked_tests == (CallTest(args=(4,), expected=3), CallTest(args=(9,), expected=8))
    assert task.hidden_tests == (CheckTest(source=ROW["test"]),)
    assert task.reference_solution.endswith("-1 + x\n")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"entry_point": "code"}, "line 1: prompt does not define the entry point 'code'"),
        ({"prompt": "def decode(x:\n"}, "line 1: prompt is not the beginning of a Python program"),
        ({"test": None}, "line 1: test is null; expected a string"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(tmp_path, ROW | changes)


def test_a_plus_file_of_another_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"lacks humaneval/7 .*is it HumanEval"):
        load(tmp_path, ROW, PLUS | {"task_id": "HumanEval/8"})
