"""compare-policies: the declared tests, all of them at once, and the controls beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from codeself.analysis.matching import Graded
    from codeself.records.comparisons import TrainingFact
    from codeself.records.locked_reads import LockedReads
    from codeself.records.metrics import Metrics, TaskRow
    from codeself.records.plan import Plan
    from codeself.records.tasks import Task


def command(
    plan: Annotated[Path, typer.Option(help="The plan that training waited for (JSON).")],
    tasks: Annotated[Path, typer.Option(help="Task set (JSONL).")],
    training: Annotated[
        list[Path], typer.Option(help="done.json of a training run, in folder {policy}/; give it again.")
    ],
    metrics: Annotated[list[Path], typer.Option(help="Metrics of a policy; give it again for each.")],
    per_task: Annotated[list[Path], typer.Option(help="Its per-task table, in the same order.")],
    rollouts: Annotated[list[Path], typer.Option(help="Rollouts of all of them; give it again.")],
    verdicts: Annotated[list[Path], typer.Option(help="Verdicts on them; give it again.")],
    output: Annotated[Path, typer.Option(help="Comparisons to write (JSON).")],
    other_metrics: Annotated[
        list[Path] | None,
        typer.Option(help="Metrics of a policy on another task set, to see whether gains show there."),
    ] = None,
    other_per_task: Annotated[
        list[Path] | None, typer.Option(help="Its per-task table, in the same order.")
    ] = None,
    locked_reads: Annotated[
        list[Path] | None,
        typer.Option(
            help="Who read the locked tests, as open-locked-tests wrote it; give it again for each policy."
        ),
    ] = None,
    slice_by: Annotated[
        str, typer.Option(help="Key of the tasks' metadata whose values are compared apart.")
    ] = "topic",
) -> None:
    """Test what the plan declared: gains over the base and over the placebos, adjusted together.

    It refuses a plan that the judged training runs did not have, other tasks than the planned ones, verdicts that the
    metrics were not made from, and locked tests that were read with other answers than those compared.
    """
    from codeself.records.digests import sha256_file
    from codeself.records.errors import InputError
    from codeself.records.jsonl import read_record, write_record
    from codeself.records.plan import Plan
    from codeself.records.tasks import read_tasks

    declared, plan_digest = read_record(plan, Plan), sha256_file(plan)
    if len(metrics) != len(per_task):
        raise InputError(f"--per-task: {len(per_task)} given for {len(metrics)} --metrics; expected one each")
    if len(other_metrics or ()) != len(other_per_task or ()):
        raise InputError("--other-per-task: expected one for each of --other-metrics, in the same order")
    if sha256_file(tasks) != declared.digests.tasks:
        raise InputError(f"{tasks}: is not the task file that {plan} was made for; plan and train again")
    facts = _training_facts(training, plan, plan_digest, declared.policies)

    from codeself.analysis.compared import compare
    from codeself.analysis.comparison import gather
    from codeself.analysis.endings import endings_by_task
    from codeself.records.comparisons import ComparisonDigests

    known = read_tasks(tasks)
    evaluations = [_evaluation(*paths, declared) for paths in zip(metrics, per_task, strict=True)]
    tables = _comparable(evaluations)
    readings = _locked_reads(locked_reads or [], [each for each, _ in evaluations], declared, plan_digest)
    digests = ComparisonDigests(
        plan=plan_digest,
        tasks=declared.digests.tasks,
        metrics={
            each.policy: sha256_file(path) for (each, _), path in zip(evaluations, metrics, strict=True)
        },
        others=tuple(sha256_file(path) for path in (*(other_metrics or ()), *(other_per_task or ()))),
        per_task={
            each.policy: sha256_file(path) for (each, _), path in zip(evaluations, per_task, strict=True)
        },
        verdicts=tuple(sha256_file(path) for path in verdicts),
    )
    made_from = {digest for each, _ in evaluations for digest in each.inputs.verdicts}
    for path, digest in zip(verdicts, digests.verdicts, strict=True):
        if digest not in made_from:
            raise InputError(f"{path}: none of the metrics given was made from these verdicts")
    evaluated = gather(declared, declared.tests, tables)
    endings = {
        policy: endings_by_task(graded, declared.tests, declared.answers)
        for policy, graded in _graded(known, rollouts, verdicts).items()
        if policy in evaluated.rows
    }
    judged = {row.task_id for row in tables[declared.base_side.policies[0]]}
    write_record(
        output,
        compare(
            declared,
            evaluated,
            endings,
            by=slice_by,
            parts={
                task.task_id: str(task.metadata[slice_by])
                for task in known
                if task.task_id in judged and task.metadata.get(slice_by) is not None
            },
            others=_elsewhere(
                other_metrics or [],
                other_per_task or [],
                {task.family for task in known if task.task_id not in judged},
            ),
            sampling=evaluations[0][0].sampling,
            training=facts,
            locked_reads=readings,
            inputs=digests,
        ),
    )


def _evaluation(metrics: Path, per_task: Path, plan: Plan) -> tuple[Metrics, list[TaskRow]]:
    """One policy's, as the plan asks for it."""
    from codeself.records.errors import InputError
    from codeself.records.jsonl import read_record
    from codeself.records.metrics import Metrics
    from codeself.reports.tables import read_rows

    found, rows, planned = read_record(metrics, Metrics), read_rows(per_task), plan.design
    if (found.taskset, found.split) != (planned.taskset, planned.split):
        raise InputError(
            f"{metrics}: is of {found.taskset}, split '{found.split}'; the plan is for"
            f" {planned.taskset}, split '{planned.split}'"
        )
    if len(rows) != found.tasks or found.tasks != planned.tasks:
        raise InputError(
            f"{per_task}: has {len(rows)} tasks, its metrics {found.tasks} and the plan"
            f" {planned.tasks}; all three must agree"
        )
    return found, rows


