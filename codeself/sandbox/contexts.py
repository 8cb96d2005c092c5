"""Several calls of libc in a row, with nothing of the interpreter's in between.

What the interpreter does between two calls writes to memory. Some steps bear no such write: to exchange the memory that
the interpreter lives in, or to fork and touch nothing until the new process has ended. libc's contexts run one
function after another by themselves: each has a stack of its own, and goes on to the next where its function returns.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from typing import Any

_libc = ctypes.CDLL(None)
POSSIBLE = all(hasattr(_libc, name) for name in ("getcontext", "makecontext", "swapcontext"))
_CONTEXT_BYTES = 1 << 13  # more than any architecture's ucontext_t
_STACK_BYTES = 1 << 13
_STEP_BYTES = _CONTEXT_BYTES + _STACK_BYTES
_TOP_BYTES = 128  # of a stack: what a context finds there at its start, which its end overwrites

Call = tuple[Any, ...]
"""A function of libc, and up to six arguments of a machine word."""


def bytes_for(calls: int) -> int:
    """Bytes of memory that a row of so many calls lies in."""
    return calls * _STEP_BYTES + _CONTEXT_BYTES


class Row:
    """Calls laid out in memory, from an address on, to be made as often as asked for."""

    def __init__(self, memory: int, calls: Sequence[Call]) -> None:
        places = [memory + number * _STEP_BYTES for number in range(len(calls) + 1)]
        self._tops = []
        for place, following, (function, *arguments) in zip(places, places[1:], calls, strict=False):
            # After the flags: the context that follows, and the stack as address, flags and bytes.
            fields = struct.pack("=QQQQ", following, place + _CONTEXT_BYTES, 0, _STACK_BYTES)
            _libc.getcontext(ctypes.c_void_p(place))
            ctypes.memmove(place + 8, fields, len(fields))
            _libc.makecontext(
                ctypes.c_void_p(place),
                ctypes.cast(function, ctypes.c_void_p),
                len(arguments),
                *(ctypes.c_size_t(argument) for argument in arguments),
            )
            top = following - _TOP_BYTES
            self._tops.append((top, ctypes.string_at(top, _TOP_BYTES), _TOP_BYTES))
        self._ends = ctypes.c_void_p(places[-1]), ctypes.c_void_p(places[0])
        # The interpreter's lock is kept: to give it up is to write.
        self._swap = ctypes.PyDLL(None).swapcontext

    def run(self) -> None:
        """Make the calls; comes back when the last has returned."""
        for top in self._tops:
            ctypes.memmove(*top)
        self._swap(*self._ends)
