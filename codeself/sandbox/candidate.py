"""The candidate's side: runs the program in this process and answers the judge's questions about it.

Everything here runs beside untrusted code and may be changed by it. Nothing here decides anything: the
judge reads its answers as data that the candidate itself wrote.
"""

from __future__ import annotations

import io
import os
import sys
import types
from collections.abc import Callable
from typing import Any

from codeself.records import values
from codeself.sandbox import channel
from codeself.sandbox.crossing import Crossing, describe
from codeself.sandbox.operations import OPERATIONS

MODULE_NAME = "candidate"
DESCRIPTOR = 3  # the channel to the judge; 0 to 2 are the null device
_FIRST_READ = 4096  # most requests are smaller, and memory that is not touched costs nothing
_CHUNK = 1 << 20


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
        self._crossing = Crossing(self._module, self)
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
            return ["syntax", *describe(error)]
        try:
            exec(code, self._module.__dict__)
            self._output.flush()
        except BaseException as error:
            return ["raised", *describe(error)]
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
            decoded = [self._crossing.decode(item) for item in arguments]
            keywords = {key: self._crossing.decode(item) for key, item in named.items()}
            if isinstance(target, int):
                subject = self._crossing.objects[target]
            else:
                subject = self._crossing.get_global(decoded[0] if target is None else target)
            if target is None:
                result = subject
            elif method is None:
                result = subject(*decoded, **keywords)
            elif method in OPERATIONS:
                result = OPERATIONS[method](subject, *decoded, **keywords)
            else:
                result = getattr(subject, method)(*decoded, **keywords)
        except BaseException as error:
            answer = self._crossing.raised(error)
        else:
            try:
                answer = ["value", self._crossing.encode(result)]
            except values.NotData:
                return ["broken"]
            except BaseException as error:
                return self._crossing.raised(error)
        if changes:
            try:
                # In-place changes are data too: sent only where the arguments are no longer what was received.
                given = [*decoded, *keywords.values()]
                after = [self._crossing.encode(item) for item in given]
                if after != [*arguments, *named.values()]:
                    answer.append(after)
                position = next((place for place, item in enumerate(given) if item is result), -1)
                if position >= 0:
                    answer[2:] = answer[2:] or [None]
                    answer.append(position)
            except values.NotData:
                return ["broken"]
            except BaseException as error:
                return self._crossing.raised(error)
        return answer

    def call_back(self, number: int, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Call a function that lives with the judge."""
        named = {key: self._crossing.encode(item) for key, item in keywords.items()}
        self._send(["call", number, [self._crossing.encode(item) for item in arguments], named])
        while True:
            frame = self._receive()
            if frame is None:
                os._exit(0)
            if frame[0] == "returned":
                return self._crossing.decode(frame[1])
            if frame[0] == "threw":
                raise self._crossing.thrown_by_judge(*frame[1:])
            self._send(self._answer(frame))

    def _send(self, frame: list[Any]) -> None:
        try:
            data = channel.pack(frame)
        except BaseException as error:
            data = channel.pack(["raised", *describe(error)])
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
