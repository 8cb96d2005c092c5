"""compare-policies: the declared tests, all of them at once, and the controls beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from codeself.records.comparisons import TrainingFact


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
    slice_by: Annotated[
        str, typer.Option(help="Key of the tasks' metadata whose values are compared apart.")
    ] = "topic",
) -> None:
    """Test what the plan declared: gains over the base and over the placebos, adjusted together.

    It refuses a plan that the judged training runs did not have, other tasks than the planned ones, and
    verdicts that the metrics were not made from.
    """
    from codeself.records.digests import sha256_file
    from codeself.records.errors import InputError
    from codeself.records.jsonl import read_record, read_records, write_record
    from codeself.records.metrics import Metrics, TaskRow
    from codeself.records.plan import Answers, Plan
    from codeself.records.rollouts import Rollout
    from codeself.records.tasks import read_tasks
    from codeself.records.verdicts import Verdict

    declared, plan_digest = read_record(plan, Plan), sha256_file(plan)
    planned = declared.design
    if len(metrics) != len(per_task):
        raise InputError(f"--per-task: {len(per_task)} given for {len(metrics)} --metrics; expected one each")
    if len(other_metrics or ()) != len(other_per_task or ()):
        raise InputError("--other-per-task: expected one for each of --other-metrics, in the same order")
    if sha256_file(tasks) != declared.digests.tasks:
        raise InputError(f"{tasks}: is not the task file that {plan} was made for; plan and train again")
    wanted = {
        name
        for point in declared.endpoints
        for side in (point.arm, point.comparator)
        for name in side.policies
    }
    facts = _training_facts(training, plan, plan_digest, wanted)

    from codeself.analysis.comparison import gather, judge_endpoints, side_rates
    from codeself.analysis.controls import control, elsewhere, slices
    from codeself.analysis.endings import endings_by_task
    from codeself.analysis.matching import match
    from codeself.records.comparisons import ComparisonDigests, Comparisons, Elsewhere
    from codeself.reports.tables import read_rows
    from codeself.rewards import is_infrastructure

    tables, digests, found_metrics = {}, {}, {}
    for metrics_path, rows_path in zip(metrics, per_task, strict=True):
        found = read_record(metrics_path, Metrics)
        if (found.taskset, found.split) != (planned.taskset, planned.split):
            raise InputError(
                f"{metrics_path}: is of {found.taskset}, split '{found.split}'; the plan is for"
                f" {planned.taskset}, split '{planned.split}'"
            )
        if found.policy in tables:
            raise InputError(f"{metrics_path}: policy '{found.policy}' is given twice")
        rows = read_rows(rows_path)
        if len(rows) != found.tasks or found.tasks != planned.tasks:
            raise InputError(
                f"{rows_path}: has {len(rows)} tasks, its metrics {found.tasks} and the plan"
                f" {planned.tasks}; all three must agree"
            )
        tables[found.policy], found_metrics[found.policy] = rows, found
        digests[found.policy] = (sha256_file(metrics_path), sha256_file(rows_path))
    first, *others = found_metrics.values()
    if odd := [each for each in others if each.sampling != first.sampling]:
        raise InputError(
            f"policies '{first.policy}' and '{odd[0].policy}' answered under different prompts or sampling"
            " settings; they cannot be compared"
        )
    verdict_digests = tuple(sha256_file(path) for path in verdicts)
    made_from = {digest for each in found_metrics.values() for digest in each.inputs.verdicts}
    if strange := [
        path for path, digest in zip(verdicts, verdict_digests, strict=True) if digest not in made_from
    ]:
        raise InputError(f"{strange[0]}: none of the metrics given was made from these verdicts")
    tests = declared.endpoints[0].tests
    evaluated = gather(declared, tests, tables)

    known = read_tasks(tasks)
    rollouts_of: dict[str, list[Rollout]] = {}
    for path in rollouts:
        for rollout in read_records(path, Rollout):
            rollouts_of.setdefault(rollout.policy, []).append(rollout)
    verdict_of = {each.rollout_id: each for path in verdicts for each in read_records(path, Verdict)}
    answers: Answers = "sampled" if planned.samples else "greedy"
    endings = {}
    for policy in evaluated.rows:
        own = rollouts_of.get(policy, [])
        graded = match(known, own, [verdict_of[r.rollout_id] for r in own if r.rollout_id in verdict_of])
        whole = [item for item in graded if not is_infrastructure(item.verdict)]
        endings[policy] = endings_by_task(whole, tests, answers)

    points = declared.endpoints
    base = next(point.comparator for point in points if point.role != "placebo")
    arms = list({point.arm.name: point.arm for point in points}.values())
    ordered = [base, *arms]
    ids = {row.task_id for row in evaluated.rows[base.policies[0]]}
    parts = {
        task.task_id: str(task.metadata[slice_by])
        for task in known
        if task.task_id in ids and task.metadata.get(slice_by) is not None
    }
    controls = tuple(control(arm, base, answers, evaluated, endings) for arm in arms)
    gains = {each.arm: each.gain for each in controls}
    elsewhere_split = {task.family for task in known if task.task_id not in ids}
    other_tables: dict[tuple[str, str], dict[str, list[TaskRow]]] = {}
    for metrics_path, rows_path in zip(other_metrics or (), other_per_task or (), strict=True):
        found = read_record(metrics_path, Metrics)
        # A family may be in another split there; one that may have been practised shows nothing.
        fresh = [row for row in read_rows(rows_path) if row.family not in elsewhere_split]
        other_tables.setdefault((found.taskset, found.split), {})[found.policy] = fresh
    shown: list[Elsewhere] = []
    for (taskset, split), own_tables in other_tables.items():
        all_locked = all(row.right_locked is not None for rows in own_tables.values() for row in rows)
        there = gather(declared, "locked" if all_locked else "hidden", own_tables)
        shown += elsewhere(arms, base, answers, there, gains, taskset, split)
    write_record(
        output,
        Comparisons(
            taskset=planned.taskset,
            split=planned.split,
            tests=tests,
            tasks=len(evaluated.families),
            families=len(set(evaluated.families)),
            training=facts,
            sides=tuple(
                side_rates(side, evaluated, sampled=planned.samples > 0, greedy=planned.greedy)
                for side in ordered
            ),
            endpoints=judge_endpoints(declared, evaluated),
            controls=controls,
            slices=slices(arms, base, answers, evaluated, slice_by, parts),
            elsewhere=tuple(shown),
            inputs=ComparisonDigests(
                plan=plan_digest,
                tasks=sha256_file(tasks),
                metrics={policy: digest for policy, (digest, _) in digests.items()},
                others=tuple(sha256_file(path) for path in (*(other_metrics or ()), *(other_per_task or ()))),
                per_task={policy: digest for policy, (_, digest) in digests.items()},
                verdicts=verdict_digests,
            ),
        ),
    )


def _training_facts(
    paths: list[Path], plan: Path, plan_digest: str, wanted: set[str]
) -> tuple[TrainingFact, ...]:
    """Which runs were judged. Raises InputError for one that did not have this very plan."""
    import json

    from codeself.records.comparisons import TrainingFact
    from codeself.records.errors import InputError
    from codeself.records.files import read_text

    facts = {}
    for path in paths:
        try:
            done = json.loads(read_text(path))
        except json.JSONDecodeError as error:
            raise InputError(f"{path}, line {error.lineno}: is not whole JSON: {error.msg}") from error
        digest = done.get("plan_sha256") if isinstance(done, dict) else None
        if not isinstance(digest, str) or not digest:
            raise InputError(
                f"{path}: has no plan_sha256; a training run that had no plan cannot be judged by one"
            )
        if digest != plan_digest:
            raise InputError(
                f"{path}: was trained under another plan ({digest[:12]}…, not {plan_digest[:12]}… of {plan});"
                " a plan must be older than the training it judges: train again"
            )
        facts[path.parent.name] = TrainingFact(policy=path.parent.name, plan_sha256=digest)
    if missing := sorted(name for name in wanted - facts.keys() if name != "base"):
        raise InputError(f"--training: no done.json of '{missing[0]}', which the plan compares")
    return tuple(facts[name] for name in sorted(facts))
