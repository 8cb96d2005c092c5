"""The judge's end of a zygote: how one is started, at which level, and its sure end."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys

from codeself.records.errors import InfrastructureError
from codeself.records.judging import Limits
from codeself.records.verdicts import IsolationLevel
from codeself.sandbox import carried
from codeself.sandbox.isolation import LEVELS

_START_SECONDS = 60.0
_END_SECONDS = 5.0
_MAIN = """
import _socket
from codeself.sandbox.zygote import main
main({level!r}, {memory_mb}, {processes}, _socket.socket(fileno={descriptor}))
"""


class ZygoteProcess:
    """A running zygote, with the memory and process limits of its candidates, and the control socket to it."""

    def __init__(self, level: IsolationLevel, limits: Limits) -> None:
        """Start one. Raises InfrastructureError when the level cannot be reached here."""
        self.level: IsolationLevel = level
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        program = _MAIN.format(
            level=level,
            memory_mb=limits.memory_mb,
            processes=limits.processes,
            descriptor=theirs.fileno(),
        )
        self._process = subprocess.Popen(
            # Isolated (-P -s -S), but for the variables given here: -I would leave those out too.
            [sys.executable, "-P", "-s", "-S", "-B", "-c", carried.BOOTSTRAP.replace("{main}", program)],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if not os.environ.get("CODESELF_DEBUG") else None,
            # No hash seed of the host's: what a candidate computes is the same on every run. Symbols are bound
            # at the start, once, and not in each candidate.
            env={"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "LD_BIND_NOW": "1"},
            start_new_session=True,
        )
        theirs.close()
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._process.stdin as stream:
            stream.write(carried.code())
        self.control = ours
        ours.settimeout(_START_SECONDS)
        try:
            answer = ours.recv(4096)
        except OSError as error:
            answer = str(error).encode()
        if answer != b"ready":
            self.close()
            reason = answer.decode("utf-8", "replace") or "it ended at once"
            raise InfrastructureError(f"sandbox level '{level}' cannot be reached: {reason}")

    def close(self) -> None:
        """End the zygote and with it every candidate that it holds, and all that they started."""
        self.control.close()
        if self.level != "strict":
            # No namespace of processes ends with it: it ends them, as soon as it sees that nobody asks any more.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_SECONDS)
        self._process.kill()
        self._process.wait()


def start_zygote(minimum: IsolationLevel, limits: Limits) -> ZygoteProcess:
    """A zygote at the highest level that can be reached, but not below `minimum`."""
    reasons = []
    for level in reversed(LEVELS[max(LEVELS.index(minimum), 1) :]):
        try:
            return ZygoteProcess(level, limits)
        except InfrastructureError as error:
            reasons.append(str(error))
    if minimum == "none":
        return ZygoteProcess("none", limits)
    raise InfrastructureError(f"isolation '{minimum}' is asked for and cannot be had: {'; '.join(reasons)}")
