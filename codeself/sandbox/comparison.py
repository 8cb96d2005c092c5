"""How a returned value is held against the expected one. Both are plain data here, in the judge."""

from __future__ import annotations

import math
from typing import Any

from codeself.records.tasks import CallTest
from codeself.records.values import NotData, refuse_collisions

_RELATIVE_TOLERANCE = 1e-7  # of the expected value, beside the task's atol: EvalPlus' allclose


def matches(test: CallTest, expected: Any, returned: Any) -> bool:
    """Whether the returned value is right. A value that is not data (a handle) never is."""
    if test.compare == "equal":
        return bool(returned == expected)
    if test.compare == "close":
        return bool(returned == expected) or _close(returned, expected, test.atol)
    if test.compare == "set":
        try:
            items = list(returned)
            refuse_collisions(items)
            return set(items) == set(expected)
        except (TypeError, NotData):
            return False
    return (returned is None) == (expected is None)


def _close(returned: Any, expected: Any, atol: float) -> bool:
    """Numbers may differ by atol + 1e-7 |expected|; containers must have the same type and shape."""
    if _is_number(expected):
        if not _is_number(returned):
            return False
        if isinstance(expected, complex) or isinstance(returned, complex):
            return abs(returned - expected) <= atol + _RELATIVE_TOLERANCE * abs(expected)
        try:
            returned, expected = float(returned), float(expected)
        except OverflowError:
            return False
        if math.isnan(expected) or math.isinf(expected):
            return returned == expected or (math.isnan(expected) and math.isnan(returned))
        return abs(returned - expected) <= atol + _RELATIVE_TOLERANCE * abs(expected)
    if type(returned) is not type(expected) and not (
        isinstance(expected, list | tuple) and isinstance(returned, list | tuple)
    ):
        return False
    if isinstance(expected, list | tuple):
        return len(returned) == len(expected) and all(
            _close(r, e, atol) for r, e in zip(returned, expected, strict=True)
        )
    if isinstance(expected, dict):
        return returned.keys() == expected.keys() and all(
            _close(returned[key], expected[key], atol) for key in expected
        )
    return bool(returned == expected)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | complex) and not isinstance(value, bool)
