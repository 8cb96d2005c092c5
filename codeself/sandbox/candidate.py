"""The candidate's side: runs the program in this process and answers the judge's questions about it.

Everything here runs beside untrusted code and may be changed by it. Nothing here decides anything: the
judge reads its answers as data that the candidate itself wrote.
"""

from __future__ import annotations

import io
import sys
import types
from collections.abc import Callable, Sequence
from marshal import dumps, loads
from os import _exit, read, write
from typing import Any

from codeself.records import values
from codeself.sandbox import channel
from codeself.sandbox.channel import ASK, HAND, RETURNED, RUN, THREW
from codeself.sandbox.crossing import Crossing, describe
from codeself.sandbox.descriptors import CHANNEL, MODULE_NAME
from codeself.sandbox.operations import OPERATIONS

_FIRST_READ = 4096  # most requests are smaller, and memory that is not touched costs nothing
_CHUNK = 1 << 20
_FILE = f"<{MODULE_NAME}>"
_AS_IS = frozenset((type(None), bool, str))  # and integers below this:
_LARGE = 1 << 63


class OutputLimit(Exception):
    """The program wrote more than it may."""


class _CountedOutput(io.RawIOBase):
    """Takes what is printed, keeps none of it, and stops a program that prints without end."""

    may_take = 0  # bytes that may still be printed

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.may_take -= len(data)
        if self.may_take < 0:
            raise OutputLimit("wrote more output than allowed")
        return len(data)


