"""The candidate's side: runs the program in this process and answers the judge's questions about it.

Everything here runs beside untrusted code and may be changed by it. Nothing here decides anything: the
judge reads its answers as data that the candidate itself wrote.
"""

from __future__ import annotations

import builtins
import copy
import importlib
import io
import operator
import os
import sys
import types
from collections import UserDict, UserList, UserString
from collections.abc import Callable
from enum import Enum
from typing import Any

from codeself.records import values
from codeself.sandbox import channel

MODULE_NAME = "candidate"
DESCRIPTOR = 3  # the channel to the judge; 0 to 2 are the null device
_MESSAGE_CHARACTERS = 300
_FIRST_READ = 4096  # most requests are smaller, and memory that is not touched costs nothing
_CHUNK = 1 << 20

# What the judge may ask of an object beyond a named method. No comparison is among them: its answer would itself
# be the verdict.
_OPERATIONS: dict[str, Callable[..., Any]] = {
    "__iter__": iter,
    "__next__": next,
    "__len__": len,
    "__str__": str,
    "__repr__": repr,
    "__bool__": bool,
    "__getitem__": operator.getitem,
    "__setitem__": operator.setitem,
    "__delitem__": operator.delitem,
    "__getattr__": getattr,
    "__setattr__": setattr,
    "__delattr__": delattr,
    "__contains__": operator.contains,
    "__instancecheck__": lambda kind, value: isinstance(value, kind),
    "__subclasscheck__": lambda kind, other: issubclass(other, kind),
    "__copy__": copy.copy,
    "__deepcopy__": copy.deepcopy,
    "__enter__": lambda manager: type(manager).__enter__(manager),
    "__exit__": lambda manager, message: bool(_leave(manager, message)),
}
for _name in "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split():
    _function = getattr(operator, f"__{_name}__")
    _OPERATIONS[f"__{_name}__"] = _function
    _OPERATIONS[f"__r{_name}__"] = lambda own, other, function=_function: function(other, own)
    _OPERATIONS[f"__i{_name}__"] = getattr(operator, f"__i{_name}__")
for _name in "neg pos invert abs".split():
    _OPERATIONS[f"__{_name}__"] = getattr(operator, f"__{_name}__")
_BASES: tuple[Any, ...] = (bool, int, float, complex, str, bytes, list, dict, tuple, set, frozenset)
_VIEWS: dict[type, str] = {type({}.keys()): "$keys", type({}.items()): "$items", type({}.values()): ""}


class OutputLimit(Exception):
    """The program wrote more than it may."""


class _CountedOutput(io.RawIOBase):
    """Takes what is printed, keeps none of it, and stops a program that prints without end."""

    left = 0  # bytes that may still be printed

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.left -= len(data)
        if self.left < 0:
            raise OutputLimit("wrote more output than allowed")
        return len(data)


