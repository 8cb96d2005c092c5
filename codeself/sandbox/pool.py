"""Many judges side by side: verdicts in the order asked for, or as they come; workers replaced when they die.

Every wait has a bound. A job whose worker dies or falls silent is tried again on a new one; the third time
it is reported as a fault of the infrastructure, which is never a wrong answer.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from codeself.records.errors import InfrastructureError
from codeself.records.judging import JudgeConfig, Limits
from codeself.records.tasks import Task
from codeself.records.verdicts import (
    IsolationLevel,
    Phase,
    PhaseResult,
    Status,
    Verdict,
)
from codeself.sandbox import transport
from codeself.sandbox.assembling import assemble
from codeself.sandbox.session import wall_bound
from codeself.sandbox.workers import SLOW_SECONDS, Job, Request, WorkerProcess

__all__ = ["Job", "JudgePool"]

_IN_FLIGHT = 2  # jobs a worker holds: the one it is at work on, and the next, so that it never waits
_ATTEMPTS = 3
_TASKS_NAMED = 4096  # that the pool knows by their names

_Answer = tuple[Request, bool, Any]  # whether it was answered, and the result or the error


class JudgePool:
    """A context manager holding `workers` judges, each with an isolated zygote of its own."""

    def __init__(self, config: JudgeConfig, workers: int | None = None) -> None:
        self.config = config
        self._count = workers or len(os.sched_getaffinity(0))
        self._workers: list[WorkerProcess] = []
        self._queue: deque[Request] = deque()
        self._given_up: list[_Answer] = []
        self._doubted: list[Request] = []  # timeouts on a busy machine: asked again when nothing else runs
        self._tickets = count()
        self._task_keys: dict[int, tuple[Task, str]] = {}
        self.level: IsolationLevel = "none"

    def __enter__(self) -> JudgePool:
        try:
            self._workers = [WorkerProcess(self.config, core) for core in self._cores()]
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

    def _cores(self) -> list[int | None]:
        """One core for each worker where there are as many: a smaller pool is not alone on the machine."""
        cores = sorted(os.sched_getaffinity(0))
        return [*cores] if 1 < self._count == len(cores) else [None] * self._count

    def submit(self, job: Job) -> int:
        """Put a job in the queue; returns the ticket under which `completed` hands out its verdict."""
        request = self._request(job)
        self._queue.append(request)
        self._hand_out()
        return request.ticket

    def completed(self, timeout: float | None = None, files: Sequence[int] = ()) -> list[tuple[int, Verdict]]:
        """Tickets and verdicts that have come, in the order in which they came.

        Waits until there is one, but not beyond `timeout` seconds, nor once no job is left or one of `files`
        (descriptors) can be read: the list may be empty then.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            answers = self._collect(deadline, files)
            late = deadline is not None and time.monotonic() >= deadline
            if answers or files or late or not self.jobs_left:
                return [
                    (request.ticket, self._verdict(request.job, ok, result))
                    for request, ok, result in answers
                    if request.job is not None
                ]

    @property
    def jobs_left(self) -> int:
        """Jobs that were submitted and whose verdict was not handed out yet."""
        given = {r.ticket for worker in self._workers for r in worker.pending if not r.answered}
        doubted = {r.ticket for r in self._doubted if not r.answered}
        return len(self._queue) + len(self._given_up) + len(given | doubted)

    def verdicts(self, jobs: Iterable[Job]) -> Iterator[Verdict]:
        """Grade the jobs, in parallel; yields verdicts in the order of the jobs.

        Identical candidates of one task are judged once and share the result.
        """
        jobs = list(jobs)
        first: dict[tuple[str, str, str, bool, Limits | None], int] = {}
        shared: list[int] = []
        requests = []
        for job in jobs:
            same = (
                self._task_key(job.task),
                job.candidate.status,
                job.candidate.program,
                job.locked,
                job.limits,
            )
            if same not in first:
                request = self._request(job)
                first[same] = request.ticket
                requests.append(request)
            shared.append(first[same])
        results = self._results(requests)
        done: dict[int, list[Any]] = {}
        for job, ticket in zip(jobs, shared, strict=True):
            while ticket not in done:
                request, *answer = next(results)
                done[request.ticket] = answer
            yield self._verdict(job, *done[ticket])

    def outputs(
        self, calls: Iterable[tuple[str, str, list[list[Any]]]], limits: Limits
    ) -> Iterator[list[Any]]:
        """For each (program, entry point, lists of encoded arguments): the encoded results, in order."""
        requests = [
            Request(
                ticket=next(self._tickets),
                message=transport.dumps(("outputs", (*call, limits))),
                patience=len(call[2]) * limits.wall_seconds + 60,
            )
            for call in calls
        ]
        done: dict[int, Any] = {}
        results = self._results(requests)
        for request in requests:
            while request.ticket not in done:
                answered, ok, result = next(results)
                if not ok:
                    raise result
                done[answered.ticket] = result
            yield done.pop(request.ticket)

    def _task_key(self, task: Task) -> str:
        """The name under which workers remember a task: one for each object, kept alive for as long."""
        entry = self._task_keys.get(id(task))
        if entry is None:
            if len(self._task_keys) >= _TASKS_NAMED:
                self._task_keys.clear()  # a task that is named anew is only sent anew
            entry = self._task_keys[id(task)] = (task, f"{task.task_id}:{next(self._tickets)}")
        return entry[1]

    def _request(self, job: Job) -> Request:
        limits = job.limits or self.config.limits
        phases = 3 + bool(job.locked)
        key = self._task_key(job.task)
        return Request(
            ticket=next(self._tickets),
            message=transport.dumps(("verdict", transport.job(key, job.candidate, job.limits, job.locked))),
            patience=2 * phases * wall_bound(limits) + 60,  # the reference may be run too
            job=job,
            key=key,
        )

    def _verdict(self, job: Job, ok: bool, result: Any) -> Verdict:
        if ok:
            return transport.whole(result, job.candidate, job.rollout_id)
        return _decided(job, self.level, "import", "infrastructure", str(result))

    def _results(self, requests: list[Request]) -> Iterator[_Answer]:
        """Queue the requests and yield their answers as they come, in any order."""
        assert not self.jobs_left, "a pool serves one stream of jobs at a time"
        left = len(requests)
        self._queue.extend(requests)
        try:
            while left:
                for answer in self._collect(None):
                    left -= 1
                    yield answer
        finally:
            # An abandoned stream leaves answers under way: start over with clean workers.
            self._queue.clear()
            self._given_up.clear()
            self._doubted.clear()
            for worker in list(self._workers):
                if not all(request.answered for request in worker.pending):
                    self._renew(worker)

    def _collect(self, deadline: float | None, files: Sequence[int] = ()) -> list[_Answer]:
        """Keep the workers busy and wait, for a second at most, for answers or for one of `files`."""
        self._hand_out()
        answers, self._given_up = self._given_up, []
        busy = {worker.connection.fileno(): worker for worker in self._workers if worker.pending}
        pause = 1.0 if deadline is None else min(max(deadline - time.monotonic(), 0.0), 1.0)
        if answers:
            pause = 0.0
        elif len(busy) < len(self._workers) and any(len(worker.pending) > 1 for worker in busy.values()):
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
        for worker in [worker for worker in self._workers if worker.overdue()]:
            self._replace(worker)
        self._hand_out()
        return answers

    def _hand_out(self) -> None:
        """Give jobs to the workers, the least busy first, with no more in advance than they need."""
        while True:
            worker = min(self._workers, key=lambda worker: len(worker.pending))
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
        if self._doubted and not any(worker.pending for worker in self._workers):
            request = self._doubted.pop(0)
            request.alone = True
            try:
                self._workers[0].give(request)
            except OSError:
                self._replace(self._workers[0])

    def _held_up(self, worker: WorkerProcess) -> Request | None:
        """A job that waits behind a slow one, for a worker to take at once. The first answer counts."""
        if worker.slow():
            return None
        for other in self._workers:
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
        elsewhere = {request.ticket for other in self._workers for request in other.pending}
        for position, request in enumerate(reversed(lost)):
            head = position == len(lost) - 1  # the one it was at work on
            request.attempts += head
            if request.answered or request.ticket in elsewhere:
                continue
            request.doubled = False
            if head and stuck and request.job is not None:
                request.answered = True
                self._given_up.append((request, True, self._uncheckable(request.job)))
            elif request.attempts < _ATTEMPTS:
                self._queue.appendleft(request)
            else:
                request.answered = True
                error = InfrastructureError("the judge ended or fell silent at it, every time")
                self._given_up.append((request, False, error))

    def _uncheckable(self, job: Job) -> tuple[Any, ...]:
        detail = "its answer could not be checked in the time allowed"
        return transport.flat(_decided(job, self.level, "hidden", "timeout", detail))

    def _renew(self, worker: WorkerProcess) -> None:
        worker.close()
        fresh = WorkerProcess(self.config, worker.core)
        self._workers[self._workers.index(worker)] = fresh
        fresh.ready()


def _decided(job: Job, level: IsolationLevel, phase: Phase, status: Status, detail: str) -> Verdict:
    """A verdict that is not correct, where the judge itself came to none."""
    phases = {phase: PhaseResult(status=status, detail=detail)}
    return assemble(job.task, job.candidate, phases, level, job.rollout_id, (), job.locked)
