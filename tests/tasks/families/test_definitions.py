"""Definitions of families: what is malformed is named by file, family and key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from codeself.records.errors import InputError
from codeself.tasks.families.loading import family_tasks, load_families

GOOD: dict[str, Any] = {
    "signature": "add_up(numbers: list[int]) -> int",
    "doc": "Return the sum of the numbers, plus $n.",
    "params": {"n": [1, 2, 3, 4]},
    "reference": "return sum(numbers) + $n",
    "inputs": "ints((0, 6))",
    "edges": "[]; [$n]",
    "wrong": ["return sum(numbers)", "return sum(numbers) + $n + 1"],
}


def written(folder: Path, changes: dict[str, Any], name: str = "add_up") -> Path:
    fields = {key: value for key, value in {**GOOD, **changes}.items() if value is not ...}
    (folder / "mine.yaml").write_text(yaml.safe_dump({name: fields}))
    return folder


def test_a_users_own_file_gives_tasks(tmp_path: Path) -> None:
    tasks = family_tasks(load_families(written(tmp_path, {})), 4, 0)
    assert [task.task_id for task in tasks] == [f"families/add_up/{n}" for n in range(4)]
    assert sorted(task.metadata["params"]["n"] for task in tasks) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reference": ...}, "reference: is missing"),
        ({"hint": "x"}, "hint: is not a known key"),
        ({"name": "other"}, "name: is not a known key"),
        ({"reference": 5}, "reference: input should be a valid string (found 5)"),
        ({"wrong": ["return 0"]}, "wrong: "),
        ({"params": {}}, "params: "),
        ({"params": {"n": []}}, "'n' has no values"),
        ({"params": {"n, m": [[1, 2], [3]]}}, "a value of 'n, m' is [3], expected a list of 2"),
        ({"params": {"n": [{"a": 1}]}}, "expected text, a number or a boolean"),
        ({"doc": "Add $m."}, "doc: uses $m, expected one of params (n)"),
        ({"doc": "It costs $ 5."}, "doc: has a lone '$'"),
        ({"reference": "return return"}, "reference: is not Python"),
        ({"wrong": ["return 0", "return ("]}, "wrong[1]: is not Python"),
        ({"inputs": "ints("}, "inputs: is not Python"),
        ({"signature": "add_up"}, "signature: found 'add_up', expected"),
        ({"signature": "add_up(numbers)"}, "expected a name, parameters and a return type"),
    ],
)
def test_a_malformed_family_is_named_by_file_family_and_key(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as error:
        load_families(written(tmp_path, changes))
    text = str(error.value)
    assert text.startswith(f"{tmp_path / 'mine.yaml'}, family 'add_up'")
    assert message in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": "integers(3)"}, "inputs: raised NameError"),
        ({"inputs": "ints(3), 1"}, "inputs: gives 2 arguments, expected 1"),
        ({"edges": "[], 1"}, "edges: '[], 1' gives 2 arguments, expected 1"),
        ({"edges": "nothing"}, "edges: 'nothing' raised NameError"),
        ({"inputs": "ints(1, 0, 3)"}, "distinct calls with the edges, expected at least 21"),
        ({"reference": "return numbers[0] + $n"}, "reference: raised IndexError on ([])"),
        ({"reference": "return print"}, "reference: returns what is not plain data"),
        ({"wrong": ["return 0", "return $n + sum(numbers)"]}, "wrong[1]: no call among"),
        ({"reference": "return 0", "params": {"n": [1]}}, "every hidden test has one answer, 0"),
        ({"reference": "return sum(numbers)"}, "params: give 1 variants that differ"),
        ({"doc": "Return the sum and something."}, "params: give 1 variants that differ"),
        (
            {"params": {"n": [1, 2]}},
            "give 2 variants that differ in docstring and behaviour, expected at least 4",
        ),
    ],
)
def test_a_family_that_cannot_give_sound_tasks_says_why(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    families = load_families(written(tmp_path, changes))
    with pytest.raises(InputError) as error:
        family_tasks(
            families, 1 if "n" in changes.get("params", {}) and changes["params"]["n"] == [1] else 4, 0
        )
    text = str(error.value)
    assert text.startswith(f"{tmp_path / 'mine.yaml'}, family 'add_up'")
    assert message in text


def test_a_file_that_is_not_yaml_is_named_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("a: 1\nb: [1\n")
    with pytest.raises(InputError, match=r"mine\.yaml, line 3: is not YAML"):
        load_families(tmp_path)


def test_a_key_that_stands_twice_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("add_up:\n  doc: one\n  doc: two\n")
    with pytest.raises(InputError, match=r"line 3: .*'doc' stands twice"):
        load_families(tmp_path)


def test_a_family_in_two_files_is_an_error(tmp_path: Path) -> None:
    written(tmp_path, {})
    (tmp_path / "other.yaml").write_text((tmp_path / "mine.yaml").read_text())
    with pytest.raises(InputError, match=r"other\.yaml, family 'add_up': is also in .*mine\.yaml"):
        load_families(tmp_path)


@pytest.mark.parametrize("content", ["", "- add_up\n", "add_up: 3\n"])
def test_a_file_without_families_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "mine.yaml").write_text(content)
    with pytest.raises(InputError, match=r"mine\.yaml"):
        load_families(tmp_path)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no"):
        load_families(tmp_path / "nowhere")
