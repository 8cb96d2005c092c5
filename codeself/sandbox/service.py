"""Requests from one descriptor, answers to another, many under way at a time (codeself.sandbox.protocol)."""

from __future__ import annotations

import os
import queue
import select
import threading
from collections import deque
from typing import Any

from codeself.sandbox.pool import Job, JudgePool
from codeself.sandbox.protocol import Protocol, answer

MAX_LINE_BYTES = 64 << 20
_CHUNK = 1 << 18


def serve(pool: JudgePool, protocol: Protocol, reading: int, writing: int, in_flight: int) -> None:
    """Answer every line until the input ends and all is answered, or until nobody reads the answers.

    in_flight: requests accepted ahead of their verdicts; more wait unread in the pipe.
    """
    lines, writer = _Lines(reading), _Writer(writing)
    waiting: dict[int, Any] = {}
    while not writer.gone and (lines.open or lines.ready or waiting):
        while lines.ready and len(waiting) < in_flight:
            ident, request = protocol.request(lines.ready.popleft())
            if isinstance(request, Job):
                waiting[pool.submit(request)] = ident
            else:
                writer.write(answer(ident, request))
        listening = lines.open and not lines.ready
        for ticket, verdict in pool.completed(files=[reading] if listening else []):
            writer.write(answer(waiting.pop(ticket), verdict))
        if listening:
            lines.read()
    writer.close()


class _Lines:
    """Whole lines of a descriptor, read without waiting. A line over the cap is cut off, so no JSON."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)
        self._part = bytearray()
        self.ready: deque[bytes] = deque()
        self.open = True

    def read(self) -> None:
        """Take what is there, if anything is."""
        if not self._poll.poll(0):
            return
        data = os.read(self._descriptor, _CHUNK)
        if not data:
            self.open = False
            data = b"\n"
        *whole, rest = data.split(b"\n")
        for line in whole:
            self._add(line)
            if self._part.strip():
                self.ready.append(bytes(self._part))
            self._part.clear()
        self._add(rest)

    def _add(self, data: bytes) -> None:
        self._part += data[: MAX_LINE_BYTES - len(self._part)]


class _Writer:
    """Writes answers from a thread of its own: a client that writes much before it reads blocks nothing."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.gone = False  # nobody reads the answers any more

    def write(self, text: str) -> None:
        self._queue.put(text.encode("ascii"))

    def close(self) -> None:
        """Wait until all is written."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            try:
                while data and not self.gone:
                    data = data[os.write(self._descriptor, data) :]
            except OSError:
                self.gone = True
