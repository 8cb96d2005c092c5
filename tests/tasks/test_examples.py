"""Examples are found however they are written, and the same call with the same result is the same fact."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeself.records.tasks import AssertTest, CallTest, CheckTest
from codeself.records.values import encode
from codeself.tasks.examples import (
    Example,
    Fact,
    Knowledge,
    examples_in_text,
    facts_in_text,
    facts_of_test,
    shown_by,
)
from tests.tasks.made_up import made_up


@pytest.mark.parametrize(
    "text",
    [
        ">>> f([1, 2], 'a')\n    (3, 'x')",
        ">>> f([1, 2], 'a')  # a comment\n(3, 'x')\n",
        "For example, f([1, 2], 'a') == (3, 'x').",
        "f([1,2],'a') => (3,'x')",
        "f([1, 2], \"a\") ➞ (3, 'x')",
        "f([1, 2], 'a') -> (3, 'x') # why",
        "f([1, 2], 'a') = (3, 'x')",
        "f([1, 2], 'a') should return (3, 'x').",
        "f([1, 2], 'a') returns (3, 'x'), since",
        "f([1, 2], 'a') # => (3, 'x')",
        "f([1, 2], 'a') ==> (3, 'x')",
        "    assert f([1, 2], 'a') == (3, 'x')\n",
        "f([1,\n   2],\n  'a') ==\\\n (3, 'x')".replace("==\\\n", "=="),
    ],
)
def test_many_notations_are_the_same_example(text: str) -> None:
    assert examples_in_text(text, "f") == [Example(([1, 2], "a"), (3, "x"))]


@pytest.mark.parametrize(
    "text",
    [
        "call f(x) and return it",
        "f(1)",
        "f(1) == 1 + 2",
        "g.f(1) == 2",
        "gf(1) == 2",
        "f([1, 2) == 3",
        "f('unclosed) == 3",
        ">>> f(1)\n>>> f(2)",
        "f(1) == x",
        "def f(n: int = 1) -> int:",
    ],
)
def test_what_does_not_state_a_result_is_no_example(text: str) -> None:
    assert examples_in_text(text, "f") == []


def test_lower_case_truth_values_are_read() -> None:
    assert [e.expected for e in examples_in_text("f(1, 4) => true\nf(2, 4) => false", "f")] == [True, False]


def test_bare_asserts_in_prose_state_true_and_false() -> None:
    text = 'assert f("a")\nassert not f("b")\nassert f("c") is None\n'
    assert facts_in_text(text, "f") == {
        Fact('("a")', "1"),
        Fact('("b")', "0"),
        Fact('("c")', "null"),
    }


def test_an_assert_over_several_lines_is_read() -> None:
    text = "Make it so that\nassert f([\n  1,\n  2]) == [\n  2,\n  1]\nholds."
    assert facts_in_text(text, "f") == {Fact("([1,2])", "[2,1]")}


CALLS = st.tuples(
    st.lists(
        st.integers() | st.text(max_size=3) | st.lists(st.booleans() | st.none(), max_size=3), max_size=3
    ),
    st.integers() | st.text(max_size=5) | st.tuples(st.integers(), st.text(max_size=3)),
)


@given(CALLS)
def test_a_test_says_the_same_as_data_as_an_assert_and_in_a_check(call: tuple[list[Any], Any]) -> None:
    args, expected = call
    written = f"({', '.join(map(repr, args))}) == {expected!r}"
    kinds = [
        CallTest(args=tuple(map(encode, args)), expected=encode(expected)),
        AssertTest(source=f"assert f{written}"),
        AssertTest(source=f"assert {expected!r} == f({', '.join(map(repr, args))})"),
        CheckTest(source=f"def check(candidate):\n    assert candidate{written}, 'message'\n"),
    ]
    facts = [facts_of_test(kind, "f") for kind in kinds]
    assert all(found == facts[0] for found in facts)
    assert len(facts[0]) == 1


@pytest.mark.parametrize(
    ("shown", "asked"),
    [
        ("f(1) == 2", "assert f(True) == 2.0"),
        ("f({'b': 1, 'a': 2}) == 3", "assert f({'a': 2, 'b': 1}) == 3"),
        ("f(n=1, m=2) == 3", "assert f(m=2, n=1) == 3"),
        ("f(1) == 0.333", "assert abs(f(1) - 1/3) < 1e-3"),
        ("f((1, 2)) == [2, 1]", "assert set(f((1, 2))) == {1, 2}"),
    ],
)
def test_knowing_a_result_gives_away_a_test_of_the_same_call(shown: str, asked: str) -> None:
    known = Knowledge(facts_in_text(shown, "f"))
    assert known.holds_any(facts_of_test(AssertTest(source=asked), "f"))


@pytest.mark.parametrize(
    ("shown", "asked"),
    [
        ("f(1) == 2", "assert f(2) == 2"),
        ("f(1) == 2", "assert f(1) == 3"),
        ("f([1]) == 2", "assert f((1,)) == 2"),
        ("f('1') == 2", "assert f(1) == 2"),
        ("f(1)", "assert f(1) == 2"),
    ],
)
def test_another_call_or_another_result_is_not_given_away(shown: str, asked: str) -> None:
    known = Knowledge(facts_in_text(shown, "f"))
    assert not known.holds_any(facts_of_test(AssertTest(source=asked), "f"))


def test_prompt_starter_code_and_public_tests_are_all_shown() -> None:
    task = made_up(
        prompt="double(5) == 10",
        starter_code='def double(n):\n    """\n    >>> double(6)\n    12\n    """\n',
    )
    known = shown_by(task)
    for number in (2, 5, 6):
        assert known.holds(Fact(f"({number})", str(2 * number)))
    assert not known.holds(Fact("(3)", "6"))
