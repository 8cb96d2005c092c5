"""The processes behind a pool: what is asked of one, and how it is started, fed and ended."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass
from multiprocessing.connection import Connection

from codeself.records.errors import InfrastructureError
from codeself.records.judging import JudgeConfig, Limits
from codeself.records.tasks import Task
from codeself.records.verdicts import Candidate, IsolationLevel
from codeself.sandbox import transport

_START_SECONDS = 120.0
_TASK_BYTES_HELD = 1 << 25  # of tasks that a worker remembers, before it is told to forget them
SLOW_SECONDS = 0.02  # after so long at one job, the jobs behind it are held up
_FORGET = transport.dumps(("forget", None))
_PIPE_BYTES = 1 << 16  # what a worker's pipe holds in any case, while nobody reads it


@dataclass(frozen=True)
class Job:
    """One candidate to grade. limits: the pool's own where None."""

    task: Task
    candidate: Candidate
    rollout_id: str = ""
    locked: bool = False
    limits: Limits | None = None


@dataclass(eq=False)
class Request:
    ticket: int
    message: bytes  # for a worker that knows the task
    patience: float  # seconds that a healthy worker cannot exceed
    job: Job | None = None
    key: str = ""  # of the job's task
    task_message: bytes = b""  # for one that does not
    attempts: int = 0
    doubled: bool = False  # given to a second worker
    alone: bool = False  # given out while nothing else runs, to be believed whatever comes
    answered: bool = False


class WorkerProcess:
    """A judge in a process of its own, and the requests that it has not answered yet.

    core: where it is to stay, with its zygote and candidates. They take turns, so that each finds what it needs in
    the core's caches; left to themselves they are spread over cores and fetch it from another's each time.
    """

    def __init__(self, config: JudgeConfig, core: int | None = None) -> None:
        self.core = core
        ours, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "codeself.sandbox.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # a test that prints does not write into the caller's output
        )
        theirs.close()
        if core is not None:
            with contextlib.suppress(OSError):  # not there any more: then anywhere
                os.sched_setaffinity(self._process.pid, {core})
        self.connection = Connection(ours.detach())
        self.pending: deque[Request] = deque()
        self.waiting_since = time.monotonic()
        self._known: set[str] = set()
        self._known_bytes = 0
        self.connection.send(config)

    def ready(self) -> IsolationLevel:
        """Wait for the judge behind it to have started. Raises its error, or InfrastructureError."""
        if not self.connection.poll(_START_SECONDS):
            raise InfrastructureError("a judge did not start in time")
        try:
            started, result = self.connection.recv()
        except (EOFError, OSError) as error:
            raise InfrastructureError("a judge ended while it started") from error
        if not started:
            raise result
        return result

    def give(self, request: Request) -> bool:
        """Send it, unless it is so large that a worker at work might leave it in the pipe: then False.

        Raises OSError for a worker that is gone.
        """
        unknown = bool(request.key) and request.key not in self._known
        if unknown and not request.task_message:
            assert request.job is not None
            request.task_message = transport.dumps(("task", (request.key, request.job.task)))
        if self.pending and len(request.message) + unknown * len(request.task_message) > _PIPE_BYTES:
            return False
        if not self.pending:
            self.waiting_since = time.monotonic()
        self.pending.append(request)  # first: what is lost on its way is tried again
        before = b""
        if unknown:
            if self._known_bytes > _TASK_BYTES_HELD:
                self._known.clear()
                self._known_bytes = 0
                before = _FORGET
            self._known.add(request.key)
            self._known_bytes += len(request.task_message)
            before += request.task_message
            request.task_message = b""
        self.connection.send_bytes(before + request.message)  # at once: the worker wakes once
        return True

    def overdue(self) -> bool:
        return bool(self.pending) and time.monotonic() - self.waiting_since > self.pending[0].patience

    def slow(self) -> bool:
        return bool(self.pending) and time.monotonic() - self.waiting_since > SLOW_SECONDS

    def close(self) -> None:
        self.connection.close()
        self._process.kill()
        self._process.wait()

    def exit_status(self) -> int | None:
        """Of a worker that is closed: negative for the signal that ended it before it was asked to."""
        return self._process.returncode
