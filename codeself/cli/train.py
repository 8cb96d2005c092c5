"""train: one arm of practice, with one seed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codeself.cli.judging import JudgeOptions
from codeself.cli.option_groups import with_option_groups
from codeself.cli.practising import follow, rank_of, trainer_of
from codeself.cli.sampling import PolicyOptions, template_path

if TYPE_CHECKING:
    from codeself.learning.practice_log import PracticeLog
    from codeself.learning.trainer import Trainer
    from codeself.learning.trl_trainer import TRLTrainer
    from codeself.records.plan import Plan
    from codeself.records.practice import Arm, PracticeConfig


@with_option_groups
def command(
    plan: Annotated[Path, typer.Option(help="The plan: it holds every setting of practice (JSON).")],
    tasks: Annotated[Path, typer.Option(help="The task set, as JSON Lines.")],
    splits: Annotated[Path, typer.Option(help="Its split manifest, as JSON.")],
    arm: Annotated[str, typer.Option(help="How to practise: one of the plan's arms.")],
    seed: Annotated[int, typer.Option(help="Training seed: one of the plan's.")],
    learner: PolicyOptions,
    output: Annotated[
        Path, typer.Option(help="Folder for done.json, metrics.jsonl, samples.jsonl and policy/.")
    ],
    timings: Annotated[Path, typer.Option(help="Where to write the seconds of each step (JSONL).")],
    judge: JudgeOptions,
    revision_prompt: Annotated[
        str, typer.Option(help="Template of a revision (grpo-selfdebug): a file, or a name as for --prompt.")
    ] = "revise_completion_v1",
) -> None:
    """Practise: sample, judge, pay, learn, step after step; then write the trained policy and what happened.

    A run that is killed goes on from its last state, in OUTPUT/state, to the same bytes; done.json comes last.
    Where the plan has practice.processes above 1: accelerate launch --num_processes N ... codeself train ...
    """
    from shutil import rmtree

    from codeself.learning.arms import answers_of
    from codeself.learning.assignment import Assignment
    from codeself.policies.prompts import load_template
    from codeself.provenance.code_digest import code_digest
    from codeself.records.digests import sha256_file, sha256_json
    from codeself.records.errors import InputError
    from codeself.records.jsonl import read_record, write_record, write_records
    from codeself.records.models import MODEL_FILE
    from codeself.records.plan import Plan
    from codeself.records.tasks import read_splits, read_tasks
    from codeself.records.training import TrainingRecord
    from codeself.rewards import load_reward
    from codeself.rollouts.sampling import tasks_of_shard
    from codeself.sandbox.pool import JudgePool

    declared = read_record(plan, Plan)
    name, config = _settings(plan, declared, arm, seed)
    rank = rank_of(learner, config)
    manifest = read_splits(splits, tasks)
    if manifest.tasks_sha256 == declared.digests.tasks and config.split == declared.design.split:
        raise InputError(
            f"practice.split: '{config.split}' is the split that {plan} judges; a policy may not practise on it"
        )
    if rank > 0:
        follow(learner, config, name, seed)
        return
    chosen = tasks_of_shard(read_tasks(tasks), manifest, config.split, 0, 1)
    template, reward = load_template(learner.template_path), load_reward(declared.reward)
    inputs = {
        "plan": sha256_file(plan),
        "tasks": manifest.tasks_sha256,
        "splits": sha256_file(splits),
        "prompt": sha256_file(learner.template_path),
    }
    revision = None
    if answers_of(name, config) > 1:
        path = template_path(revision_prompt)
        revision, inputs["revision"] = load_template(path), sha256_file(path)
        if inputs["revision"] != declared.digests.revision:
            raise InputError(f"--revision-prompt: {path} is not the template that {plan} was made with")
    settings = config.model_dump(mode="json", exclude={"arms", "seeds", "overrides", "writers"})
    policy = f"{arm}-seed{seed}"
    state = output / "state"
    with JudgePool(judge.config(), judge.workers) as pool:
        assignment = Assignment(name, seed, config, chosen, template, pool, reward, revision)
        with trainer_of(learner, assignment) as trainer:
            run = {
                "code": code_digest("train"),
                "inputs": inputs,
                "arm": arm,
                "seed": seed,
                "settings": settings,
                "base": trainer.base.to_json_dict(),
                "judge": judge.config().to_json_dict(),
                "reward": declared.reward,
            }
            log = _practise(trainer, state, sha256_json(run), config, policy, output / "watch")
        level = pool.level
    trainer.save(output / "policy", f"{arm}, seed {seed}, {config.steps} steps")
    write_records(output / "metrics.jsonl", log.records)
    write_records(output / "samples.jsonl", log.samples)
    write_records(timings, log.timings)
    write_record(
        output / "done.json",
        TrainingRecord(
            policy=policy,
            arm=name,
            seed=seed,
            plan_sha256=inputs["plan"],
            settings=settings,
            base=trainer.base,
            policy_sha256=sha256_file(output / "policy" / MODEL_FILE),
            isolation=level,
            tasks=len(chosen),
            steps=len(log.records),
            samples=len(log.samples),
            wasted=sum(record.wasted for record in log.records),
            sampled_tokens=sum(record.sampled_tokens for record in log.records),
            learned_tokens=sum(record.learned_tokens for record in log.records),
            inputs=inputs,
        ),
    )
    rmtree(state, ignore_errors=True)


def _settings(path: Path, plan: Plan, arm: str, seed: int) -> tuple[Arm, PracticeConfig]:
    """What the plan tells this arm."""
    from pydantic import ValidationError

    from codeself.records.base import describe_validation_error
    from codeself.records.errors import InputError
    from codeself.records.practice import ARMS, PracticeConfig

    try:
        practice = PracticeConfig.model_validate(plan.practice)
    except ValidationError as error:
        raise InputError(f"{path}: practice.{describe_validation_error(error)}") from error
    name = next((known for known in ARMS if known == arm), None)
    if name is None or name not in practice.arms:
        raise InputError(f"--arm: '{arm}' is none of {path}'s ({', '.join(practice.arms)})")
    if seed not in plan.training_seeds:
        raise InputError(f"--seed: {seed} is none of {path}'s ({', '.join(map(str, plan.training_seeds))})")
    return name, practice.for_arm(name)


def _practise(
    trainer: Trainer | TRLTrainer, state: Path, digest: str, config: PracticeConfig, run: str, watched: Path
) -> PracticeLog:
    """Run to the end, shown as it goes."""
    from codeself.cli.progress import reporting
    from codeself.learning.writers import numbers_of, open_writers
    from codeself.records.training import StepRecord, StepTiming

    writers = open_writers(config.writers, watched, run, config.model_dump(mode="json"))
    with reporting(run, config.steps) as report:

        def watch(record: StepRecord, timing: StepTiming) -> None:
            for writer in writers:
                writer.log(record.step, numbers_of(record, timing))
            shares = {"reward": record.reward, "passed": record.pass_rate, "informative": record.informative}
            words = [f"{name} {value:.2f}" for name, value in shares.items() if value is not None]
            report(1, ", ".join(words))

        log = trainer.run(state, digest, lambda steps: report(steps, ""), watch)
    for writer in writers:
        writer.close()
    return log