class Candidate:
    """One program and the objects that the judge has asked about.

    Made in the zygote, before there is a program: what is ready there costs a candidate nothing.
    """

    def __init__(self, descriptor: int = DESCRIPTOR) -> None:
        self._descriptor = descriptor
        self._module = types.ModuleType(MODULE_NAME)
        self._objects: dict[int, Any] = {}
        self._thrown: dict[int, tuple[BaseException, int]] = {}
        # What the judge passed that is no data, by identity and by its encoding: it goes back as what it came as.
        self._lent: dict[int, tuple[Any, dict[str, Any]]] = {}
        self._standing: dict[int, Any] = {}
        self._printed = _CountedOutput()
        self._output = io.TextIOWrapper(io.BufferedWriter(self._printed, 8192), "utf-8", "replace")

        self.end: Callable[[int], Any] = os._exit

    def enter(self) -> None:
        """Become what the program finds in `sys`: its output, and its module."""
        sys.stdout = sys.stderr = self._output
        vars(sys).update(__stdout__=self._output, __stderr__=self._output)
        sys.modules[MODULE_NAME] = self._module

    def serve(self) -> None:
        """Answer until the judge goes away."""
        while self.serve_one():
            pass

    def serve_one(self) -> bool:
        """Answer one request; False when the judge is gone."""
        frame = self._receive()
        if frame is None:
            return False
        self._send(self._answer(frame))
        return True

    def _answer(self, frame: list[Any]) -> list[Any]:
        if frame[0] == "run":
            return self._run(frame[1], frame[2])
        if frame[0] == "ask":
            return self._ask(*frame[1:])
        return ["broken", f"unknown request {frame[0]}"]

    def _run(self, program: str, output_cap: int) -> list[Any]:
        self._printed.left = output_cap
        try:
            code = compile(program, f"<{MODULE_NAME}>", "exec", dont_inherit=True)
        except BaseException as error:
            return ["syntax", *_describe(error)]
        try:
            exec(code, self._module.__dict__)
            self._output.flush()
        except BaseException as error:
            return ["raised", *_describe(error)]
        return ["ran"]

    def _ask(
        self,
        target: int | str | None,
        method: str | None,
        arguments: list[Any],
        named: dict[str, Any],
        changes: bool,
    ) -> list[Any]:
        decoded, keywords, result = [], {}, None
        try:
            decoded = [values.decode(item, self._reference) for item in arguments]
            keywords = {key: values.decode(item, self._reference) for key, item in named.items()}
            if isinstance(target, int):
                subject = self._objects[target]
            else:
                subject = self._global(decoded[0] if target is None else target)
            if target is None:
                result = subject
            elif method is None:
                result = subject(*decoded, **keywords)
            elif method in _OPERATIONS:
                result = _OPERATIONS[method](subject, *decoded, **keywords)
            else:
                result = getattr(subject, method)(*decoded, **keywords)
        except BaseException as error:
            answer = self._raised(error)
        else:
            try:
                answer = ["value", self.encode(result)]
            except values.NotData:
                return ["broken"]
            except BaseException as error:
                return self._raised(error)
        if changes:
            try:
                # In-place changes are data too: sent only where the arguments are no longer what was received.
                given = [*decoded, *keywords.values()]
                after = [self.encode(item) for item in given]
                if after != [*arguments, *named.values()]:
                    answer.append(after)
                position = next((place for place, item in enumerate(given) if item is result), -1)
                if position >= 0:
                    answer[2:] = answer[2:] or [None]
                    answer.append(position)
            except values.NotData:
                return ["broken"]
            except BaseException as error:
                return self._raised(error)
        return answer

    def _raised(self, error: BaseException) -> list[Any]:
        """What became of a call: the exception's types and text, and where they are data its arguments and state."""
        names, message = _describe(error)
        answer: list[Any] = ["raised", names, message, None, None, self._thrown.get(id(error), (None, -1))[1]]
        if len(message) < _MESSAGE_CHARACTERS:
            for position, part in ((3, error.args), (4, error.__dict__ or None)):
                try:
                    answer[position] = values.encode(part)
                except BaseException:
                    continue
        return answer

    def _global(self, name: str) -> Any:
        try:
            return self._module.__dict__[name]
        except KeyError:
            raise NameError(f"name '{name}' is not defined") from None

    def encode(self, value: Any) -> Any:
        """A value as data; whatever is not data becomes a handle that the judge may ask about."""
        return values.encode(value, self._encode_other)

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
            return {"$exception": self._raised(value)[1:]}
        if issubclass(kind, type) and issubclass(value, BaseException):
            return {"$error": _names(value)}
        ability = "next" if hasattr(kind, "__next__") else "call" if callable(value) else ""
        return {"$object": [self._number(value), kind.__name__, ability]}

    def _number(self, value: Any) -> int:
        self._objects[id(value)] = value
        return id(value)

    def _reference(self, tag: str, content: Any) -> Any:
        if tag == "$object":
            return self._objects[content]
        if tag == "$global":
            return self._global(content)
        if tag in ("$function", "$iterator"):
            if content[0] not in self._standing:
                function = _Function(self, *content)
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

    def call_back(self, number: int, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Call a function that lives with the judge."""
        named = {key: self.encode(item) for key, item in keywords.items()}
        self._send(["call", number, [self.encode(item) for item in arguments], named])
        while True:
            frame = self._receive()
            if frame is None:
                os._exit(0)
            if frame[0] == "returned":
                return values.decode(frame[1], self._reference)
            if frame[0] == "threw":
                raise self._thrown_by_judge(*frame[1:])
            self._send(self._answer(frame))

    def _thrown_by_judge(self, names: list[str], arguments: list[Any], number: int) -> BaseException:
        """The nearest builtin exception to one that a function of the judge's raised."""
        kinds = (getattr(builtins, name, None) for name in names)
        kind: Any = next(k for k in kinds if isinstance(k, type) and issubclass(k, BaseException))
        error = kind.__new__(kind, *values.decode(arguments))
        error.args = tuple(values.decode(arguments))
        self._thrown[id(error)] = error, number
        return error  # type: ignore[no-any-return]

    def _send(self, frame: list[Any]) -> None:
        try:
            data = channel.pack(frame)
        except BaseException as error:
            data = channel.pack(["raised", *_describe(error)])
        sent = os.write(self._descriptor, data)
        while sent < len(data):
            sent += os.write(self._descriptor, data[sent : sent + _CHUNK])

    def _receive(self) -> list[Any] | None:
        # The judge sends one request at a time: what has come belongs to one frame.
        data = os.read(self._descriptor, _FIRST_READ)
        if len(data) < channel.HEADER_BYTES:
            return None
        length = channel.HEADER_BYTES + channel.body_length(data, 1 << 31)
        if len(data) < length:
            parts = [data]
            left = length - len(data)
            while left:
                data = os.read(self._descriptor, min(left, _CHUNK))
                if not data:
                    return None
                parts.append(data)
                left -= len(data)
            data = b"".join(parts)
        return channel.unpack(data[channel.HEADER_BYTES :])


class _Function:
    """Stands for a function of the judge's that was passed as an argument."""

    def __init__(self, candidate: Candidate, number: int, name: str) -> None:
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


def _leave(manager: Any, message: str | None) -> Any:
    if message is None:
        return type(manager).__exit__(manager, None, None, None)
    return type(manager).__exit__(manager, RuntimeError, RuntimeError(message), None)


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


def _describe(error: BaseException) -> tuple[list[str], str]:
    return _names(type(error)), _message(error)
