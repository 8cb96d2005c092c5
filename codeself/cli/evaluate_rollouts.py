"""evaluate-rollouts: rates, intervals and power planning from graded rollouts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    tasks: Annotated[Path, typer.Option(help="Task set (JSONL).")],
    rollouts: Annotated[list[Path], typer.Option(help="Rollouts; give it again for each shard.")],
    verdicts: Annotated[list[Path], typer.Option(help="Verdicts on them; give it again for each shard.")],
    output: Annotated[Path, typer.Option(help="Metrics file to write (JSON).")],
    per_task: Annotated[Path, typer.Option(help="Table to write, one row a task (CSV).")],
    splits: Annotated[
        Path | None, typer.Option(help="Split manifest: checks that the split's tasks are all there.")
    ] = None,
    split: Annotated[str, typer.Option(help="The split that was evaluated: train, dev or test.")] = "",
    k: Annotated[list[int] | None, typer.Option(help="A k of pass@k; give it again for others.")] = None,
    confidence: Annotated[float, typer.Option(help="Level of every interval.")] = 0.95,
    resamples: Annotated[int, typer.Option(help="Bootstrap replicates.")] = 10_000,
    hoped_for_gain: Annotated[float, typer.Option(help="Gain that the power planning is made for.")] = 0.1,
    reward: Annotated[
        str, typer.Option(help="A reward's name, or module:function.")
    ] = "reward_v0_correctness",
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
    allow_infrastructure: Annotated[
        int, typer.Option(help="How many infrastructure faults to accept; they enter no rate.")
    ] = 0,
) -> None:
    """Estimate what a policy can do, from its rollouts and the verdicts on them.

    Every rollout needs exactly one verdict. A candidate that a fault of the judge left without a result is
    never counted as wrong: it is left out, counted, and an error above --allow-infrastructure.
    """
    from codeself.records.errors import InfrastructureError, InputError
    from codeself.records.jsonl import read_record, read_records, write_record
    from codeself.records.rollouts import Rollout
    from codeself.records.tasks import SplitManifest, read_tasks
    from codeself.records.verdicts import Verdict

    ks = tuple(k or (1,))
    _check_settings(ks, confidence, resamples, hoped_for_gain)
    if bool(splits) != bool(split):
        raise InputError("--splits and --split: give both, or neither")
    manifest = read_record(splits, SplitManifest) if splits else None
    if manifest and split not in manifest.task_ids:
        raise InputError(f"--split: '{split}' is none of {', '.join(manifest.task_ids)}")

    from codeself.analysis.evaluation import evaluate
    from codeself.analysis.matching import match, refuse_missing_tasks
    from codeself.analysis.outcomes import Settings
    from codeself.records.digests import sha256_file
    from codeself.records.metrics import InputDigests
    from codeself.reports.tables import write_rows
    from codeself.rewards import is_infrastructure, load_reward

    pay = load_reward(reward)
    graded = match(
        read_tasks(tasks),
        [rollout for path in rollouts for rollout in read_records(path, Rollout)],
        [verdict for path in verdicts for verdict in read_records(path, Verdict)],
    )
    if manifest:
        ids_of = {str(name): ids for name, ids in manifest.task_ids.items()}
        refuse_missing_tasks(graded, ids_of[split], split)
    faults = [item for item in graded if is_infrastructure(item.verdict)]
    if len(faults) > allow_infrastructure:
        raise InfrastructureError(
            f"{len(faults)} of {len(graded)} candidates have no result because of a fault of the judge or"
            f" the machine, first rollout '{faults[0].rollout.rollout_id}'; at most {allow_infrastructure}"
            " are accepted (--allow-infrastructure). Judge them again: they cannot be counted as wrong"
        )
    whole = [item for item in graded if not is_infrastructure(item.verdict)]
    metrics, rows = evaluate(
        whole,
        faults,
        [pay(item.verdict).value for item in whole],
        reward,
        Settings(
            taskset=manifest.taskset if manifest else tasks.name.removesuffix(".gz").removesuffix(".jsonl"),
            split=split,
            k=ks,
            confidence=confidence,
            resamples=resamples,
            hoped_for_gain=hoped_for_gain,
            seed=seed,
        ),
        InputDigests(
            tasks=sha256_file(tasks),
            rollouts=tuple(sha256_file(path) for path in rollouts),
            verdicts=tuple(sha256_file(path) for path in verdicts),
        ),
    )
    write_rows(per_task, rows)
    write_record(output, metrics)


def _check_settings(ks: tuple[int, ...], confidence: float, resamples: int, hoped_for_gain: float) -> None:
    from codeself.records.errors import InputError

    for flag, value, right, expected in (
        ("--k", min(ks), min(ks) >= 1, "at least 1"),
        ("--confidence", confidence, 0 < confidence < 1, "a number between 0 and 1"),
        ("--resamples", resamples, resamples >= 100, "at least 100"),
        ("--hoped-for-gain", hoped_for_gain, 0 < hoped_for_gain < 1, "a number between 0 and 1"),
    ):
        if not right:
            raise InputError(f"{flag}: is {value}; expected {expected}")
