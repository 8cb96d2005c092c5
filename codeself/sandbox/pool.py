"""Many judges side by side: verdicts in the order asked for, workers replaced when they die.

Every wait has a bound. A job whose worker dies or falls silent is tried again on a new one; the third time
it is reported as a fault of the infrastructure, which is never a wrong answer.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from codeself.records.config import JudgeConfig, Limits
from codeself.records.digests import sha256_text
from codeself.records.errors import CodeselfError, InfrastructureError
from codeself.records.tasks import Task
from codeself.records.verdicts import PHASES, Candidate, IsolationLevel, PhaseResult, Verdict

_START_SECONDS = 120.0
_IN_FLIGHT = 4  # jobs handed to a worker ahead of its answers, so that it never waits for the next
_ATTEMPTS = 3
_TASKS_HELD = 512  # tasks a worker remembers before it is told to forget them


@dataclass(frozen=True)
class Job:
    """One candidate to grade. limits: the pool's own where None."""

    task: Task
    candidate: Candidate
    rollout_id: str = ""
    locked: bool = False
    limits: Limits | None = None


@dataclass
class _Request:
    index: int
    kind: str
    payload: Any
    task: Task | None
    patience: float  # seconds that a healthy worker cannot exceed
    attempts: int = 0


class _Worker:
    def __init__(self, config: JudgeConfig) -> None:
        ours, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "codeself.sandbox.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        self.connection = Connection(ours.detach())
        self.pending: deque[_Request] = deque()
        self.waiting_since = time.monotonic()
        self._known: set[str] = set()
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

    def give(self, request: _Request) -> None:
        if request.task is not None:
            key = request.payload[0]
            if key not in self._known:
                if len(self._known) >= _TASKS_HELD and not self.pending:
                    self._known.clear()
                    self.connection.send(("forget", None))
                self._known.add(key)
                self.connection.send(("task", (key, request.task)))
        if not self.pending:
            self.waiting_since = time.monotonic()
        self.pending.append(request)
        self.connection.send((request.kind, request.payload))

    def overdue(self) -> bool:
        return bool(self.pending) and time.monotonic() - self.waiting_since > self.pending[0].patience

    def close(self) -> None:
        self.connection.close()
        self._process.kill()
        self._process.wait()


class JudgePool:
    """A context manager holding `workers` judges, each with an isolated zygote of its own."""

    def __init__(self, config: JudgeConfig, workers: int | None = None) -> None:
        self.config = config
        self._count = workers or len(os.sched_getaffinity(0))
        self._workers: list[_Worker] = []
        self.level: IsolationLevel = "none"

    def __enter__(self) -> JudgePool:
        try:
            self._workers = [_Worker(self.config) for _ in range(self._count)]
            for worker in self._workers:
                self.level = worker.ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for worker in self._workers:
            worker.close()
        self._workers = []

    def verdicts(self, jobs: Iterable[Job]) -> Iterator[Verdict]:
        """Grade the jobs, in parallel; yields verdicts in the order of the jobs.

        Identical candidates of one task are judged once and share the result.
        """
        jobs = list(jobs)
        keys: dict[int, str] = {}
        first: dict[tuple[str, str, bool, Limits | None], int] = {}
        shared: list[int] = []
        requests = []
        for job in jobs:
            key = keys.setdefault(id(job.task), f"{job.task.task_id}:{len(keys)}")
            limits = job.limits or self.config.limits
            same = (key, sha256_text(f"{job.candidate.status}\n{job.candidate.program}"), job.locked, job.limits)
            if same not in first:
                first[same] = len(requests)
                phases = 3 + bool(job.locked)
                requests.append(
                    _Request(
                        index=len(requests),
                        kind="verdict",
                        payload=(key, job.candidate, limits, "", job.locked),
                        task=job.task,
                        patience=phases * (limits.wall_seconds + 15) + 30,
                    )
                )
            shared.append(first[same])
        results = self._results(requests)
        done: dict[int, Any] = {}
        for job, number in zip(jobs, shared, strict=True):
            while number not in done:
                index, ok, result = next(results)
                done[index] = result if ok else _unjudged(requests[index], self.level, result)
            found: Verdict = done[number]
            yield found.model_copy(update={"rollout_id": job.rollout_id, "candidate": job.candidate})

    def outputs(self, calls: Iterable[tuple[str, str, list[list[Any]]]], limits: Limits) -> Iterator[list[Any]]:
        """For each (program, entry point, lists of encoded arguments): the encoded results, in order."""
        requests = [
            _Request(i, "outputs", (*call, limits), None, len(call[2]) * limits.wall_seconds + 60)
            for i, call in enumerate(calls)
        ]
        done: dict[int, Any] = {}
        results = self._results(requests)
        for request in requests:
            while request.index not in done:
                index, ok, result = next(results)
                if not ok:
                    raise result
                done[index] = result
            yield done.pop(request.index)

    def _results(self, requests: list[_Request]) -> Iterator[tuple[int, bool, Any]]:
        """Hand out requests and yield (index, ok, result) as they come, in any order."""
        queue = deque(requests)
        left = len(requests)
        for worker in self._workers:
            assert not worker.pending, "a pool serves one stream of jobs at a time"
        try:
            while left:
                for worker in list(self._workers):
                    try:
                        while queue and len(worker.pending) < _IN_FLIGHT:
                            worker.give(queue[0])
                            queue.popleft()
                    except OSError:
                        for lost in self._replace(worker, queue):
                            left -= 1
                            yield lost
                busy = {worker.connection: worker for worker in self._workers if worker.pending}
                for connection in wait(list(busy), timeout=1.0):
                    worker = busy[connection]  # type: ignore[index]
                    try:
                        ok, result = worker.connection.recv()
                    except (EOFError, OSError):
                        for lost in self._replace(worker, queue):
                            left -= 1
                            yield lost
                        continue
                    request = worker.pending.popleft()
                    worker.waiting_since = time.monotonic()
                    left -= 1
                    yield request.index, ok, result
                for worker in [worker for worker in self._workers if worker.overdue()]:
                    for lost in self._replace(worker, queue):
                        left -= 1
                        yield lost
        finally:
            # An abandoned stream leaves answers under way: start over with clean workers.
            for worker in [worker for worker in self._workers if worker.pending]:
                self._renew(worker)

    def _replace(self, worker: _Worker, queue: deque[_Request]) -> Iterator[tuple[int, bool, Any]]:
        """A new worker for a dead one. Its jobs go back to the queue; one that was tried too often is given up."""
        lost = list(worker.pending)
        worker.pending.clear()
        self._renew(worker)
        for position, request in enumerate(reversed(lost)):
            head = position == len(lost) - 1  # the one it was at work on
            request.attempts += head
            if request.attempts < _ATTEMPTS:
                queue.appendleft(request)
            else:
                yield request.index, False, InfrastructureError("the judge ended or fell silent at it, every time")

    def _renew(self, worker: _Worker) -> None:
        worker.close()
        fresh = _Worker(self.config)
        self._workers[self._workers.index(worker)] = fresh
        fresh.ready()


def _unjudged(request: _Request, level: IsolationLevel, error: CodeselfError) -> Verdict:
    assert request.task is not None
    skipped = PhaseResult(status="skipped")
    return Verdict(
        task_id=request.task.task_id,
        candidate=request.payload[1],
        isolation=level,
        phases={**dict.fromkeys(PHASES, skipped), "import": PhaseResult(status="infrastructure", detail=str(error))},
        decided_by="import",
        status="infrastructure",
        correct=False,
    )