class Candidate:
    """One program and the objects that the judge has asked about.

    Made in the zygote, before there is a program: what is ready there costs a candidate nothing.
    """

    def __init__(self, descriptor: int = CHANNEL) -> None:
        self._descriptor = descriptor
        self._module = types.ModuleType(MODULE_NAME)
        self._globals = self._module.__dict__
        self._crossing = Crossing(self._globals, self)
        self._printed = _CountedOutput()
        self._output = io.TextIOWrapper(io.BufferedWriter(self._printed, 8192), "utf-8", "replace")

        self.end: Callable[[int], Any] = _exit

    def enter(self) -> None:
        """Become what the program finds in `sys`: its output, and its module."""
        sys.stdout = sys.stderr = self._output
        vars(sys).update(__stdout__=self._output, __stderr__=self._output)
        sys.modules[MODULE_NAME] = self._module

    def serve(self) -> None:
        """Answer until the judge goes away."""
        while (frame := self._receive()) is not None:
            self._send(self._answer(frame))

    def _answer(self, frame: list[Any]) -> list[Any]:
        kind = frame[0]
        if kind == ASK:
            return self._ask(*frame[1:])
        if kind == RUN:
            return self._run(*frame[1:])
        if kind == HAND:
            return self._hand(*frame[1:])
        return ["broken", f"unknown request {kind}"]

    def _run(self, program: str, output_cap: int) -> list[Any]:
        self._printed.may_take = output_cap
        try:
            code = compile(program, _FILE, "exec", dont_inherit=True)
        except BaseException as error:
            return ["syntax", *describe(error)]
        try:
            exec(code, self._globals)
            # Where neither is named, what a library may have written is counted once the buffers are full.
            if "print" in program or "std" in program:
                self._output.flush()
        except BaseException as error:
            return ["raised", *describe(error)]
        return ["ran"]

    def _ask(self, target: int | str | None, method: str | None, packed: bytes, changes: bool) -> list[Any]:
        """Call or read something. packed: its positional and named arguments, as they are."""
        given, named, result = (), {}, None
        try:
            given, named = loads(packed)
            if method is None and target in self._globals:
                result = self._globals[target](*given, **named)
            else:
                result = self._of(target, method, given, named)
        except BaseException as error:
            answer = self._crossing.raised(error)
        else:
            # Most results are data as they are.
            kind = type(result)
            plain = kind in _AS_IS or (kind is int and -_LARGE < result < _LARGE)
            answer = ["value", result] if plain else self._crossing.value(result)
        if changes:
            try:
                if dumps((given, named), channel.MARSHAL) == packed:
                    return self._with_place(answer, result, given, named)
            except BaseException:
                pass  # they hold what was not in them before
            return self._with_changes(answer, result, given, named, None)
        return answer

    def _hand(
        self,
        target: int | str | None,
        method: str | None,
        arguments: list[Any],
        keywords: dict[str, Any],
        changes: bool,
    ) -> list[Any]:
        """The same, with arguments that are encoded: not all of them are data."""
        given, named, result = [], {}, None
        try:
            given = [self._crossing.decode(item) for item in arguments]
            named = {key: self._crossing.decode(item) for key, item in keywords.items()}
            result = self._of(target, method, given, named)
        except BaseException as error:
            answer = self._crossing.raised(error)
        else:
            answer = self._crossing.value(result)
        if changes:
            return self._with_changes(answer, result, given, named, [*arguments, *keywords.values()])
        return answer

    def _of(
        self, target: int | str | None, method: str | None, given: Sequence[Any], named: dict[str, Any]
    ) -> Any:
        if target is None:
            return self._crossing.get_global(given[0])
        objects, names = self._crossing.objects, self._crossing.get_global
        subject = objects[target] if isinstance(target, int) else names(target)
        if method is None:
            return subject(*given, **named)
        if method in OPERATIONS:
            return OPERATIONS[method](subject, *given, **named)
        return getattr(subject, method)(*given, **named)

    def _with_changes(
        self,
        answer: list[Any],
        result: Any,
        given: Sequence[Any],
        named: dict[str, Any],
        sent: list[Any] | None,
    ) -> list[Any]:
        """The answer with the arguments as they are now, where they are no longer what was sent."""
        try:
            after = [self._crossing.encode(item) for item in (*given, *named.values())]
        except values.NotData:
            return ["broken"]
        except BaseException as error:
            return self._crossing.raised(error)
        if after != sent and answer[0] != "broken":
            answer.append(after)
        return self._with_place(answer, result, given, named)

    def _with_place(
        self, answer: list[Any], result: Any, given: Sequence[Any], named: dict[str, Any]
    ) -> list[Any]:
        """The answer with the place of the argument that the result is, where it is one."""
        if answer[0] == "value":
            for place, item in enumerate((*given, *named.values())):
                if item is result:
                    return [*answer, *([] if answer[2:] else [None]), place]
        return answer

    def call_back(self, number: int, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Call a function that lives with the judge."""
        named = {key: self._crossing.encode(item) for key, item in keywords.items()}
        self._send(["call", number, [self._crossing.encode(item) for item in arguments], named])
        while True:
            frame = self._receive()
            if frame is None:
                _exit(0)
            if frame[0] == RETURNED:
                return self._crossing.decode(frame[1])
            if frame[0] == THREW:
                raise self._crossing.thrown_by_judge(*frame[1:])
            self._send(self._answer(frame))

    def _send(self, frame: list[Any]) -> None:
        try:
            data = channel.pack(frame)
        except BaseException as error:
            data = channel.pack(["raised", *describe(error)])
        sent = write(self._descriptor, data)
        while sent < len(data):
            sent += write(self._descriptor, data[sent : sent + _CHUNK])

    def _receive(self) -> list[Any] | None:
        # The judge sends one request at a time, and a small one arrives in one piece.
        data = read(self._descriptor, _FIRST_READ)
        if len(data) == _FIRST_READ:
            data = self._whole(data)
        return loads(data[channel.HEADER_BYTES :]) if data else None

    def _whole(self, data: bytes) -> bytes:
        """A frame of which this is the first part; empty where the judge is gone."""
        parts = [data]
        left = channel.HEADER_BYTES + channel.body_length(data, 1 << 31) - len(data)
        while left > 0:
            data = read(self._descriptor, min(left, _CHUNK))
            if not data:
                return b""
            parts.append(data)
            left -= len(data)
        return b"".join(parts)
