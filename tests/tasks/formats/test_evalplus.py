"""EvalPlus: types that JSON lost are given back, and each comparison is written into its test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from codeself.records.errors import InputError
from codeself.records.tasks import AssertTest, CallTest
from codeself.records.values import decode
from codeself.tasks.examples import facts_of_test, shown_by
from codeself.tasks.formats.evalplus import load_humanevalplus, load_mbppplus
from codeself.tasks.formats.evalplus_inputs import expected_tests, read_plus, written_types
from codeself.tasks.formats.evalplus_quirks import LARGEST, NUMBERS_AS_TEXT, ORACLES
from tests.tasks.formats.running import run_here


def row(**changes: Any) -> dict[str, Any]:
    return {
        "task_id": "Mbpp/1000",
        "prompt": '"""\nJoin the pairs.\nassert f([(1, 2)], 3) == [1, 2, 3]\n"""\n',
        "entry_point": "f",
        "canonical_solution": "\ndef f(pairs, n):\n    return [x for pair in pairs for x in pair] + [n]\n",
        "base_input": [[[[1, 2]], 3], [[], 4], [[[5, 6]], 7]],
        "plus_input": [[[[8, 9], [10, 11]], 12], [[[1, 2]], 3], [[], 13], [[], 4]],
        "atol": 0,
        "contract": "",
        "assertion": "assert f([(1, 2)], 3) == [1, 2, 3]\nassert f([], 4) == [4]\nassert f([(5, 6)], 7) == [5, 6, 7]",
    } | changes


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(item) + "\n" for item in rows))
    return path


def one_problem(tmp_path: Path, **changes: Any) -> Any:
    (problem,) = read_plus(write(tmp_path / "p.jsonl", row(**changes)))
    return problem


@pytest.mark.parametrize(
    ("written", "inputs", "plus", "lifted"),
    [
        ("f([(1, 2)], 3)", [[[1, 2]], 3], [[[8, 9], [10, 11]], 12], [[(8, 9), (10, 11)], 12]),
        ("f((1, [2, 3]))", [[1, [2, 3]]], [[4, [5], 6]], [(4, [5], 6)]),
        ("f((1, (2, 3)))", [[1, [2, 3]]], [[4, [5, [6, [7]]]]], [(4, (5, (6, (7,))))]),
        ("f({'a': (1, 2)}, 6)", [{"a": [1, 2]}, 6], [{"b": [3], "c": []}, 7], [{"b": (3,), "c": ()}, 7]),
        ("f({1, 2})", [[1, 2]], [[3, 3]], [{3}]),
        ("f([[1]], (2,))", [[[1]], [2]], [[[[3]]], [4, 5]], [[[[3]]], (4, 5)]),
        ("f(g(1))", [[1]], [[2]], [[2]]),
    ],
)
def test_lists_get_the_types_that_the_asserts_write(
    tmp_path: Path, written: str, inputs: Any, plus: Any, lifted: Any
) -> None:
    problem = one_problem(
        tmp_path, base_input=[inputs], plus_input=[plus], assertion=f"assert {written} == 0"
    )
    assert [decode(argument) for argument in problem.plus[0]] == lifted


def test_an_assert_with_imports_and_wrapped_calls_is_read() -> None:
    kinds = written_types("import math\nassert math.isclose(f((1, 2)), 3.0)", "f", [[[1, 2]]])
    assert kinds == {(0, 1): tuple}


def test_numbers_written_as_text_are_numbers(tmp_path: Path) -> None:
    assert NUMBERS_AS_TEXT["Mbpp/252"] == (complex,)
    problem = one_problem(
        tmp_path,
        task_id="Mbpp/252",
        base_input=[[1]],
        plus_input=[["(1+2j)"], ["5j"]],
        assertion="assert f(1) == 0",
    )
    assert [decode(args[0]) for args in problem.plus] == [1 + 2j, 5j]


def test_inputs_that_only_test_stamina_are_left_out(tmp_path: Path) -> None:
    bound = LARGEST["Mbpp/599"]
    problem = one_problem(
        tmp_path,
        task_id="Mbpp/599",
        base_input=[[bound + 1]],
        plus_input=[[bound], [bound + 1], [-bound - 1]],
        assertion="assert f(1) == 0",
    )
    assert problem.base == [[bound + 1]]
    assert problem.plus == [[bound]]
    assert problem.left_out == 2


@pytest.mark.parametrize(
    ("atol", "expected", "compare"),
    [
        (0, 1.5, ("close", 1e-6)),
        (0, [1.5, 2.0], ("close", 1e-6)),
        (0, 1, ("equal", 0.0)),
        (0, [1.5, 2], ("equal", 0.0)),
        (0, [], ("equal", 0.0)),
        (0.001, 1, ("close", 0.001)),
    ],
)
def test_floats_are_compared_within_a_tolerance(
    tmp_path: Path, atol: float, expected: Any, compare: tuple[str, float]
) -> None:
    problem = one_problem(
        tmp_path,
        canonical_solution=f"def f(*args):\n    return {expected!r}\n",
        atol=atol,
    )
    tests = expected_tests([problem], run_here)[0]
    assert {(test.compare, test.atol) for test in tests if isinstance(test, CallTest)} == {compare}


def test_order_does_not_matter_where_the_task_asks_for_a_set(tmp_path: Path) -> None:
    assert ORACLES["Mbpp/2"] == "set"
    tests = expected_tests([one_problem(tmp_path, task_id="Mbpp/2")], run_here)[0]
    assert {test.compare for test in tests if isinstance(test, CallTest)} == {"set"}


def asserted(source: str, answer: Any) -> bool:
    """Whether an assert about f holds for a function that always gives this answer."""
    scope: dict[str, Any] = {
        "f": lambda *args: answer,
        "poly": lambda xs, x: sum(c * x**i for i, c in enumerate(xs)),
    }
    try:
        exec(source, scope)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize(
    ("task_id", "solution", "args", "right", "wrong"),
    [
        ("Mbpp/737", "import re\ndef f(s): return re.search('a', s)", ["xay"], [True, "m"], [False, None]),
        ("Mbpp/737", "import re\ndef f(s): return re.search('a', s)", ["xy"], [False, None], [True, "m"]),
        ("Mbpp/558", "def f(a, b): return 6", [23, 56], [6], [33, None]),
        ("Mbpp/558", "def f(a, b): return 8", [19, 20], [8, 1], [9]),
    ],
)
def test_oracles_of_single_tasks_are_written_as_asserts(
    tmp_path: Path, task_id: str, solution: str, args: list[Any], right: list[Any], wrong: list[Any]
) -> None:
    problem = one_problem(
        tmp_path,
        task_id=task_id,
        canonical_solution=solution,
        base_input=[args],
        plus_input=[],
        assertion="0",
    )
    (test,) = expected_tests([problem], run_here)[0]
    assert isinstance(test, AssertTest)
    assert [asserted(test.source, answer) for answer in right + wrong] == [True] * len(right) + [False] * len(
        wrong
    )


def test_any_root_is_right(tmp_path: Path) -> None:
    problem = one_problem(
        tmp_path,
        task_id="HumanEval/32",
        prompt="",
        canonical_solution="def f(xs):\n    raise AssertionError('never run')\n",
        base_input=[[[-1, 0, 1]]],
        plus_input=[],
        atol=0.0001,
    )
    (test,) = expected_tests([problem], run_here)[0]
    assert isinstance(test, AssertTest)
    assert [asserted(test.source, x) for x in (1, -1, 0, 1.1)] == [True, True, False, False]


def test_no_input_of_mbppplus_is_public_hidden_and_locked_at_once(tmp_path: Path) -> None:
    (task,) = load_mbppplus(write(tmp_path / "p.jsonl", row()), run_here)
    assert (task.task_id, task.family) == ("mbppplus/1000", "mbpp/1000")
    assert task.prompt == "Join the pairs."
    assert [test.args for test in task.public_tests if isinstance(test, CallTest)] == [
        ([{"$tuple": [1, 2]}], 3)
    ]
    assert [test.args[1] for test in task.hidden_tests if isinstance(test, CallTest)] == [4, 7]
    assert [test.args[1] for test in task.locked_tests if isinstance(test, CallTest)] == [12, 13]
    known = shown_by(task)
    for test in task.hidden_tests + task.locked_tests:
        assert not known.holds_any(facts_of_test(test, "f"))


def test_humanevalplus_hides_base_inputs_and_locks_plus_inputs(tmp_path: Path) -> None:
    prompt = 'def f(n):\n    """ Add one.\n    >>> f(1)\n    2\n    """\n'
    made = row(
        task_id="HumanEval/3",
        prompt=prompt,
        canonical_solution="    return n + 1\n",
        base_input=[[1], [2]],
        plus_input=[[1], [2], [3], [4]],
    )
    (task,) = load_humanevalplus(write(tmp_path / "p.jsonl", made), run_here)
    assert (task.task_id, task.family) == ("humanevalplus/3", "humaneval/3")
    assert task.public_tests == (CallTest(args=(1,), expected=2),)
    assert task.hidden_tests == (CallTest(args=(2,), expected=3),)
    assert task.locked_tests == (CallTest(args=(3,), expected=4), CallTest(args=(4,), expected=5))
    # Where the docstring shows all base inputs, plus inputs pay the reward.
    write(tmp_path / "p.jsonl", made | {"base_input": [[1]], "plus_input": [[2], [3], [4], [5], [6]]})
    (task,) = load_humanevalplus(tmp_path / "p.jsonl", run_here)
    assert [len(task.hidden_tests), len(task.locked_tests)] == [3, 2]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task_id": "HumanEval/1"}, "task_id is 'HumanEval/1'; expected Mbpp/<number>"),
        ({"task_id": "x"}, "task_id is 'x'; expected HumanEval/<number> or Mbpp/<number>"),
        ({"base_input": "[]"}, "base_input of Mbpp/1000 is not a list of argument lists"),
        ({"base_input": [1]}, "base_input of Mbpp/1000 is not a list of argument lists"),
        ({"atol": "0"}, "atol of Mbpp/1000 is '0'; expected a number"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"p.jsonl, line 1: {message}"):
        load_mbppplus(write(tmp_path / "p.jsonl", row(**changes)), run_here)


def test_a_row_without_further_inputs_is_read(tmp_path: Path) -> None:
    assert one_problem(tmp_path, plus_input={}).plus == []
