"""Returned against expected."""

from __future__ import annotations

import math

import pytest

from codeself.records.tasks import CallTest
from codeself.sandbox.comparison import matches


def check(expected, returned, compare="equal", atol=0.0):
    return matches(CallTest(expected=None, compare=compare, atol=atol), expected, returned)


@pytest.mark.parametrize(
    ("expected", "returned", "right"),
    [
        ([1, 2], [1, 2], True),
        ([1, 2], (1, 2), False),
        (1, 1.0, True),
        (1, True, True),
        (0.3, 0.1 + 0.2, False),
        (None, 0, False),
    ],
)
def test_equal_is_pythons_equality(expected, returned, right):
    assert check(expected, returned) is right


@pytest.mark.parametrize(
    ("expected", "returned", "right"),
    [
        (0.3, 0.1 + 0.2, True),
        (1.0, 1.0005, True),
        (1.0, 1.002, False),
        ([1.0, [2.0]], [1.0005, [2.0]], True),
        ((1.0, 2.0), [1.0, 2.0], True),
        ([1.0], [1.0, 1.0], False),
        ({"a": 1.0}, {"a": 1.0001}, True),
        ({"a": 1.0}, {"b": 1.0}, False),
        (math.nan, math.nan, True),
        (math.inf, 1e308, False),
        (1.0, "1.0", False),
        (1.0, True, True),  # equal to begin with
        ("a", "a", True),
        (10**400, 1.0, False),
        (1j, 1.0001j, True),
    ],
)
def test_close_lets_numbers_differ_by_the_tolerance(expected, returned, right):
    assert check(expected, returned, "close", atol=1e-3) is right


def test_set_ignores_order_and_repetition():
    assert check([1, 2], [2, 1, 1], "set")
    assert not check([1, 2], [1], "set")
    assert not check([1, 2], [[1], [2]], "set")
    assert not check([1], 1, "set")


def test_not_none_asks_only_that():
    assert check("match", 5, "not_none")
    assert not check("match", None, "not_none")
    assert check(None, None, "not_none")
