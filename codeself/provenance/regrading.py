"""Tier grade: everything that was judged through the judge again, and compared with what was recorded.

That is the final evaluations' verdicts, the samples of practice (their verdicts paid the rewards), and every answer of
an agent, by public tests alone as it was told, and by the others as it was found out afterwards. Of a sample of several
answers, what was told of the earlier ones is judged again as well.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from codeself.agents.feedback import observe, public_task
from codeself.policies.parsing import parse_completion
from codeself.policies.prompts import load_template
from codeself.provenance.claims import Claim, difference
from codeself.provenance.recomputing import stricter
from codeself.provenance.trusting import Trust
from codeself.records.config import Config
from codeself.records.errors import InputError
from codeself.records.jsonl import read_records
from codeself.records.judging import JudgeConfig
from codeself.records.manifest import Manifest
from codeself.records.rollouts import PromptStyle, Rollout
from codeself.records.tasks import Task, read_tasks
from codeself.records.traces import Trace, place_submitted
from codeself.records.training import PracticeSample
from codeself.records.verdicts import IsolationLevel, Verdict
from codeself.sandbox.pool import Job, JudgePool

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Judged:
    """One judging of a row. name: the row's own. recorded: what was said; read: the same of a verdict."""

    line: int
    name: str
    job: Job
    recorded: dict[str, Any]
    read: Callable[[Verdict], dict[str, Any]]


@dataclass(frozen=True)
class Graded:
    """A file of judged rows. tasks: path of their task set. total: judgings in all, where rows are but some of them."""

    path: str
    tasks: str
    rows: tuple[Judged, ...]
    total: int


class Rows:
    """What a record holds that was judged."""

    def __init__(self, record: Path, manifest: Manifest, config: Config) -> None:
        self._record, self._manifest, self._config = record, manifest, config
        self._paths = [each.path for each in manifest.artifacts if (record / each.path).exists()]
        self._tasks: dict[str, dict[str, Task]] = {}

    def to_check(self, sample: int | None = None) -> list[Graded]:
        """Every file of judged rows. sample: so many judgings in all, drawn the same way each time."""
        found = [*self._verdicts(), *self._practice(), *self._traces()]
        return found if sample is None else _sampled(found, sample)

    def _inside(self, part: str, end: str) -> Iterator[tuple[str, list[str]]]:
        """Files of a part of the run: their paths, and what these are made of below the part."""
        for path in self._paths:
            first, *names = self._manifest.inside(path).split("/")
            if first == part and path.endswith(end):
                yield path, names

    def _tasks_of(self, taskset: str) -> tuple[str, dict[str, Task]]:
        path = f"{self._manifest.results}/tasks/{taskset}.jsonl"
        if path not in self._tasks:
            self._tasks[path] = {task.task_id: task for task in read_tasks(self._record / path)}
        return path, self._tasks[path]

    def _style(self) -> PromptStyle:
        prompt = self._config.policies[self._config.base].prompt
        return load_template(
            self._record / (prompt if prompt.endswith(".j2") else f"resources/prompts/{prompt}.j2")
        ).style

    def _verdicts(self) -> Iterator[Graded]:
        rollouts: dict[tuple[str, str], dict[str, Rollout]] = {}
        for path, (policy, name) in self._inside("rollouts", ".jsonl"):
            own = rollouts.setdefault((policy, ".".join(name.split(".")[:2])), {})
            own.update((row.rollout_id, row) for row in read_records(self._record / path, Rollout))
        for path, (policy, name) in self._inside("verdicts", ".jsonl"):
            taskset, split = name.split(".")[:2]
            place, tasks = self._tasks_of(taskset)
            known = rollouts.get((policy, f"{taskset}.{split}"), {})
            verdicts = read_records(self._record / path, Verdict)
            locked = any(verdict.correct_locked is not None for verdict in verdicts)
            rows = []
            for line, verdict in enumerate(verdicts, start=1):
                rollout = _known(known, verdict.rollout_id, path, line, "rollout")
                task = _known(tasks, rollout.task_id, path, line, "task")
                candidate = parse_completion(
                    rollout.completion, task, rollout.prompt_style, rollout.finish_reason
                )
                job = Job(task, candidate, rollout.rollout_id, locked)
                rows.append(Judged(line, verdict.rollout_id, job, _of_verdict(verdict), _of_verdict))
            yield Graded(path, place, tuple(rows), len(rows))

    def _practice(self) -> Iterator[Graded]:
        practised = (
            self._config.practice.taskset or self._config.plan.taskset or self._config.evaluations[0].taskset
        )
        for path, _ in self._inside("training", "/samples.jsonl"):
            place, tasks = self._tasks_of(practised)
            style = self._style()
            rows: list[Judged] = []
            samples = read_records(self._record / path, PracticeSample)
            for line, sample in enumerate(samples, start=1):
                task = _known(tasks, sample.task_id, path, line, "task")
                rows += judged_sample(sample, task, style, line)
            yield Graded(path, place, tuple(rows), len(rows))

    def _traces(self) -> Iterator[Graded]:
        for path, (_, name) in ((p, names) for p, names in self._inside("agentic", ".jsonl")):
            place, tasks = self._tasks_of(name.split(".")[0])
            rows: list[Judged] = []
            for line, trace in enumerate(read_records(self._record / path, Trace), start=1):
                _refuse_miscounted(trace, path, line)
                rows += self._answers(trace, _known(tasks, trace.task_id, path, line, "task"), line)
            yield Graded(path, place, tuple(rows), len(rows))

    def _answers(self, trace: Trace, task: Task, line: int) -> Iterator[Judged]:
        seen, style = public_task(task), self._style()
        for at, step in enumerate(trace.steps):
            candidate = parse_completion(step.completion, seen, style, step.finish_reason)
            told = {"candidate": step.candidate.to_json_dict(), "public": step.public.to_json_dict()}
            name = f"{trace.trace_id}, steps[{at}]"
            yield Judged(line, name, Job(seen, candidate), told, _as_told(seen))
            found: dict[str, Any] = {"correct": step.correct}
            if at == trace.submitted:
                found["verdict"] = _of_verdict(trace.verdict)
            yield Judged(line, name, Job(task, candidate, trace.trace_id), found, _as_found(set(found)))


