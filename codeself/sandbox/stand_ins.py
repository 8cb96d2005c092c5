"""Data that tests may ask by name: named tuples and enum members of the candidate's, made anew by the judge.

Each is decided by its content alone, like any data. It remembers which of the candidate's objects it stands for,
so that a test can hand that one back.
"""

from __future__ import annotations

import keyword
from collections import namedtuple
from functools import lru_cache
from typing import Any

from codeself.records.values import NotData, encode

_MAX_FIELDS = 100


class StandIn:
    """Something that the judge made in place of an object of the candidate's."""

    number: int


class Member(StandIn):
    """An enum member: equal to a member of the same name and value, and to its value."""

    def __init__(self, number: int, kind: str, name: str, value: Any) -> None:
        self.number, self._kind, self.name, self.value = number, kind, name, value

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Member):
            return (self._kind, self.name) == (other._kind, other.name) and bool(self.value == other.value)
        return bool(self.value == other)

    def __hash__(self) -> int:
        return hash(self.value)

    def __str__(self) -> str:
        return f"{self._kind}.{self.name}"

    def __repr__(self) -> str:
        return f"<{self}: {self.value!r}>"


@lru_cache(maxsize=256)
def record_type(name: str, fields: tuple[str, ...]) -> Any:
    """A named tuple's type. Raises ValueError for names that are none."""
    if len(fields) > _MAX_FIELDS or any(
        len(text) > _MAX_FIELDS or not text.isidentifier() for text in (name, *fields)
    ):
        raise ValueError("not the names of a named tuple")
    if any(keyword.iskeyword(text) or text.startswith("_") for text in fields):
        raise ValueError("not the names of a named tuple")
    plain = namedtuple(name if not keyword.iskeyword(name) else "record", fields)  # type: ignore[misc]
    return type(name, (plain, StandIn), {})


def as_data(value: Any) -> Any:
    """The encoding of what a call may return beyond plain data, for values that are kept. Raises NotData."""
    if isinstance(value, Member):
        return encode(value.value, as_data)
    if isinstance(value, tuple):
        return encode(tuple(value), as_data)
    if isinstance(value, type({}.keys()) | type({}.items())):
        return encode(set(value), as_data)
    raise NotData(f"a {type(value).__qualname__} is not plain data")
