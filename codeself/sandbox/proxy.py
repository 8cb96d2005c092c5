"""What tests hold in place of the candidate's functions and objects.

A proxy sends arguments as data, brings the result back as data, and brings back in-place changes of the
arguments. What is not data stays with the candidate behind a handle: tests may call its methods, read and
set its attributes, iterate, index and measure it. They may not compare or compute with it: a handle equals
nothing, has no order and no arithmetic, because the candidate would be deciding its own verdict.
"""

from __future__ import annotations

import builtins
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from codeself.records import values
from codeself.sandbox.session import CandidateEnded, Session

_MAX_HANDLES_OUT = 10_000
_NO_SUCH_TYPE = "CandidateError"


class CandidateError(Exception):
    """The candidate raised an exception of a type that is not a builtin one."""


class Remote:
    """One candidate as tests see it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._functions: list[Callable[..., Any]] = []
        self.calls = 0

    def function(self, name: str) -> Callable[..., Any]:
        """A proxy for a global function of the candidate's."""

        def proxy(*args: Any, **kwargs: Any) -> Any:
            return self.ask(name, None, args, kwargs)

        proxy.__name__ = proxy.__qualname__ = name
        return proxy

    def get_global(self, name: str) -> Any:
        """The value of a candidate's global. Raises NameError where there is none."""
        return self.ask(None, None, (name,), {})

    def ask(
        self, target: int | str | None, method: str | None, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        encoded = [self._encode(item) for item in args]
        named = {key: self._encode(item) for key, item in kwargs.items()}
        mutable = any(type(item) in _MUTABLE for item in args)
        reply = self._exchange(["ask", target, method, encoded, named, mutable])
        if len(reply) == 3:
            self._bring_back(args, reply[2])
        return self._decode(reply[1])

    def ask_encoded(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Call a function with arguments that are encoded already; the result as a value."""
        return self._decode(self._exchange(["ask", name, None, args, kwargs, False])[1])

    def _exchange(self, frame: list[Any]) -> list[Any]:
        """Send a request; serve the candidate's calls of our functions until its answer comes."""
        self.calls += 1
        while True:
            reply = self._session.ask(frame)
            if reply[0] == "value" and 2 <= len(reply) <= 3:
                return reply
            if reply[0] == "raised":
                raise _as_exception(reply)
            if reply[0] == "call" and len(reply) == 3:
                frame = self._serve_call(reply[1], reply[2])
                continue
            raise CandidateEnded("output", "an answer that is not part of the protocol")

    def _serve_call(self, number: Any, args: Any) -> list[Any]:
        if type(number) is not int or not 0 <= number < len(self._functions) or type(args) is not list:
            raise CandidateEnded("output", "a call of a function that was never passed")
        decoded = [self._decode(item) for item in args]
        try:
            return ["returned", self._encode(self._functions[number](*decoded))]
        except Exception as error:
            return ["threw", type(error).__name__, ""]

    def _encode(self, value: Any) -> Any:
        return values.encode(value, self._encode_other)

    def _encode_other(self, value: Any) -> Any:
        if isinstance(value, Handle):
            return {"$object": object.__getattribute__(value, "_number")}
        if isinstance(value, BaseException):
            return {"$tuple": [str(value)]}
        if callable(value):
            if len(self._functions) >= _MAX_HANDLES_OUT:
                raise values.NotData("too many functions passed to the candidate")
            self._functions.append(value)
            return {"$function": len(self._functions) - 1}
        if isinstance(value, Iterator):
            return values.encode(list(value), self._encode_other)
        raise values.NotData(f"a test passes a {type(value).__qualname__}, which is not data")

    def _decode(self, data: Any) -> Any:
        try:
            return values.decode(data, self._decode_other)
        except values.NotData as error:
            raise CandidateEnded("output", str(error)) from error

    def _decode_other(self, tag: str, content: Any) -> Any:
        if tag == "$object" and type(content) is list and len(content) == 3:
            number, name, can_be_called = content
            if type(number) is int and type(name) is str:
                return (CallableHandle if can_be_called is True else Handle)(self, number, name)
        if tag == "$exception" and type(content) is list and len(content) == 2:
            return _as_exception(["raised", *content])
        raise values.NotData(f"'{tag[:40]}' is not the name of a type that can be read")

    def _bring_back(self, args: tuple[Any, ...], after: Any) -> None:
        if type(after) is not list or len(after) != len(args):
            raise CandidateEnded("output", "in-place changes that do not match the arguments")
        for ours, theirs in zip(args, after, strict=True):
            if type(ours) in _MUTABLE:
                _update(ours, self._decode(theirs))


def _as_exception(reply: list[Any]) -> BaseException:
    """The nearest builtin exception for what the candidate raised; never one that ends the judge."""
    if len(reply) != 3 or type(reply[1]) is not list or type(reply[2]) is not str:
        return CandidateEnded("output", "an exception that cannot be read")
    names = [name for name in reply[1] if type(name) is str]
    message = reply[2]
    if "MemoryError" in names:
        return CandidateEnded("memory", "memory limit")
    if "OutputLimit" in names:
        return CandidateEnded("output", "output limit")
    for name in names:
        kind = getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, Exception):
            # The name is the candidate's own type's; its nearest builtin ancestor is what tests may catch.
            error = _raised_type(names[0], kind)
            return error(message) if kind.__init__ is Exception.__init__ else _build(kind, names[0], message)
    if names and isinstance(getattr(builtins, names[0], None), type):
        return CandidateEnded("error", f"raised {names[0]}")
    return CandidateError(f"{names[0] if names else _NO_SUCH_TYPE}: {message}")


def _raised_type(name: str, kind: type[Exception]) -> type[Exception]:
    return kind if name == kind.__name__ else type(name[:80] or _NO_SUCH_TYPE, (kind,), {})


def _build(kind: type[Exception], name: str, message: str) -> Exception:
    try:
        return _raised_type(name, kind)(message)
    except TypeError:
        # UnicodeDecodeError and its like want more than a message.
        return ValueError(message)


class Handle:
    """An object that lives with the candidate. Equal to nothing, not even itself come back."""

    __hash__ = object.__hash__

    def __init__(self, remote: Remote, number: int, kind: str) -> None:
        for name, value in (("_remote", remote), ("_number", number), ("_kind", kind)):
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _ask(self, "__getattr__", name)

    def __setattr__(self, name: str, value: Any) -> None:
        _ask(self, "__setattr__", name, value)

    def __iter__(self) -> Any:
        iterator = _ask(self, "__iter__")
        return iterator if isinstance(iterator, Handle) else iter(iterator)

    def __next__(self) -> Any:
        return _ask(self, "__next__")

    def __len__(self) -> int:
        return _exactly(int, _ask(self, "__len__"))

    def __bool__(self) -> bool:
        return _exactly(bool, _ask(self, "__bool__"))

    def __str__(self) -> str:
        return _exactly(str, _ask(self, "__str__"))

    def __repr__(self) -> str:
        return f"<{object.__getattribute__(self, '_kind')[:60]} object of the candidate>"

    def __getitem__(self, key: Any) -> Any:
        return _ask(self, "__getitem__", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        _ask(self, "__setitem__", key, value)

    def __delitem__(self, key: Any) -> None:
        _ask(self, "__delitem__", key)


class CallableHandle(Handle):
    """A function, class or other callable of the candidate's."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return object.__getattribute__(self, "_remote").ask(
            object.__getattribute__(self, "_number"), None, args, kwargs
        )


def _ask(handle: Handle, operation: str, *args: Any) -> Any:
    remote = object.__getattribute__(handle, "_remote")
    return remote.ask(object.__getattribute__(handle, "_number"), operation, args, {})


def _exactly(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}")
    return value


_MUTABLE = (list, dict, set, bytearray, deque)


def _update(ours: Any, theirs: Any) -> None:
    """Make our mutable object hold what theirs holds, keeping the identity of ours and its mutable parts."""
    if type(ours) is not type(theirs):
        return
    if isinstance(ours, list):
        if len(ours) == len(theirs):
            for index, (old, new) in enumerate(zip(ours, theirs, strict=True)):
                if type(old) in _MUTABLE and type(old) is type(new):
                    _update(old, new)
                else:
                    ours[index] = new
        else:
            ours[:] = theirs
    elif isinstance(ours, dict | set):
        ours.clear()
        ours.update(theirs)
    elif isinstance(ours, bytearray):
        ours[:] = theirs
    else:
        ours.clear()
        ours.extend(theirs)
