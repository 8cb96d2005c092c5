"""plan: what will be tested, declared before any training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    tasks: Annotated[Path, typer.Option(help="Task set (JSONL).")],
    splits: Annotated[Path, typer.Option(help="Its split manifest.")],
    prompt: Annotated[Path, typer.Option(help="Prompt template that every policy answers to.")],
    metrics: Annotated[Path, typer.Option(help="Metrics of the base on a split other than the judged one.")],
    per_task: Annotated[Path, typer.Option(help="The per-task table beside them.")],
    arm: Annotated[list[str], typer.Option(help="A way to practise; give it again for each.")],
    train_seed: Annotated[list[int], typer.Option(help="A training seed; give it again for each.")],
    output: Annotated[Path, typer.Option(help="Plan to write (JSON).")],
    revision_prompt: Annotated[
        Path | None, typer.Option(help="Template of a revision, where an arm practises revising.")
    ] = None,
    split: Annotated[str, typer.Option(help="The split that will be judged.")] = "test",
    samples: Annotated[int, typer.Option(help="Sampled answers a task and policy.")] = 8,
    greedy: Annotated[bool, typer.Option(help="One greedy answer a task as well.")] = True,
    reward: Annotated[
        str, typer.Option(help="The reward that practice maximises.")
    ] = "reward_v0_correctness",
    practice: Annotated[str, typer.Option(help="The config of practice, as JSON: kept and hashed.")] = "{}",
    alpha: Annotated[float, typer.Option(help="Chance of any false claim over all declared tests.")] = 0.05,
    power: Annotated[float, typer.Option(help="Wanted chance to see an effect that is there.")] = 0.8,
    margin: Annotated[float, typer.Option(help="Differences below this may be called unchanged.")] = 0.03,
    test_greedy: Annotated[bool, typer.Option(help="Declare tests of greedy answers.")] = True,
    test_placebos: Annotated[bool, typer.Option(help="Declare tests of the placebos themselves.")] = True,
    hoped_for_gain: Annotated[float, typer.Option(help="Gain that the power is planned for.")] = 0.1,
    confidence: Annotated[float, typer.Option(help="Level of every interval.")] = 0.95,
    resamples: Annotated[int, typer.Option(help="Bootstrap replicates.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Root of every random draw.")] = 0,
) -> None:
    """Declare endpoints, seeds and inputs, with the power of this very design from the base's own rates.

    Training waits for this file, and the final comparison refuses a plan that the training did not have.
    """
    import json

    from codeself.records.errors import InputError
    from codeself.records.jsonl import read_record, write_record
    from codeself.records.metrics import Metrics
    from codeself.records.practice import REVISING
    from codeself.records.tasks import read_splits, read_tasks

    if not all((0 < alpha < 0.5, 0 < power < 1, 0 < margin < 1, 0 < hoped_for_gain < 1, 0 < confidence < 1)):
        raise InputError(
            "--alpha, --power, --margin, --hoped-for-gain and --confidence: each must be a share above 0 and"
            " below 1, alpha below 0.5"
        )
    if resamples < 100:
        raise InputError(f"--resamples: is {resamples}; expected at least 100")
    for flag, names in (("--arm", arm), ("--train-seed", train_seed)):
        if not names or len(set(names)) < len(names):
            raise InputError(f"{flag}: expected one or more, each once, not {list(names)}")
    if REVISING in arm and revision_prompt is None:
        raise InputError(
            f"--revision-prompt: is missing; arm {REVISING} practises with a template, which the plan names"
        )
    try:
        settings = json.loads(practice)
    except json.JSONDecodeError as error:
        raise InputError(f"--practice: is not JSON: {error}") from error
    if not isinstance(settings, dict):
        raise InputError(f"--practice: expected a JSON object, found {type(settings).__name__}")
    manifest, base = read_splits(splits, tasks), read_record(metrics, Metrics)
    known = {str(name): ids for name, ids in manifest.task_ids.items()}
    if split not in known:
        raise InputError(f"--split: '{split}' is none of {', '.join(known)}")
    if base.split == split or not base.split:
        raise InputError(
            f"{metrics}: is of split '{base.split or 'all'}'; a plan for '{split}' must not know any answer to"
            " it, so give the base's metrics on another split"
        )

    from codeself.analysis.declaring import BASE, Strictness, base_rates, declare, describe_design, needed
    from codeself.records.digests import sha256_file, sha256_json
    from codeself.records.plan import Plan, PlanDigests
    from codeself.records.planning import PlanConfig
    from codeself.reports.tables import read_rows
    from codeself.rewards import reward_file_digest

    if base.policy != BASE or BASE in arm:
        raise InputError(
            f"{metrics}: is of policy '{base.policy}'; the base's label is '{BASE}', and no arm may have it"
        )
    task_of = {task.task_id: task for task in read_tasks(tasks)}
    judged = [task_of[task_id] for task_id in known[split]]
    design = describe_design(
        manifest.taskset, split, [task.family for task in judged], samples=samples, greedy=greedy
    )
    rates = base_rates(read_rows(per_task), base.split)
    config = PlanConfig(
        taskset=manifest.taskset,
        alpha=alpha,
        power=power,
        margin=margin,
        greedy=test_greedy,
        controls=test_placebos,
    )
    endpoints = declare(
        arm,
        {name: [f"{name}-seed{number}" for number in train_seed] for name in arm},
        design,
        rates,
        "locked" if all(task.locked_tests for task in judged) else "hidden",
        config,
        hoped_for_gain,
    )
    wanted = needed(rates, design, Strictness(alpha, power, hoped_for_gain, len(endpoints)))
    write_record(
        output,
        Plan(
            seed=seed,
            alpha=alpha,
            power=power,
            confidence=confidence,
            resamples=resamples,
            margin=margin,
            hoped_for_gain=hoped_for_gain,
            base=base.identity,
            reward=reward,
            practice=settings,
            training_seeds=tuple(train_seed),
            design=design,
            rates=rates,
            endpoints=endpoints,
            needed=wanted,
            digests=PlanDigests(
                tasks=manifest.tasks_sha256,
                splits=sha256_file(splits),
                prompt=sha256_file(prompt),
                base_metrics=sha256_file(metrics),
                practice=sha256_json(settings),
                revision=sha256_file(revision_prompt) if revision_prompt else "",
                reward=reward_file_digest(reward),
            ),
        ),
    )