def _comparable(evaluations: list[tuple[Metrics, list[TaskRow]]]) -> dict[str, list[TaskRow]]:
    """Each policy's rows. Raises InputError for a policy given twice, or one that answered under other settings."""
    from codeself.records.errors import InputError

    first, _ = evaluations[0]
    tables: dict[str, list[TaskRow]] = {}
    for found, rows in evaluations:
        if found.policy in tables:
            raise InputError(f"--metrics: policy '{found.policy}' is given twice")
        if found.sampling != first.sampling:
            raise InputError(
                f"policies '{first.policy}' and '{found.policy}' answered under different prompts or sampling"
                " settings; they cannot be compared"
            )
        tables[found.policy] = rows
    return tables


def _graded(tasks: list[Task], rollouts: list[Path], verdicts: list[Path]) -> dict[str, list[Graded]]:
    """Each policy's answers with their verdicts, faults of the judge left out."""
    from codeself.analysis.matching import match
    from codeself.records.jsonl import read_records
    from codeself.records.rollouts import Rollout
    from codeself.records.verdicts import Verdict
    from codeself.rewards import is_infrastructure

    verdict_of = {each.rollout_id: each for path in verdicts for each in read_records(path, Verdict)}
    own: dict[str, list[Rollout]] = {}
    for path in rollouts:
        for rollout in read_records(path, Rollout):
            own.setdefault(rollout.policy, []).append(rollout)
    return {
        policy: [
            item
            for item in match(
                tasks, rows, [verdict_of[r.rollout_id] for r in rows if r.rollout_id in verdict_of]
            )
            if not is_infrastructure(item.verdict)
        ]
        for policy, rows in own.items()
    }


def _elsewhere(
    metrics: list[Path], per_task: list[Path], practised: set[str]
) -> dict[tuple[str, str], dict[str, list[TaskRow]]]:
    """Each policy's rows on each other task set and split, but for families that may have been practised: they may
    be in another split there, and would show nothing.
    """
    from codeself.records.jsonl import read_record
    from codeself.records.metrics import Metrics
    from codeself.reports.tables import read_rows

    tables: dict[tuple[str, str], dict[str, list[TaskRow]]] = {}
    for metrics_path, rows_path in zip(metrics, per_task, strict=True):
        found = read_record(metrics_path, Metrics)
        fresh = [row for row in read_rows(rows_path) if row.family not in practised]
        tables.setdefault((found.taskset, found.split), {})[found.policy] = fresh
    return tables


def _locked_reads(
    paths: list[Path], evaluations: list[Metrics], plan: Plan, plan_digest: str
) -> tuple[LockedReads, ...]:
    """Every reading. Raises InputError where one that is compared here was not written down before it was made."""
    from codeself.records.errors import InputError
    from codeself.records.jsonl import read_record
    from codeself.records.locked_reads import LockedReads
    from codeself.rollouts.locked_tests import require_reading

    of = {path: read_record(path, LockedReads) for path in paths}
    known = {(each.policy, each.taskset, each.split): path for path, each in of.items()}
    for found in evaluations if plan.tests == "locked" else ():
        path = known.get((found.policy, found.taskset, found.split))
        if path is None:
            raise InputError(
                f"--locked-reads: none is of policy '{found.policy}', {found.taskset}, split {found.split}, which is"
                " compared by locked tests"
            )
        for digest in found.inputs.rollouts:
            require_reading(of[path], str(path), digest, found.inputs.tasks)
        if of[path].last.plan_sha256 != plan_digest:
            raise InputError(f"{path}: the last reading was not made for this plan ({plan_digest[:12]}…)")
    return tuple(of[path] for _, path in sorted(known.items()))


def _training_facts(
    paths: list[Path], plan: Path, plan_digest: str, wanted: Sequence[str]
) -> tuple[TrainingFact, ...]:
    """Which runs were judged. Raises InputError for one that did not have this very plan."""
    from codeself.records.comparisons import TrainingFact
    from codeself.records.errors import InputError
    from codeself.records.planned_training import require_plan

    facts = {}
    for path in paths:
        require_plan(path, plan, plan_digest)
        facts[path.parent.name] = TrainingFact(policy=path.parent.name, plan_sha256=plan_digest)
    if missing := sorted({*wanted} - facts.keys() - {"base"}):
        raise InputError(f"--training: no done.json of '{missing[0]}', which the plan compares")
    return tuple(facts[name] for name in sorted(facts))
