"""Mutants: one small fault each, in the bodies of functions alone."""

from __future__ import annotations

import ast

import pytest

from codeself.tasks.mutants import mutants


def changes(body: str) -> set[str]:
    return {mutant.change for mutant in mutants(f"def f(x, y=1):\n    {body}\n")}


@pytest.mark.parametrize(
    ("body", "change"),
    [
        ("return x > 3", "'x > 3' became 'x >= 3'"),
        ("return x == y", "'x == y' became 'x != y'"),
        ("return x in y", "'x in y' became 'x not in y'"),
        ("return x + y", "'x + y' became 'x - y'"),
        ("return x // y", "'x // y' became 'x / y'"),
        ("return x + y", "'x + y' became 'x'"),
        ("return x and y", "'x and y' became 'x or y'"),
        ("return x and y", "'x and y' became 'y'"),
        ("return not x", "'not x' became 'x'"),
        ("return -x", "'-x' became 'x'"),
        ("return 3", "'3' became '4'"),
        ("return 3", "'3' became '2'"),
        ("return True", "'True' became 'False'"),
        ("return 'ab'", "''ab'' became ''''"),
        ("return x", "returns None"),
        ("return [a for a in x]", "returns an empty list"),
        ("return [a for a in x if a > y]", "condition 'a > y' dropped"),
        ("return x[1:]", "'1:' became ':'"),
        ("return x if y else 0", "'x if y else 0' became '0 if y else x'"),
        ("return min(x, y)", "'min(x, y)' became 'max(x, y)'"),
        ("return x.upper()", "'x.upper()' became 'x.lower()'"),
        ("return x.upper()", "'x.upper()' became 'x'"),
        ("return sorted(x)", "'sorted(x)' became 'x'"),
        ("x += 1; return x", "'x += 1' became 'x -= 1'"),
        ("x += 1; return x", "'x += 1' dropped"),
        ("x = x * 2; return x", "'x = x * 2' dropped"),
        ("if x: y = 2\n    return y", "condition 'x' negated"),
    ],
)
def test_a_slip_of_the_hand_is_among_the_mutants(body: str, change: str) -> None:
    assert change in changes(body)


def test_every_mutant_is_a_program_of_its_own() -> None:
    program = (
        "import math\n\n\ndef f(xs: list[int], limit=3):\n"
        '    """Text 1."""\n'
        "    total = 0\n"
        "    for i, x in enumerate(xs):\n"
        "        if x % 2 == 0 and not i > limit:\n"
        "            total += x\n"
        "    return math.floor(total / 2) if total else -1\n"
    )
    found = mutants(program)
    trees = [ast.dump(ast.parse(mutant.program)) for mutant in found]
    assert len(found) > 20
    assert len(set(trees)) == len(trees)
    assert ast.dump(ast.parse(program)) not in trees
    assert found == mutants(program)
    for mutant in found:
        assert "import math" in mutant.program
        assert "def f(xs: list[int], limit=3):" in mutant.program
        assert '"""Text 1."""' in mutant.program
        assert 6 <= mutant.line <= 10


def test_a_nested_functions_body_is_changed_once() -> None:
    program = "def f(x):\n    def g(y):\n        return y + 1\n    return g(x)\n"
    assert sum(mutant.change == "'y + 1' became 'y - 1'" for mutant in mutants(program)) == 1


def test_code_outside_functions_is_left_alone() -> None:
    assert mutants("A = 3\nprint(A > 2)\n") == []


def test_what_is_not_python_has_no_mutants() -> None:
    assert mutants("def f(:\n") == []
