"""Tier grade: the stored candidates through the judge again, and each verdict compared with the recorded one."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from codeself.provenance.claims import Claim, difference
from codeself.records.errors import InputError
from codeself.records.jsonl import read_records
from codeself.records.judging import JudgeConfig
from codeself.records.manifest import Manifest
from codeself.records.rollouts import Rollout
from codeself.records.tasks import Task, read_tasks
from codeself.records.verdicts import Verdict
from codeself.rollouts.grading import grade
from codeself.sandbox.pool import JudgePool

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Graded:
    """A file of verdicts, and those of its rows that are judged again: each row's number, from 1, and both records."""

    path: str
    tasks: list[Task]
    rows: list[tuple[int, Rollout, Verdict]]
    total: int


def verdicts_to_check(record: Path, manifest: Manifest, sample: int | None = None) -> list[Graded]:
    """Every file of verdicts with its rollouts. sample: so many rows in all, drawn the same way each time."""
    paths = [each.path for each in manifest.artifacts if (record / each.path).exists()]
    rollouts: dict[tuple[str, str], dict[str, Rollout]] = {}
    for path in paths:
        part, *names = manifest.inside(path).split("/")
        if part == "rollouts":
            policy, name = names
            own = rollouts.setdefault((policy, ".".join(name.split(".")[:2])), {})
            own.update((row.rollout_id, row) for row in read_records(record / path, Rollout))
    tasks: dict[str, list[Task]] = {}
    found = []
    for path in paths:
        part, *names = manifest.inside(path).split("/")
        if part != "verdicts":
            continue
        policy, name = names
        taskset, split = name.split(".")[:2]
        if taskset not in tasks:
            tasks[taskset] = read_tasks(record / manifest.results / "tasks" / f"{taskset}.jsonl")
        known = rollouts.get((policy, f"{taskset}.{split}"), {})
        rows = []
        for number, verdict in enumerate(read_records(record / path, Verdict), start=1):
            if verdict.rollout_id not in known:
                raise InputError(f"{path}, line {number}: there is no rollout '{verdict.rollout_id}'")
            rows.append((number, known[verdict.rollout_id], verdict))
        found.append(Graded(path, tasks[taskset], rows, len(rows)))
    return found if sample is None else _sampled(found, sample)


def _sampled(files: list[Graded], sample: int) -> list[Graded]:
    every = [(at, row) for at, each in enumerate(files) for row in range(each.total)]
    chosen = set(random.Random(0).sample(every, min(sample, len(every))))
    return [
        Graded(
            each.path,
            each.tasks,
            [row for number, row in enumerate(each.rows) if (at, number) in chosen],
            each.total,
        )
        for at, each in enumerate(files)
    ]


def check_grades(files: list[Graded], manifest: Manifest, workers: int, advance: Advance) -> Iterator[Claim]:
    """A claim for each file of verdicts. The level of isolation is this machine's, and may differ."""
    config = JudgeConfig.model_validate(manifest.config["judge"])
    with JudgePool(config, workers) as pool:
        for each in files:
            yield _checked(each, pool, advance)


def _checked(file: Graded, pool: JudgePool, advance: Advance) -> Claim:
    if not file.rows:
        return Claim("grade", file.path, "left out", f"none of its {file.total} rows was drawn")
    locked = any(verdict.correct_locked is not None for _, _, verdict in file.rows)
    again = grade(file.tasks, [rollout for _, rollout, _ in file.rows], pool, locked=locked)
    places, levels = [], set()
    for (number, _, recorded), new in zip(file.rows, again, strict=True):
        advance(1)
        levels.add(new.isolation)
        place = difference(_judged(recorded), _judged(new))
        if place:
            places.append(f"line {number} ({recorded.rollout_id}): {place}")
    told = f"{len(file.rows)} of {file.total} rows, isolation {'/'.join(sorted(levels))}"
    if not places:
        return Claim("grade", file.path, "exact", told)
    more = f" and {len(places) - 1} more rows" if places[1:] else ""
    return Claim("grade", file.path, "different", f"{places[0]}{more}; {told}")


def _judged(verdict: Verdict) -> dict[str, object]:
    return {key: value for key, value in verdict.to_json_dict().items() if key != "isolation"}
