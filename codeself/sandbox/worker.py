"""A judge in a process of its own: takes jobs from the pool over a connection, sends results back.

Started afresh (never forked from the caller), so that a caller of any size costs nothing and shares nothing.
"""

from __future__ import annotations

import gc
import os
import sys
from multiprocessing.connection import Connection
from typing import Any

from codeself.records.config import JudgeConfig
from codeself.records.errors import CodeselfError
from codeself.sandbox.judge import Judge


def main(descriptor: int) -> None:
    """Serve until the pool goes away.

    Each message is (kind, payload); each answer (ok, result, contended), where contended tells that the result
    is a timeout which a busy machine may have caused.
    """
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
        while True:
            try:
                kind, payload = connection.recv()
            except (EOFError, OSError):
                return
            if kind == "task":
                key, task = payload
                tasks[key] = task
            elif kind == "forget":
                tasks.clear()
            else:
                connection.send(_serve(judge, tasks, kind, payload))


def _serve(judge: Judge, tasks: dict[str, Any], kind: str, payload: Any) -> tuple[bool, Any, bool]:
    try:
        if kind == "verdict":
            key, candidate, limits, rollout_id, locked = payload
            verdict = judge.verdict(tasks[key], candidate, limits, rollout_id=rollout_id, locked=locked)
            return True, verdict, judge.contended
        return True, judge.outputs(*payload), False
    except CodeselfError as error:
        return False, error, False


if __name__ == "__main__":
    main(int(sys.argv[1]))
    os._exit(0)
