"""The inputs of EvalPlus's files (HumanEvalPlus, MbppPlus), and the tests made from them.

The files hold inputs without results: a result is what EvalPlus's own solution returns in the sandbox. JSON
knows no tuples, so MBPP+ inputs are given back the types that the row's asserts write out. Where EvalPlus
compares in a way of its own, that way is written into the test, so that the judge has no special case.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codeself.records.errors import InputError
from codeself.records.tasks import AssertTest, CallTest
from codeself.records.values import NotData, decode, encode
from codeself.tasks.formats.evalplus_quirks import LARGEST, NUMBERS_AS_TEXT, ORACLES, Oracle
from codeself.tasks.formats.rows import Expect, Row, read_dataset
from codeself.tasks.syntax import parse

BELOW = -1  # the depths of an argument below those that an assert shows
FLOAT_ATOL = 1e-6  # EvalPlus's tolerance where the row gives none and the result is a float, or floats


@dataclass(frozen=True)
class PlusProblem:
    """One row: a whole reference program, and inputs as encoded argument lists (base first, then plus)."""

    row: Row
    task_id: str
    entry_point: str
    program: str
    base: list[list[Any]]
    plus: list[list[Any]]
    atol: float
    left_out: int = 0  # plus inputs larger than LARGEST allows

    @property
    def number(self) -> int:
        return int(self.task_id.rsplit("/", 1)[1])

    @property
    def oracle(self) -> Oracle:
        return ORACLES.get(self.task_id, "plain")


def read_plus(path: Path) -> list[PlusProblem]:
    """The problems of an EvalPlus file."""
    return [_problem(row) for row in read_dataset(path)]


def expected_tests(problems: list[PlusProblem], expect: Expect) -> list[list[CallTest | AssertTest]]:
    """For each problem, a test for each of its inputs, base first: what the reference returns is expected."""
    asked = [problem for problem in problems if problem.oracle != "root"]
    results = expect([(*_program(problem), problem.base + problem.plus) for problem in asked])
    outputs = {problem.task_id: output for problem, output in zip(asked, results, strict=True)}
    return [
        [
            _test(problem, args, output)
            for args, output in zip(
                problem.base + problem.plus,
                outputs.get(problem.task_id, [None] * len(problem.base + problem.plus)),
                strict=True,
            )
        ]
        for problem in problems
    ]


def call_test(args: list[Any], expected: Any, atol: float) -> CallTest:
    """A call compared as EvalPlus does: within atol where there is one, or where the result is float(s)."""
    if not atol and _is_floats(decode(expected)):
        atol = FLOAT_ATOL
    if not atol:
        return CallTest(args=tuple(args), expected=expected)
    return CallTest(args=tuple(args), expected=expected, compare="close", atol=atol)


def _test(problem: PlusProblem, args: list[Any], expected: Any) -> CallTest | AssertTest:
    if problem.oracle == "plain":
        return call_test(args, expected, problem.atol)
    if problem.oracle == "set":
        return CallTest(args=tuple(args), expected=expected, compare="set")
    arguments = ", ".join(repr(decode(argument)) for argument in args)
    call = f"{problem.entry_point}({arguments})"
    if problem.oracle == "root":
        return AssertTest(source=f"assert abs(poly({arguments}, {call})) <= {problem.atol}")
    if problem.oracle == "digits":
        first, second = (decode(argument) for argument in args)
        other = sum(int(digit) for digit in str(abs(first - second)) if digit.isdigit())
        return AssertTest(source=f"assert {call} in ({expected!r}, {other})")
    return AssertTest(
        source=f"assert (lambda out: out if isinstance(out, bool) else out is not None)({call}) == {expected}"
    )


def _program(problem: PlusProblem) -> tuple[str, str]:
    """What is run for the expected results, and by which name."""
    if problem.oracle != "not_none":
        return problem.program, problem.entry_point
    # A match object is not data, and only whether there is one matters.
    wrapper = f"\n\ndef finds_a_match(*args):\n    return {problem.entry_point}(*args) is not None\n"
    return problem.program + wrapper, "finds_a_match"


def _is_floats(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(item, float) for item in value)
    return isinstance(value, float)


def _problem(row: Row) -> PlusProblem:
    task_id = row.text("task_id")
    name = row.text("entry_point")
    base, plus = row.get("base_input"), row.data.get("plus_input")
    if not isinstance(base, list) or not all(isinstance(args, list) for args in base):
        raise InputError(f"{row.place}: base_input of {task_id} is not a list of argument lists")
    atol = row.get("atol")
    if not isinstance(atol, int | float) or atol < 0:
        raise InputError(f"{row.place}: atol of {task_id} is {atol!r}; expected a number of at least 0")
    # One row has an empty object where it has no further inputs.
    every = plus if isinstance(plus, list) else []
    plus = [args for args in every if _size(args) <= LARGEST.get(task_id, _size(args))]
    code = row.text("canonical_solution")
    if task_id.startswith("HumanEval/"):
        code = row.text("prompt") + code
        kinds: dict[tuple[int, int], type] = {}
    elif task_id.startswith("Mbpp/"):
        kinds = written_types(row.text("assertion"), name, base)
    else:
        raise InputError(f"{row.place}: task_id is '{task_id}'; expected HumanEval/<number> or Mbpp/<number>")
    try:
        lifted = [_lift_call(args, kinds, NUMBERS_AS_TEXT.get(task_id, ())) for args in [*base, *plus]]
        encoded = [[encode(argument) for argument in args] for args in lifted]
    except (NotData, ValueError) as error:
        raise InputError(f"{row.place}: an input of {task_id} cannot be used: {error}") from error
    left_out = len(every) - len(plus)
    return PlusProblem(
        row, task_id, name, code, encoded[: len(base)], encoded[len(base) :], float(atol), left_out
    )


def _size(args: list[Any]) -> float:
    return max(
        (
            abs(a) if isinstance(a, int | float) else len(a)
            for a in args
            if isinstance(a, int | float | str | list)
        ),
        default=0,
    )


def written_types(assertion: str, name: str, inputs: list[Any]) -> dict[tuple[int, int], type]:
    """Where lists of the inputs stand for another type: (argument, depth) -> tuple, set.

    Read off by laying each assert's call, as written, over the input that was made from it. Where several
    depths are shown and all are tuples, those below them (BELOW) are too.
    """
    kinds: dict[tuple[int, int], type] = {}
    depths: dict[int, set[type]] = {}
    calls = [
        node
        for statement in parse(assertion).body
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]
    for call, args in zip(calls, inputs, strict=False):
        for position, (node, data) in enumerate(zip(call.args, args, strict=False)):
            try:
                written = ast.literal_eval(node)
            except ValueError:
                continue
            for depth, kind in _laid_over(written, data, 1):
                kinds.setdefault((position, depth), kind)
                depths.setdefault(position, set()).add(kind)
    for position, shown in depths.items():
        if shown == {tuple} and (position, 2) in kinds:
            kinds[position, BELOW] = tuple
    return {key: kind for key, kind in kinds.items() if kind is not list}


def _laid_over(written: Any, data: Any, depth: int) -> Iterator[tuple[int, type]]:
    if isinstance(data, list) and isinstance(written, list | tuple | set):
        yield depth, type(written)
        if not isinstance(written, set):
            for inner, item in zip(written, data, strict=False):
                yield from _laid_over(inner, item, depth + 1)
    elif isinstance(data, dict) and isinstance(written, dict):
        for key, item in data.items():
            if key in written:
                yield from _laid_over(written[key], item, depth + 1)


def _lift_call(args: list[Any], kinds: dict[tuple[int, int], type], numbers: tuple[type, ...]) -> list[Any]:
    lifted = [_lift(argument, kinds, position, 1) for position, argument in enumerate(args)]
    for position, number in enumerate(numbers):
        if isinstance(lifted[position], str):
            lifted[position] = number(lifted[position])
    return lifted


def _lift(value: Any, kinds: dict[tuple[int, int], type], position: int, depth: int) -> Any:
    if isinstance(value, dict):
        return {key: _lift(item, kinds, position, depth + 1) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    kind = kinds.get((position, depth), kinds.get((position, BELOW), list))
    return kind(_lift(item, kinds, position, depth + 1) for item in value)
