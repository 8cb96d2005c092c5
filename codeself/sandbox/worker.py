"""A judge in a process of its own: takes jobs from the pool over a connection, sends results back.

Started afresh (never forked from the caller), so that a caller of any size costs nothing and shares nothing.
"""

from __future__ import annotations

import gc
import io
import os
import pickle
import resource
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from codeself.records.errors import CodeselfError
from codeself.records.judging import JudgeConfig
from codeself.sandbox import transport
from codeself.sandbox.judge import Judge

# Address space of a judge, far above what tests need: an answer that a test blows up (a range made a list, a
# power with a huge exponent) then ends in a MemoryError of that test's, not in the machine's.
_MEMORY_BYTES = 2 << 30


def main(descriptor: int) -> None:
    """Serve until the pool goes away.

    Each message is (kind, payload); each answer (ok, result, contended), where contended tells that the result
    is a timeout which a busy machine may have caused (codeself.sandbox.transport).
    """
    _bound_memory()
    connection = Connection(descriptor)
    config: JudgeConfig = connection.recv()
    tasks: dict[str, Any] = {}
    try:
        judge = Judge(config)
    except CodeselfError as error:
        connection.send((False, error))
        return
    connection.send((True, judge.level))
    gc.freeze()
    with judge:
        for kind, payload in _messages(connection):
            if kind == "task":
                key, task = payload
                tasks[key] = task
            elif kind == "forget":
                tasks.clear()
                judge.forget()
            else:
                connection.send_bytes(transport.dumps(_serve(judge, tasks, kind, payload)))


def _messages(connection: Connection) -> Iterator[tuple[str, Any]]:
    """What the pool asks, until it goes away. Several may come together."""
    while True:
        try:
            data = connection.recv_bytes()
        except (EOFError, OSError):
            return
        stream = io.BytesIO(data)
        while stream.tell() < len(data):
            yield pickle.load(stream)


def _bound_memory() -> None:
    # The soft limit alone: zygotes lift it again, to what their candidates may have.
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    value = _MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(_MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (value, hard))


def _serve(judge: Judge, tasks: dict[str, Any], kind: str, payload: Any) -> tuple[bool, Any, bool]:
    try:
        if kind == "verdict":
            key, status, program, limits, locked = payload
            phases, findings = judge.phases(tasks[key], status, program, limits, locked)
            return True, transport.flat(judge.level, phases, findings), judge.contended
        return True, judge.outputs(*payload), False
    except CodeselfError as error:
        return False, error, False


if __name__ == "__main__":
    main(int(sys.argv[1]))
    os._exit(0)
