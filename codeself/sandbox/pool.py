"""Many judges side by side: verdicts in the order asked for, or as they come; workers replaced when they die.

Every wait has a bound (codeself.sandbox.dispatching). What no worker could judge is reported as a fault of the
infrastructure, which is never a wrong answer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from codeself.records.judging import JudgeConfig, Limits
from codeself.records.tasks import Task
from codeself.records.verdicts import IsolationLevel, Phase, PhaseResult, Status, Verdict
from codeself.sandbox import transport
from codeself.sandbox.assembling import assemble
from codeself.sandbox.dispatching import Dispatcher, Stuck
from codeself.sandbox.session import wall_bound
from codeself.sandbox.workers import Job, Request

__all__ = ["Job", "JudgePool"]

_TASKS_NAMED = 4096  # that the pool knows by their names


class JudgePool:
    """A context manager holding `workers` judges, each with an isolated zygote of its own."""

    def __init__(self, config: JudgeConfig, workers: int | None = None) -> None:
        self.config = config
        self._dispatcher = Dispatcher(config, workers or len(os.sched_getaffinity(0)))
        self._tickets = count()
        self._task_keys: dict[int, tuple[Task, str]] = {}
        self.level: IsolationLevel = "none"

    def __enter__(self) -> JudgePool:
        self.level = self._dispatcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._dispatcher.close()

    def submit(self, job: Job) -> int:
        """Put a job in the queue; returns the ticket under which `completed` hands out its verdict."""
        request = self._request(job)
        self._dispatcher.put(request)
        return request.ticket

    def completed(self, timeout: float | None = None, files: Sequence[int] = ()) -> list[tuple[int, Verdict]]:
        """Tickets and verdicts that have come, in the order in which they came.

        Waits until there is one, but not beyond `timeout` seconds, nor once no job is left or one of `files`
        (descriptors) can be read: the list may be empty then.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            answers = self._dispatcher.collect(deadline, files)
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
        return self._dispatcher.left

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
        results = self._dispatcher.results(requests)
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
        results = self._dispatcher.results(requests)
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
            level, phases, findings = transport.found(result)
            return assemble(job.task, job.candidate, phases, level, job.rollout_id, findings, job.locked)
        if isinstance(result, Stuck):
            return _decided(job, self.level, "hidden", "timeout", str(result))
        return _decided(job, self.level, "import", "infrastructure", str(result))


def _decided(job: Job, level: IsolationLevel, phase: Phase, status: Status, detail: str) -> Verdict:
    """A verdict that is not correct, where the judge itself came to none."""
    phases = {phase: PhaseResult(status=status, detail=detail)}
    return assemble(job.task, job.candidate, phases, level, job.rollout_id, (), job.locked)
