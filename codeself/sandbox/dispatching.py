"""Requests to workers, and their answers back: which worker gets what, and what becomes of it when one dies.

Every wait has a bound. A request whose worker dies or falls silent is tried again on a new one; the third time it is
given up.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from codeself.records.errors import InfrastructureError
from codeself.records.judging import JudgeConfig
from codeself.records.verdicts import IsolationLevel
from codeself.sandbox.workers import SLOW_SECONDS, Request, WorkerProcess

_IN_FLIGHT = 2  # requests a worker holds: the one it is at work on, and the next, so that it never waits
_ATTEMPTS = 3

Answer = tuple[Request, bool, Any]  # whether it was answered, and the result or the error


class Stuck(Exception):
    """The judge's own work on an answer took too long: the candidate's doing, and no fault of ours."""

    def __str__(self) -> str:
        return "its answer could not be checked in the time allowed"


class Dispatcher:
    """workers: the processes, `count` of them once it is started."""

    def __init__(self, config: JudgeConfig, count: int) -> None:
        self.workers: list[WorkerProcess] = []
        self._config = config
        self._count = count
        self._queue: deque[Request] = deque()
        self._given_up: list[Answer] = []
        self._doubted: list[Request] = []  # timeouts on a busy machine: asked again when nothing else runs

    def start(self) -> IsolationLevel:
        """Start the workers, and wait for them. Returns the level of isolation that they reached."""
        level: IsolationLevel = "none"
        try:
            self.workers = [WorkerProcess(self._config, core) for core in self._cores()]
            for worker in self.workers:
                level = worker.ready()
        except BaseException:
            self.close()
            raise
        return level

    def close(self) -> None:
        for worker in self.workers:
            worker.close()
        self.workers = []

    def put(self, request: Request) -> None:
        self._queue.append(request)
        self._hand_out()

    @property
    def left(self) -> int:
        """Requests whose answer was not handed out yet."""
        given = {r.ticket for worker in self.workers for r in worker.pending if not r.answered}
        doubted = {r.ticket for r in self._doubted if not r.answered}
        return len(self._queue) + len(self._given_up) + len(given | doubted)

    def results(self, requests: list[Request]) -> Iterator[Answer]:
        """Queue the requests and yield their answers as they come, in any order."""
        assert not self.left, "a pool serves one stream of jobs at a time"
        left = len(requests)
        self._queue.extend(requests)
        try:
            while left:
                for answer in self.collect(None):
                    left -= 1
                    yield answer
        finally:
            # An abandoned stream leaves answers under way: start over with clean workers.
            self._queue.clear()
            self._given_up.clear()
            self._doubted.clear()
            for worker in list(self.workers):
                if not all(request.answered for request in worker.pending):
                    self._renew(worker)

    def collect(self, deadline: float | None, files: Sequence[int] = ()) -> list[Answer]:
        """Keep the workers busy and wait, for a second at most, for answers or for one of `files`."""
        self._hand_out()
        answers, self._given_up = self._given_up, []
        busy = {worker.connection.fileno(): worker for worker in self.workers if worker.pending}
        pause = 1.0 if deadline is None else min(max(deadline - time.monotonic(), 0.0), 1.0)
        if answers:
            pause = 0.0
        elif len(busy) < len(self.workers) and any(len(worker.pending) > 1 for worker in busy.values()):
            pause = min(pause, SLOW_SECONDS)
        if busy or files:
            waiting = select.poll()
            for descriptor in (*busy, *files):
                waiting.register(descriptor, select.POLLIN)
            for descriptor, _ in waiting.poll(pause * 1000):
                worker = busy.get(descriptor)
                if worker is None:
                    continue
                try:
                    ok, result, contended = worker.connection.recv()
                except (EOFError, OSError):
                    self._replace(worker)
                    continue
                worker.waiting_since = time.monotonic()
                request = worker.pending.popleft()
                if contended and not request.alone:
                    if request not in self._doubted:
                        self._doubted.append(request)
                elif not request.answered:
                    request.answered = True
                    answers.append((request, ok, result))
        for worker in [worker for worker in self.workers if worker.overdue()]:
            self._replace(worker)
        self._hand_out()
        return answers

    def _hand_out(self) -> None:
        """Give jobs to the workers, the least busy first, with no more in advance than they need."""
        while True:
            worker = min(self.workers, key=lambda worker: len(worker.pending))
            if len(worker.pending) >= _IN_FLIGHT:
                return
            held_up = self._held_up(worker)
            if held_up is None and not self._queue:
                self._ask_again_alone()
                return
            request = held_up or self._queue.popleft()
            try:
                given = worker.give(request)
            except OSError:
                self._replace(worker)
                continue
            if held_up is not None:
                held_up.doubled = given
            elif not given:
                self._queue.appendleft(request)
            if not given:
                return

    def _ask_again_alone(self) -> None:
        """Give out one doubted timeout, once no worker has anything else to do."""
        self._doubted = [request for request in self._doubted if not request.answered]
        if self._doubted and not any(worker.pending for worker in self.workers):
            request = self._doubted.pop(0)
            request.alone = True
            try:
                self.workers[0].give(request)
            except OSError:
                self._replace(self.workers[0])

    def _held_up(self, worker: WorkerProcess) -> Request | None:
        """A job that waits behind a slow one, for a worker to take at once. The first answer counts."""
        if worker.slow():
            return None
        for other in self.workers:
            if other is not worker and len(other.pending) > 1 and other.slow():
                for request in list(other.pending)[1:]:
                    if not (request.doubled or request.answered):
                        return request
        return None

    def _replace(self, worker: WorkerProcess) -> None:
        """A new worker for a dead one. Its jobs go back to the queue; one tried too often is given up."""
        lost = list(worker.pending)
        worker.pending.clear()
        self._renew(worker)
        stuck = worker.exit_status() == -signal.SIGVTALRM  # the judge's own work on an answer took too long
        elsewhere = {request.ticket for other in self.workers for request in other.pending}
        for position, request in enumerate(reversed(lost)):
            head = position == len(lost) - 1  # the one it was at work on
            request.attempts += head
            if request.answered or request.ticket in elsewhere:
                continue
            request.doubled = False
            if head and stuck and request.job is not None:
                request.answered = True
                self._given_up.append((request, False, Stuck()))
            elif request.attempts < _ATTEMPTS:
                self._queue.appendleft(request)
            else:
                request.answered = True
                error = InfrastructureError("the judge ended or fell silent at it, every time")
                self._given_up.append((request, False, error))

    def _renew(self, worker: WorkerProcess) -> None:
        worker.close()
        fresh = WorkerProcess(self._config, worker.core)
        self.workers[self.workers.index(worker)] = fresh
        fresh.ready()

    def _cores(self) -> list[int | None]:
        """One core for each worker where there are as many: a smaller pool is not alone on the machine."""
        cores = sorted(os.sched_getaffinity(0))
        return [*cores] if 1 < self._count == len(cores) else [None] * self._count
