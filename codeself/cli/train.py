"""train: one arm of practice, with one seed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codeself.cli.judging import (
    CPUFloorSeconds,
    CPUSeconds,
    Isolation,
    IsolationOption,
    MemoryMB,
    OutputKB,
    Processes,
    ReferenceFactor,
    Scan,
    ScanOption,
    ValueKB,
    WallSeconds,
    Workers,
    judge_config,
)
from codeself.cli.sampling import (
    Backend,
    BatchSizeOption,
    Device,
    DeviceOption,
    Dtype,
    DtypeOption,
    ModelOption,
    PromptOption,
    RightOption,
    SpreadOption,
    ThreadsOption,
    UnparsableOption,
    mock_policy,
    template_path,
)

if TYPE_CHECKING:
    from codeself.learning.learner import Learner
    from codeself.learning.trainer import PracticeLog, Trainer
    from codeself.learning.trl_trainer import TRLTrainer
    from codeself.records.plan import Plan
    from codeself.records.practice import Arm, PracticeConfig
    from codeself.records.rollouts import PolicyIdentity


def command(
    plan: Annotated[Path, typer.Option(help="The plan: it holds every setting of practice (JSON).")],
    tasks: Annotated[Path, typer.Option(help="The task set, as JSON Lines.")],
    splits: Annotated[Path, typer.Option(help="Its split manifest, as JSON.")],
    arm: Annotated[str, typer.Option(help="How to practise: one of the plan's arms.")],
    seed: Annotated[int, typer.Option(help="Training seed: one of the plan's.")],
    backend: Annotated[Backend, typer.Option(help="What writes and learns: mock or transformers.")],
    output: Annotated[
        Path, typer.Option(help="Folder for done.json, metrics.jsonl, samples.jsonl and policy/.")
    ],
    timings: Annotated[Path, typer.Option(help="Where to write the seconds of each step (JSONL).")],
    prompt: PromptOption = "completion_v1",
    model: ModelOption = None,
    dtype: DtypeOption = Dtype.float32,
    device: DeviceOption = Device.cpu,
    threads: ThreadsOption = 1,
    batch_size: BatchSizeOption = 32,
    right: RightOption = 0.35,
    unparsable: UnparsableOption = 0.1,
    spread: SpreadOption = 1.0,
    isolation: IsolationOption = Isolation.limits,
    scan: ScanOption = Scan.warn,
    cpu_seconds: CPUSeconds = 10.0,
    cpu_floor_seconds: CPUFloorSeconds = 0.25,
    reference_factor: ReferenceFactor = 20.0,
    wall_seconds: WallSeconds = 30.0,
    memory_mb: MemoryMB = 512,
    output_kb: OutputKB = 256,
    value_kb: ValueKB = 8192,
    processes: Processes = 16,
    workers: Workers = 2,
) -> None:
    """Practise: sample, judge, pay, learn, step after step; then write the trained policy and what happened.

    A run that is killed goes on from its last state, in OUTPUT/state, to the same bytes; done.json comes last.
    """
    from codeself.learning.checkpoints import Checkpoints
    from codeself.learning.trainer import Trainer
    from codeself.policies.prompts import load_template
    from codeself.provenance.code_digest import code_digest
    from codeself.records.digests import sha256_file, sha256_json
    from codeself.records.errors import InputError
    from codeself.records.jsonl import read_record
    from codeself.records.plan import Plan
    from codeself.records.tasks import SplitManifest, read_tasks
    from codeself.rewards import load_reward
    from codeself.rollouts.sampling import tasks_of_shard
    from codeself.sandbox.pool import JudgePool

    declared, manifest = read_record(plan, Plan), read_record(splits, SplitManifest)
    name, config = _settings(plan, declared, arm, seed)
    if manifest.tasks_sha256 != sha256_file(tasks):
        raise InputError(f"{splits}: was made from another version of {tasks}; split the tasks again")
    if manifest.tasks_sha256 == declared.digests.tasks and config.split == declared.design.split:
        raise InputError(
            f"practice.split: '{config.split}' is the split that {plan} judges; a policy may not practise on it"
        )
    chosen = tasks_of_shard(read_tasks(tasks), manifest, config.split, 0, 1)
    template = load_template(template_path(prompt))
    learner: Learner | None = None  # TRL has its own
    if config.trainer == "trl":
        base = _trl_base(model, backend, config, device, threads)
    else:
        if backend is Backend.mock:
            from codeself.learning.mock_learner import MockLearner

            mock = mock_policy(chosen, right, unparsable, spread)
            learner = MockLearner(mock, config, critic=name == "ppo")
        elif backend is Backend.transformers:
            from codeself.learning.language_model import LanguageModelLearner

            learner = LanguageModelLearner(
                _model_folder(model),
                config,
                dtype=dtype.value,
                device=device.value,
                threads=threads,
                batch_size=batch_size,
                critic=name == "ppo",
                seed=seed,
            )
        else:
            raise InputError(f"--backend: '{backend.value}' cannot learn; expected mock or transformers")
        base = learner.policy.identity
    judge = judge_config(
        isolation,
        scan,
        cpu_seconds=cpu_seconds,
        cpu_floor_seconds=cpu_floor_seconds,
        reference_factor=reference_factor,
        wall_seconds=wall_seconds,
        memory_mb=memory_mb,
        output_kb=output_kb,
        value_kb=value_kb,
        processes=processes,
    )
    inputs = {
        "plan": sha256_file(plan),
        "tasks": manifest.tasks_sha256,
        "splits": sha256_file(splits),
        "prompt": sha256_file(template_path(prompt)),
    }
    settings = config.model_dump(mode="json", exclude={"arms", "seeds", "overrides", "writers"})
    run = {
        "code": code_digest("train"),
        "inputs": inputs,
        "arm": arm,
        "seed": seed,
        "settings": settings,
        "base": base.to_json_dict(),
        "judge": judge.to_json_dict(),
        "reward": declared.reward,
    }
    checkpoints = Checkpoints(output / "state", digest := sha256_json(run))
    reward = load_reward(declared.reward)
    with JudgePool(judge, workers) as pool:
        trainer: Trainer | TRLTrainer
        if learner is not None:
            trainer = Trainer(learner, name, seed, config, chosen, template, pool, reward, checkpoints)
            save = learner.save
        else:
            from codeself.learning.trl_trainer import TRLTrainer

            trainer = TRLTrainer(
                _model_folder(model),
                seed,
                config,
                chosen,
                template,
                pool,
                reward,
                state=output / "state",
                digest=digest,
                device=device.value,
                threads=threads,
            )
            save = trainer.save
        log = _practise(trainer, config, f"{arm}-seed{seed}", output)
        level = pool.level
    save(output / "policy", f"{arm}, seed {seed}, {config.steps} steps")

    from codeself.records.jsonl import write_record, write_records
    from codeself.records.models import MODEL_FILE
    from codeself.records.training import TrainingRecord

    write_records(output / "metrics.jsonl", log.records)
    write_records(output / "samples.jsonl", log.samples)
    write_records(timings, log.timings)
    write_record(
        output / "done.json",
        TrainingRecord(
            policy=f"{arm}-seed{seed}",
            arm=name,
            seed=seed,
            plan_sha256=inputs["plan"],
            settings=settings,
            base=base,
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
    checkpoints.remove()


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


def _model_folder(model: Path | None) -> Path:
    from codeself.records.errors import InputError

    if model is None:
        raise InputError("--model: is missing; backend transformers runs a model folder")
    return model


def _trl_base(
    model: Path | None, backend: Backend, config: PracticeConfig, device: Device, threads: int
) -> PolicyIdentity:
    from codeself.records.errors import InputError

    if backend is not Backend.transformers:
        raise InputError(
            f"--backend: '{backend.value}' has no weights for trainer trl; expected transformers"
        )
    try:
        from codeself.learning.trl_trainer import base_of
    except ImportError as error:
        raise InputError(
            f"practice.trainer: is trl, which is not installed ({error}); pip install 'codeself[crosscheck]'"
        ) from error
    return base_of(_model_folder(model), config, device.value, threads)


def _practise(trainer: Trainer | TRLTrainer, config: PracticeConfig, run: str, output: Path) -> PracticeLog:
    """Run to the end, shown as it goes."""
    from codeself.cli.progress import reporting
    from codeself.learning.writers import numbers_of, open_writers
    from codeself.records.training import StepRecord, StepTiming

    writers = open_writers(config.writers, output / "watch", run, config.model_dump(mode="json"))
    with reporting(run, config.steps) as report:

        def watch(record: StepRecord, timing: StepTiming) -> None:
            for writer in writers:
                writer.log(record.step, numbers_of(record, timing))
            shares = {"reward": record.reward, "passed": record.pass_rate, "informative": record.informative}
            words = [f"{name} {value:.2f}" for name, value in shares.items() if value is not None]
            report(1, ", ".join(words))

        log = trainer.run(lambda steps: report(steps, ""), watch)
    for writer in writers:
        writer.close()
    return log
