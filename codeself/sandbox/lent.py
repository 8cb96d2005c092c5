"""What tests pass to the candidate that is no data: their functions and iterators, called there and run here.

Each goes out as a number, and what comes back under that number is the object itself. A function or class of the
standard library goes out by its name, and the candidate takes its own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from codeself.records import values

_MOST = 10_000


class Lent:
    """What one candidate was lent, and what was raised when it called."""

    def __init__(self) -> None:
        self._objects: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._library: dict[tuple[str, str], Any] = {}
        self._thrown: list[Exception] = []

    def lend(self, value: Any) -> dict[str, Any]:
        """How an iterator or a callable goes out. Raises NotData when too many have."""
        if isinstance(value, Iterator):
            return {"$iterator": [self._number_of(value), "next"]}
        place = _library_name(value)
        if place is not None:
            self._library[place[0], place[1]] = value
            return {"$import": place}
        return {"$function": [self._number_of(value), str(getattr(value, "__name__", "function"))]}

    def has(self, number: Any) -> bool:
        return type(number) is int and 0 <= number < len(self._objects)

    def back(self, number: Any) -> Any:
        """What was lent under this number. Raises TypeError or LookupError for what is none."""
        if type(number) is not int or number < 0:
            raise TypeError
        return self._objects[number]

    def from_library(self, module: Any, name: Any) -> Any:
        return self._library[module, name]

    def called(self, number: int, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        lent = self._objects[number]
        return next(lent) if isinstance(lent, Iterator) else lent(*arguments, **keywords)

    def thrown(self, error: Exception) -> tuple[list[str], Any, int]:
        """What the candidate is told of an error: its types, its arguments where they are data, its number."""
        number = len(self._thrown) if len(self._thrown) < _MOST else -1
        if number >= 0:
            self._thrown.append(error)
        # An assertion of the test's own may say what it expected.
        said = [] if isinstance(error, AssertionError) else list(error.args)
        try:
            encoded = values.encode(said)
        except values.NotData:
            encoded = []
        return [kind.__name__ for kind in type(error).__mro__], encoded, number

    def thrown_before(self, number: Any) -> Exception | None:
        """The very error that the candidate lets through."""
        known = type(number) is int and 0 <= number < len(self._thrown)
        return self._thrown[number] if known else None

    def _number_of(self, value: Any) -> int:
        number = self._numbers.get(id(value))
        if number is None:
            if len(self._objects) >= _MOST:
                raise values.NotData("too many functions passed to the candidate")
            number = self._numbers[id(value)] = len(self._objects)
            self._objects.append(value)
        return number


def _library_name(value: Any) -> list[str] | None:
    """Module and name of a function or class of the standard library, which the candidate then takes itself."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if module is None and hasattr(value, "__objclass__"):
        module = value.__objclass__.__module__
    if (
        type(module) is not str
        or type(name) is not str
        or module.split(".")[0] not in sys.stdlib_module_names
    ):
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return [module, name] if found is value else None
