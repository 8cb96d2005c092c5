"""Exceptions of the candidate as tests see them: builtin ones as themselves, its own as types made here.

A type of the candidate's derives from the nearest builtin that it derived from there, and is the same type each
time within one candidate, so that a test can catch it by name. None of them can end the judge.
"""

from __future__ import annotations

import builtins
from typing import Any

from codeself.records.verdicts import Status
from codeself.sandbox.session import CandidateEnded

_MAX_NAME = 80
_MAX_ANCESTORS = 20


class Raised:
    """The exception types of one candidate."""

    def __init__(self) -> None:
        self._types: dict[tuple[str, ...], type[Exception]] = {}

    def type_named(self, names: list[Any]) -> type[Exception] | None:
        """The type for the names of a type and its ancestors, nearest first; None where it is no Exception."""
        texts = tuple(name[:_MAX_NAME] for name in names[:_MAX_ANCESTORS] if type(name) is str)
        known = self._types.get(texts)
        if known is not None or not texts:
            return known
        kind: type[Exception] | None = None
        for position in range(len(texts) - 1, -1, -1):
            name = texts[position]
            builtin = getattr(builtins, name, None)
            if isinstance(builtin, type) and issubclass(builtin, BaseException):
                kind = builtin if issubclass(builtin, Exception) else None
            elif kind is not None:
                lineage = texts[position:]
                if lineage not in self._types:
                    self._types[lineage] = type(name if name.isidentifier() else "Nameless", (kind,), {})
                kind = self._types[lineage]
        return kind

    def exception(self, names: Any, message: Any, args: Any = None, state: Any = None) -> BaseException:
        """What to raise for an exception of the candidate's: an Exception, or the end of the candidate."""
        if type(names) is not list or type(message) is not str:
            return CandidateEnded("output", "an exception that cannot be read")
        for name, status in _ENDING.items():
            if name in names:
                return CandidateEnded(status, f"{status} limit")
        kind = self.type_named(names)
        if kind is None:
            return CandidateEnded("error", "raised what is not an Exception")
        error = _made(kind, args if type(args) is tuple else (message,))
        if (_text(error) or "")[: len(message)] != message:
            error = _made(_saying(kind, message), (message,))
        if type(state) is dict:
            for key, value in state.items():
                if type(key) is str and not key.startswith("__"):
                    error.__dict__[key] = value
        return error


_ENDING: dict[str, Status] = {"MemoryError": "memory", "OutputLimit": "output"}


def _made(kind: type[Exception], args: tuple[Any, ...]) -> Exception:
    try:
        return kind(*args)
    except Exception:
        # UnicodeDecodeError and its like want arguments of their own.
        plain = type(
            kind.__name__, tuple(base for base in kind.__mro__ if base in (ValueError, Exception))[:1], {}
        )
        return plain(*args)  # type: ignore[no-any-return]


def _text(error: Exception) -> str | None:
    try:
        return str(error)
    except Exception:
        return None


def _saying(kind: type[Exception], message: str) -> type[Exception]:
    """The same type, with a text of its own."""
    return type(kind.__name__, (kind,), {"__str__": lambda error: message})


def builtin_name(error: BaseException) -> str:
    """The nearest builtin type's name: what may be said of an exception where nothing of the candidate may."""
    return next(
        (kind.__name__ for kind in type(error).__mro__ if getattr(builtins, kind.__name__, None) is kind),
        "Exception",
    )
