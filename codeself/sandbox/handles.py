"""Objects that live with the candidate, as tests hold them.

Tests may call their methods, read and set attributes, iterate, index and measure them. A handle equals nothing
and has no order: the candidate would be deciding its own verdict. Two more rules keep it from answering each
question as it suits:

- An object that stands for a value must be one: what it said of its length, items and text holds until the test
  acts again, and must agree. Only an object that the test itself made, by calling a class that the reference
  defines, is the answer in person and speaks for itself.
- Arithmetic is for tasks about such classes, and only if it gives another object: never a number or a truth.
"""

from __future__ import annotations

import dis
from functools import partial
from types import TracebackType
from typing import Any, Protocol

from codeself.records.verdicts import Status
from codeself.sandbox.said import Said, exactly
from codeself.sandbox.sources import TESTS
from codeself.sandbox.stand_ins import StandIn

Kind = str  # "next": an iterator; "call": callable; "": neither
Role = str  # "class": one that the task is about; "made": by such a class, for the test; else "value"
_FORWARDED = frozenset(("__name__", "__qualname__", "__wrapped__"))
_set, _get = object.__setattr__, object.__getattribute__
_BINARY = "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split()
_UNARY = "neg pos invert abs".split()


class Remote(Protocol):
    """One candidate as its handles know it (codeself.sandbox.proxy)."""

    epoch: int
    classes_asked_for: bool

    def ask(
        self, target: int | str | None, method: str | None, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any: ...

    def end(self, status: Status, detail: str) -> BaseException: ...


class Handle:
    """One object of the candidate's: by its number there, or by the name of a global."""

    # Mangled, so that no attribute of the candidate's object hides behind one of ours.
    __slots__ = (
        "_Handle__kind",
        "_Handle__name",
        "_Handle__remote",
        "_Handle__role",
        "_Handle__said",
        "_Handle__target",
        "__weakref__",
    )
    __hash__ = object.__hash__

    def __init__(
        self, remote: Remote, target: int | str, name: str, kind: Kind, role: Role = "value"
    ) -> None:
        _set(self, "_Handle__kind", kind)
        _set(self, "_Handle__said", None)
        _set(self, "_Handle__name", name)
        _set(self, "_Handle__remote", remote)
        _set(self, "_Handle__role", role)
        _set(self, "_Handle__target", target)

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in _FORWARDED:
            raise AttributeError(name)
        return _ask(self, "__getattr__", name)

    def __setattr__(self, name: str, value: Any) -> None:
        _ask(self, "__setattr__", name, value)

    def __delattr__(self, name: str) -> None:
        _ask(self, "__delattr__", name)

    def __iter__(self) -> Any:
        if kind_of(self) == "next":
            return self
        if not _is_value(self):
            return iter(_ask(self, "__iter__"))
        return _said(self).items()

    def __next__(self) -> Any:
        if kind_of(self) != "next" and _is_value(self):
            raise TypeError(f"'{name_of(self)}' object is not an iterator")
        return _next(self)

    def __len__(self) -> int:
        if not _is_value(self):
            return exactly(int, _ask(self, "__len__"))
        if kind_of(self) == "next":
            raise TypeError(f"object of type '{name_of(self)}' has no len()")
        return _said(self).length()

    def __bool__(self) -> bool:
        return exactly(bool, _reading(self, "__bool__"))

    def __str__(self) -> str:
        return exactly(str, _reading(self, "__str__"))

    def __repr__(self) -> str:
        return f"<{name_of(self)[:60]} object of the candidate>"

    def __getitem__(self, key: Any) -> Any:
        return _reading(self, "__getitem__", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        _ask(self, "__setitem__", key, value)

    def __delitem__(self, key: Any) -> None:
        _ask(self, "__delitem__", key)

    def __contains__(self, item: Any) -> bool:
        if not _is_value(self):
            return exactly(bool, _ask(self, "__contains__", item))
        return any(own is item or own == item for own in self)

    def __enter__(self) -> Any:
        return _ask(self, "__enter__")

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        swallowed = exactly(bool, _ask(self, "__exit__", None if error is None else str(error)[:300]))
        # What a test asserts, or trips over, is not the candidate's to swallow: only what it raises on purpose.
        return bool(swallowed and error is not None and _raised_on_purpose(error, trace))

    def __copy__(self) -> Any:
        return _ask(self, "__copy__")

    def __deepcopy__(self, memo: object) -> Any:
        return _ask(self, "__deepcopy__")


class CallableHandle(Handle):
    """A function, class or other callable of the candidate's."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = remote_of(self).ask(target_of(self), None, args, kwargs)
        if isinstance(result, Handle) and _role_of(self) == "class":
            _set(result, "_Handle__role", "made")
        return result

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, Handle | StandIn) and exactly(
            bool, _ask(self, "__instancecheck__", instance)
        )

    def __subclasscheck__(self, subclass: object) -> bool:
        return isinstance(subclass, Handle) and exactly(bool, _ask(self, "__subclasscheck__", subclass))


class Untrue(Handle):
    """What arithmetic with the candidate's objects gave. Whether it is true is not the candidate's to say."""

    __slots__ = ()

    def __bool__(self) -> bool:
        raise TypeError("the result of arithmetic with an object of the candidate's is no truth")


def kind_of(handle: Handle) -> Kind:
    kind: Kind = _get(handle, "_Handle__kind")
    return kind


def name_of(handle: Handle) -> str:
    name: str = _get(handle, "_Handle__name")
    return name


def target_of(handle: Handle) -> int | str:
    target: int | str = _get(handle, "_Handle__target")
    return target


def remote_of(handle: Handle) -> Remote:
    remote: Remote = _get(handle, "_Handle__remote")
    return remote


def _role_of(handle: Handle) -> Role:
    role: Role = _get(handle, "_Handle__role")
    return role


def _is_value(handle: Handle) -> bool:
    return _role_of(handle) == "value"


def _ask(handle: Handle, operation: str, *args: Any) -> Any:
    return remote_of(handle).ask(target_of(handle), operation, args, {})


def _said(handle: Handle) -> Said:
    epoch = remote_of(handle).epoch
    said: Said | None = _get(handle, "_Handle__said")
    if said is None or said.epoch != epoch:
        said = Said(partial(_ask, handle), remote_of(handle).end, epoch)
        _set(handle, "_Handle__said", said)
    return said


def _reading(handle: Handle, operation: str, *args: Any) -> Any:
    if not _is_value(handle):
        return _ask(handle, operation, *args)
    if kind_of(handle) == "next":
        if operation == "__getitem__":
            raise TypeError(f"'{name_of(handle)}' object is not subscriptable")
        return _ask(handle, operation)
    said = _said(handle)
    if operation == "__getitem__":
        return said.item(args[0])
    if operation not in said.answers:
        said.answers[operation] = _ask(handle, operation)
    return said.answers[operation]


def _next(handle: Handle) -> Any:
    if _get(handle, "_Handle__said") == "ended":
        raise StopIteration
    try:
        return _ask(handle, "__next__")
    except StopIteration:
        # An iterator that has ended has ended: none starts again with other items.
        _set(handle, "_Handle__said", "ended")
        raise


def _raised_on_purpose(error: BaseException, trace: TracebackType | None) -> bool:
    """Whether a raise statement of the test's raised it."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or isinstance(error, AssertionError) or trace.tb_frame.f_code.co_filename != TESTS:
        return False
    return dis.opname[trace.tb_frame.f_code.co_code[trace.tb_lasti]] == "RAISE_VARARGS"


def _arithmetic(operation: str) -> Any:
    def method(self: Handle, *others: Any) -> Any:
        if not remote_of(self).classes_asked_for:
            raise TypeError(f"arithmetic with a '{name_of(self)}' object of the candidate's")
        result = _ask(self, operation, *others)
        if not isinstance(result, Handle):
            raise TypeError("arithmetic with an object of the candidate's must give another")
        return Untrue(remote_of(result), target_of(result), name_of(result), kind_of(result))

    method.__name__ = operation
    return method


for _name in (*_BINARY, *(f"r{name}" for name in _BINARY), *(f"i{name}" for name in _BINARY), *_UNARY):
    setattr(Handle, f"__{_name}__", _arithmetic(f"__{_name}__"))
