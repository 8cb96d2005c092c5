"""The judge's end of a zygote: how one is started, at which level, and its sure end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time

from codeself.records.errors import InfrastructureError
from codeself.records.judging import Limits
from codeself.records.verdicts import IsolationLevel
from codeself.sandbox import carried, kernel
from codeself.sandbox.isolation import LEVELS
from codeself.sandbox.serving import DONE, ENDED, KILL, READY, READY_AND_WAITING, SHOW, STARTS

_START_SECONDS = 60.0
_END_SECONDS = 5.0
_TRIAL_SECONDS = 5.0
_GLANCE_MILLISECONDS = 1
_MAIN = """
import _socket
from codeself.sandbox.zygote import main
main({level!r}, {memory_mb}, {processes}, {waits}, _socket.socket(fileno={descriptor}))
"""


class _CannotWait(InfrastructureError):
    """Its candidates are out of this process's sight or reach."""


class ZygoteProcess:
    """A running zygote, with the memory and process limits of its candidates. One candidate lives at a time.

    Its methods raise OSError where the zygote is gone, or does not answer.
    """

    def __init__(self, level: IsolationLevel, limits: Limits, waits: bool = False) -> None:
        """Start one. waits: have it wait for each candidate's end, where it can.

        Raises InfrastructureError when the level cannot be reached here.
        """
        self.level: IsolationLevel = level
        self._children = -1  # a file that lists its candidates, where it waits for them
        self._turn = 0  # which of the messages starts the next one
        self._killed = 0  # the last of them, which stays in the list until the zygote has seen its end
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        program = _MAIN.format(
            level=level,
            memory_mb=limits.memory_mb,
            processes=limits.processes,
            waits=waits,
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
        self._control = ours
        ours.settimeout(_START_SECONDS)
        try:
            answer = ours.recv(4096)
        except OSError as error:
            answer = str(error).encode()
        if answer not in (READY, READY_AND_WAITING):
            self.close()
            reason = answer.decode("utf-8", "replace") or "it ended at once"
            raise InfrastructureError(f"sandbox level '{level}' cannot be reached: {reason}")
        if answer == READY_AND_WAITING:
            try:
                self._watch()
            except (OSError, ValueError) as error:
                self.close()
                raise _CannotWait(f"sandbox level '{level}' is not in sight: {error}") from error

    def start(self, channel: int) -> None:
        """Start a candidate, with its end of the channel."""
        kernel.send_with_fd(self._control, STARTS[self._turn], channel)
        self._turn = 1 - self._turn

    def candidate(self) -> int:
        """The process id, as it is here, of the candidate that lives; 0 where none does."""
        if self._children >= 0:
            pid = int(os.pread(self._children, 64, 0) or 0)
            if pid == self._killed:
                return 0
            self._killed = 0  # it has left the list, and its id may be given again
            return pid
        self._control.send(SHOW)
        message, descriptor = kernel.receive_with_fd(self._control, 64)
        if message != b"S" or descriptor < 0:
            raise OSError("it is gone")
        try:
            return _pid_behind(descriptor)
        finally:
            os.close(descriptor)

    def kill(self, started: bool, seen: int = 0) -> None:
        """Have the candidate killed, and everything in it; the next one starts only after its end.

        started: whether it is known to have been started by now. seen: its process id where that is known.
        """
        if self._children < 0:
            self._control.send(DONE)
        elif not self._kill(seen) and not started:
            # It may be about to start, or have ended by itself: the zygote answers only once there is none.
            self._control.send(KILL)
            self._await_end()

    def status(self) -> int:
        """How the candidate ended, as from waitpid. It is killed where it lives."""
        if self._children >= 0:
            self._kill()
        self._control.send(KILL)
        return self._await_end()

    def _await_end(self) -> int:
        """The wait status that the zygote tells. A candidate that starts meanwhile is killed."""
        deadline = time.monotonic() + _START_SECONDS
        if self._children >= 0:
            waiting = select.poll()
            waiting.register(self._control, select.POLLIN)
            while not waiting.poll(_GLANCE_MILLISECONDS) and time.monotonic() < deadline:
                self._kill()
        try:
            _, status = ENDED.unpack(self._control.recv(64))
        except struct.error as error:
            raise OSError("it is gone") from error
        return int(status)

    def _kill(self, seen: int = 0) -> bool:
        """Kill the candidate that lives, unless it ends by itself meanwhile. Returns False where there is none."""
        pid = seen or self.candidate()
        if not pid:
            return False
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return False
        try:
            # The zygote's child still: its id was given to no other process before the descriptor held it.
            if self.candidate() == pid:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                    self._killed = pid
        finally:
            os.close(descriptor)
        return True

    def _watch(self) -> None:
        """See the zygote's children, and show on one that they can be seen and killed. Raises OSError or ValueError."""
        zygote = int(_read(_children_of(self._process.pid)))
        self._children = os.open(_children_of(zygote), os.O_RDONLY | os.O_CLOEXEC)
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self.start(theirs.fileno())
            deadline = time.monotonic() + _TRIAL_SECONDS
            while not self._kill():
                if time.monotonic() > deadline:
                    raise OSError("its children are not listed")
                time.sleep(0.001)
            self._control.settimeout(_TRIAL_SECONDS)
            self.status()
            self._control.settimeout(_START_SECONDS)

    def close(self) -> None:
        """End the zygote and with it every candidate that it holds, and all that they started."""
        self._control.close()
        if self._children >= 0:
            os.close(self._children)
            self._children = -1
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
            try:
                return ZygoteProcess(level, limits, waits=os.path.exists(_children_of(os.getpid())))
            except _CannotWait:
                return ZygoteProcess(level, limits)
        except InfrastructureError as error:
            reasons.append(str(error))
    if minimum == "none":
        return ZygoteProcess("none", limits)
    raise InfrastructureError(f"isolation '{minimum}' is asked for and cannot be had: {'; '.join(reasons)}")


def _children_of(pid: int) -> str:
    """The file in which a kernel built to tell them lists the children of a process with one thread."""
    return f"/proc/{pid}/task/{pid}/children"


def _read(path: str) -> str:
    with open(path, encoding="ascii") as stream:
        return stream.read()


def _pid_behind(pidfd: int) -> int:
    with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("Pid:"):
                return int(line.split()[1])
    raise OSError("the kernel does not name the process behind a pidfd")