def judged_sample(sample: PracticeSample, task: Task, style: PromptStyle, line: int) -> Iterator[Judged]:
    """The answers of one sample of practice: what was told of the earlier ones, and what was found of the last."""
    name = f"step {sample.step}, {sample.task_id}, {sample.sample}"
    seen = public_task(task)
    for at, answer in enumerate(sample.earlier):
        candidate = parse_completion(answer.completion, seen, style, answer.finish_reason)
        told = {"public": answer.public.to_json_dict()}
        yield Judged(line, f"{name}, earlier[{at}]", Job(seen, candidate), told, _as_public(seen))
    if sample.status != "infrastructure":  # a fault is no claim
        candidate = parse_completion(sample.completion, task, style, sample.finish_reason)
        yield Judged(line, name, Job(task, candidate), _of_sample(sample), _of_practice)


def _known(known: dict[str, Any], name: str, path: str, line: int, what: str) -> Any:
    if name not in known:
        raise InputError(f"{path}, line {line}: there is no {what} '{name}'")
    return known[name]


def _of_verdict(verdict: Verdict) -> dict[str, Any]:
    """The level of isolation is this machine's, and may differ."""
    return {key: value for key, value in verdict.to_json_dict().items() if key != "isolation"}


def _of_sample(sample: PracticeSample) -> dict[str, Any]:
    keys = ("parsed", "decided_by", "status", "correct")
    return {key: getattr(sample, key) for key in keys}


def _of_practice(verdict: Verdict) -> dict[str, Any]:
    return {
        "parsed": verdict.candidate.status,
        "decided_by": verdict.decided_by,
        "status": verdict.status,
        "correct": verdict.correct,
    }


def _as_public(seen: Task) -> Callable[[Verdict], dict[str, Any]]:
    return lambda verdict: {"public": observe(seen, verdict).to_json_dict()}


def _as_told(seen: Task) -> Callable[[Verdict], dict[str, Any]]:
    public = _as_public(seen)
    return lambda verdict: {"candidate": verdict.candidate.to_json_dict(), **public(verdict)}


def _as_found(keys: Collection[str]) -> Callable[[Verdict], dict[str, Any]]:
    def read(verdict: Verdict) -> dict[str, Any]:
        every = {"correct": verdict.correct, "verdict": _of_verdict(verdict)}
        return {key: value for key, value in every.items() if key in keys}

    return read


def _refuse_miscounted(trace: Trace, path: str, line: int) -> None:
    """What a trace says of its own steps must be so."""
    counted = {
        "submitted": place_submitted([step.public for step in trace.steps], trace.rule),
        "tokens": sum(step.completion_tokens for step in trace.steps),
        "prompt_tokens": sum(step.prompt_tokens for step in trace.steps),
        "executions": sum(step.executed for step in trace.steps),
    }
    for key, value in counted.items():
        if getattr(trace, key) != value:
            raise InputError(
                f"{path}, line {line}: {key} is {getattr(trace, key)}, and its steps give {value}"
            )


def _sampled(files: list[Graded], sample: int) -> list[Graded]:
    every = [(at, row) for at, each in enumerate(files) for row in range(each.total)]
    chosen = set(random.Random(0).sample(every, min(sample, len(every))))
    return [
        replace(each, rows=tuple(row for number, row in enumerate(each.rows) if (at, number) in chosen))
        for at, each in enumerate(files)
    ]


def check_grades(
    files: Sequence[Graded],
    judge: JudgeConfig,
    isolation: IsolationLevel,
    trust: Trust,
    workers: int,
    advance: Advance,
) -> Iterator[Claim]:
    """A claim for each file. isolation: the least that candidates get, whatever the record asks for."""
    level = stricter(judge.isolation, isolation)
    with JudgePool(judge.model_copy(update={"isolation": level}), workers) as pool:
        for each in files:
            if refusal := trust.judging(each.tasks):
                yield Claim("grade", each.path, "unchecked", refusal)
            elif not each.rows:
                yield Claim("grade", each.path, "left out", f"none of its {each.total} judgings was drawn")
            else:
                yield _checked(each, pool, advance)


def _checked(file: Graded, pool: JudgePool, advance: Advance) -> Claim:
    places, levels = [], set()
    verdicts = pool.verdicts(row.job for row in file.rows)
    for row, verdict in zip(file.rows, verdicts, strict=True):
        advance(1)
        levels.add(verdict.isolation)
        if place := difference(row.recorded, row.read(verdict)):
            places.append(f"line {row.line} ({row.name}): {place}")
    told = f"{len(file.rows)} of {file.total} judgings, isolation {'/'.join(sorted(levels))}"
    if not places:
        return Claim("grade", file.path, "exact", told)
    more = f" and {len(places) - 1} more" if places[1:] else ""
    return Claim("grade", file.path, "different", f"{places[0]}{more}; {told}")
