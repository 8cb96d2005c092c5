"""Tests as Python source that a person or a policy reads. The same test always reads the same."""

from __future__ import annotations

from typing import Any

from codeself.records.tasks import AssertTest, CallTest, CheckTest
from codeself.records.values import decode


def show_test(test: CallTest | AssertTest | CheckTest, entry_point: str) -> str:
    """One test as source, usually an assert on one line."""
    if not isinstance(test, CallTest):
        return test.source.strip()
    arguments = [show_value(decode(value)) for value in test.args]
    arguments += [f"{name}={show_value(decode(value))}" for name, value in test.kwargs.items()]
    call = f"{entry_point}({', '.join(arguments)})"
    expected = decode(test.expected)
    if test.compare == "not_none":
        return f"assert {call} is {'None' if expected is None else 'not None'}"
    if test.compare == "set":
        return f"assert set({call}) == {show_value(set(expected))}"
    if test.compare == "close":
        return f"assert {call} == {show_value(expected)}  # approximately"
    return f"assert {call} == {show_value(expected)}"


def show_value(value: Any) -> str:
    """repr, but with the members of a set in an order that does not change between processes."""
    kind = type(value)
    if kind in (set, frozenset):
        members = ", ".join(sorted(map(show_value, value)))
        if kind is frozenset:
            return f"frozenset({{{members}}})" if value else "frozenset()"
        return f"{{{members}}}" if value else "set()"
    if kind is list:
        return f"[{', '.join(map(show_value, value))}]"
    if kind is tuple:
        return f"({', '.join(map(show_value, value))}{',' if len(value) == 1 else ''})"
    if kind is dict:
        return f"{{{', '.join(f'{show_value(k)}: {show_value(v)}' for k, v in value.items())}}}"
    return repr(value)
