"""What an object of the candidate's that stands for a value has said of itself since the test last acted.

It holds, and must agree: else the candidate could answer each question as it suits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from codeself.records.verdicts import Status


class Said:
    """ask: an operation of the object, with its arguments. end: the candidate's end, to be raised."""

    def __init__(
        self, ask: Callable[..., Any], end: Callable[[Status, str], BaseException], epoch: int
    ) -> None:
        self.epoch = epoch
        self.answers: dict[str, Any] = {}
        self._taken: list[tuple[Any, Any]] = []
        self._ask = ask
        self._end = end
        self._seen: list[Any] = []
        self._source: Iterator[Any] | None = None
        self._whole = False
        self._length: int | None = None

    def length(self) -> int:
        if self._length is None:
            self._length = exactly(int, self._ask("__len__"))
            self._compare()
        return self._length

    def items(self) -> Iterator[Any]:
        """The items, each asked for once."""
        position = 0
        while True:
            if position == len(self._seen):
                if self._whole:
                    return
                if self._source is None:
                    self._source = iter(self._ask("__iter__"))
                try:
                    self._seen.append(next(self._source))
                except StopIteration:
                    self._whole = True
                    self._compare()
                    return
            yield self._seen[position]
            position += 1

    def item(self, key: Any) -> Any:
        for known, item in self._taken:
            if type(known) is type(key) and known == key:
                return item
        item = self._ask("__getitem__", key)
        self._taken.append((key, item))
        self._compare()
        return item

    def _compare(self) -> None:
        """An object that contradicts itself is a wrong answer, whatever the test makes of it."""
        if not self._whole:
            return
        seen = self._seen
        if self._length not in (None, len(seen)):
            raise self._end("failed", "an object whose length is not the number of its items")
        for key, item in self._taken:
            if type(key) is int and -len(seen) <= key < len(seen) and not _same(seen[key], item):
                raise self._end("failed", "an object whose items differ between readings")


def exactly(kind: type, value: Any) -> Any:
    """The value, where it is of this very type. Raises TypeError otherwise."""
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}")
    return value


def _same(one: Any, other: Any) -> bool:
    return bool(one is other or one == other or (one != one and other != other))
