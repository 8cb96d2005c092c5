"""How values leave the candidate's process, and how they come in.

What is no data leaves as a handle: a number under which the object is kept here. What the judge passed that is no
data comes in as a stand-in, and goes back as what it came as. All of this runs beside untrusted code.
"""

from __future__ import annotations

import builtins
import importlib
import types
from collections import UserDict, UserList, UserString
from enum import Enum
from typing import Any, Protocol

from codeself.records import values

_MESSAGE_CHARACTERS = 300
_BASES: tuple[Any, ...] = (bool, int, float, complex, str, bytes, list, dict, tuple, set, frozenset)
_VIEWS: dict[type, str] = {type({}.keys()): "$keys", type({}.items()): "$items", type({}.values()): ""}


class Caller(Protocol):
    """What can call a function that lives with the judge."""

    def call_back(self, number: int, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any: ...


class Crossing:
    """names: the program's globals, which the judge may name. candidate: calls what lives with the judge."""

    def __init__(self, names: dict[str, Any], candidate: Caller) -> None:
        self.objects: dict[int, Any] = {}
        self._names = names
        self._candidate = candidate
        self._thrown: dict[int, tuple[BaseException, int]] = {}
        # What the judge passed that is no data, by identity and by its encoding: it goes back as what it came as.
        self._lent: dict[int, tuple[Any, dict[str, Any]]] = {}
        self._standing: dict[int, Any] = {}

    def decode(self, data: Any) -> Any:
        return values.decode(data, self._reference)

    def get_global(self, name: str) -> Any:
        try:
            return self._names[name]
        except KeyError:
            raise NameError(f"name '{name}' is not defined") from None

    def encode(self, value: Any) -> Any:
        """A value as data; whatever is not data becomes a handle that the judge may ask about."""
        return values.encode(value, self._encode_other)

    def value(self, result: Any) -> list[Any]:
        """The answer that holds a result."""
        try:
            return ["value", self.encode(result)]
        except values.NotData:
            return ["broken"]
        except BaseException as error:
            return self.raised(error)

    def _encode_other(self, value: Any) -> Any:
        kind = type(value)
        if id(value) in self._lent:
            return self._lent[id(value)][1]
        for base in _BASES:
            if issubclass(kind, base):
                plain = _plain(base, value)
                if base is tuple and hasattr(kind, "_fields"):
                    names = [kind.__name__, list(kind._fields)]
                    return {
                        "$namedtuple": [self._number(value), *names, [self.encode(item) for item in plain]]
                    }
                return self.encode(plain)
        if issubclass(kind, Enum):
            return {"$enum": [self._number(value), kind.__name__, value.name, self.encode(value.value)]}
        if kind in _VIEWS:
            items = [self.encode(item) for item in value]
            return {_VIEWS[kind]: items} if _VIEWS[kind] else items
        if kind in (UserDict, UserList, UserString):
            return self.encode(value.data)
        if issubclass(kind, BaseException):
            return {"$exception": self.raised(value)[1:]}
        if issubclass(kind, type) and issubclass(value, BaseException):
            return {"$error": _names(value)}
        ability = "next" if hasattr(kind, "__next__") else "call" if callable(value) else ""
        return {"$object": [self._number(value), kind.__name__, ability]}

    def _number(self, value: Any) -> int:
        self.objects[id(value)] = value
        return id(value)

    def _reference(self, tag: str, content: Any) -> Any:
        if tag == "$object":
            return self.objects[content]
        if tag == "$global":
            return self.get_global(content)
        if tag in ("$function", "$iterator"):
            if content[0] not in self._standing:
                function = _Function(self._candidate, *content)
                self._standing[content[0]] = function if tag == "$function" else _Iterator(function)
            return self._borrowed(self._standing[content[0]], tag, content)
        if tag == "$slice":
            return slice(*(values.decode(part, self._reference) for part in content))
        if tag == "$import":
            found: Any = importlib.import_module(content[0])
            for name in content[1].split("."):
                found = getattr(found, name)
            return self._borrowed(found, tag, content)
        raise values.NotData(f"unknown tag {tag}")

    def _borrowed(self, value: Any, tag: str, content: Any) -> Any:
        self._lent[id(value)] = value, {tag: content}
        return value

    def raised(self, error: BaseException) -> list[Any]:
        """What became of a call: the exception's types and text, and where they are data its arguments and state."""
        names, message = describe(error)
        answer: list[Any] = ["raised", names, message, None, None, self._thrown.get(id(error), (None, -1))[1]]
        if len(message) < _MESSAGE_CHARACTERS:
            for position, part in ((3, error.args), (4, error.__dict__ or None)):
                try:
                    answer[position] = values.encode(part)
                except BaseException:
                    continue
        return answer

    def thrown_by_judge(self, names: list[str], arguments: list[Any], number: int) -> BaseException:
        """The nearest builtin exception to one that a function of the judge's raised."""
        kinds = (getattr(builtins, name, None) for name in names)
        kind: Any = next(k for k in kinds if isinstance(k, type) and issubclass(k, BaseException))
        error = kind.__new__(kind, *values.decode(arguments))
        error.args = tuple(values.decode(arguments))
        self._thrown[id(error)] = error, number
        return error  # type: ignore[no-any-return]


class _Function:
    """Stands for a function of the judge's that was passed as an argument."""

    def __init__(self, candidate: Caller, number: int, name: str) -> None:
        self._candidate = candidate
        self._number = number
        self.__name__ = self.__qualname__ = name
        self.__doc__ = None

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._candidate.call_back(self._number, arguments, keywords)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)


class _Iterator:
    """Stands for an iterator of the judge's."""

    def __init__(self, step: _Function) -> None:
        self._step = step

    def __iter__(self) -> _Iterator:
        return self

    def __next__(self) -> Any:
        return self._step()


def _plain(base: Any, value: Any) -> Any:
    """The content of an instance of a subclass of a builtin, read past whatever the subclass overrides."""
    if base is dict:
        return dict(dict.items(value))
    if base in (set, frozenset):
        return base(base.__iter__(value))
    if base in (int, float, complex):
        return base.__pos__(value)
    return base.__getitem__(value, slice(None))


def _names(kind: type[BaseException]) -> list[str]:
    """The exception's type and those it derives from, nearest first."""
    return [ancestor.__name__ for ancestor in kind.__mro__ if ancestor not in (object, BaseException)]


def _message(error: BaseException) -> str:
    try:
        return str(error)[:_MESSAGE_CHARACTERS]
    except BaseException:
        return ""


def describe(error: BaseException) -> tuple[list[str], str]:
    return _names(type(error)), _message(error)
