"""run-agentic: a policy that answers, sees what the public tests say, and answers again."""

from __future__ import annotations

from enum import StrEnum
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
    GPUMemoryOption,
    ModelOption,
    PromptOption,
    RightOption,
    SpreadOption,
    ThreadsOption,
    UnparsableOption,
    mock_policy,
    model_policy,
    template_path,
)

if TYPE_CHECKING:
    from codeself.policies.backend import Policy


class SplitName(StrEnum):
    train = "train"
    dev = "dev"
    test = "test"


class StrategyName(StrEnum):
    self_debug = "self-debug"
    resample = "resample"


class RuleName(StrEnum):
    last = "last"
    first_public = "first-public"
    most_public = "most-public"


def command(
    tasks: Annotated[Path, typer.Option(help="The task set, as JSON Lines.")],
    splits: Annotated[Path, typer.Option(help="Its split manifest, as JSON.")],
    split: Annotated[SplitName, typer.Option(help="Which split to attempt.")],
    policy: Annotated[str, typer.Option(help="The policy's name in the records.")],
    backend: Annotated[Backend, typer.Option(help="What writes the answers.")],
    output: Annotated[Path, typer.Option(help="Where to write the traces, as JSON Lines.")],
    strategy: Annotated[
        StrategyName, typer.Option(help="What a later answer is written from.")
    ] = StrategyName.self_debug,
    prompt: PromptOption = "completion_v1",
    revision_prompt: Annotated[
        str, typer.Option(help="Template of a revision: a file, or a name under resources/prompts.")
    ] = "revise_completion_v1",
    rule: Annotated[RuleName, typer.Option(help="Which answer is submitted.")] = RuleName.first_public,
    attempts: Annotated[int, typer.Option(min=1, help="Attempts a task.")] = 2,
    revisions: Annotated[int, typer.Option(min=0, help="Answers after the first, at most.")] = 7,
    tokens: Annotated[int, typer.Option(min=1, help="Tokens that an attempt may write.")] = 512,
    executions: Annotated[int, typer.Option(min=1, help="Runs of the public tests, at most.")] = 8,
    temperature: Annotated[float, typer.Option(help="Sampling temperature.")] = 0.8,
    top_p: Annotated[float, typer.Option(help="Nucleus mass; 1 samples from all tokens.")] = 1.0,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Token budget of one answer.")] = 128,
    seed: Annotated[int, typer.Option(help="Root of every draw.")] = 0,
    locked: Annotated[
        bool,
        typer.Option("--locked/--no-locked", help="Judge by the locked tests too: final evaluations only."),
    ] = False,
    shard: Annotated[int, typer.Option(min=0, help="Attempt every SHARDS-th task, from this one.")] = 0,
    shards: Annotated[int, typer.Option(min=1, help="Number of shards.")] = 1,
    model: ModelOption = None,
    dtype: DtypeOption = Dtype.float32,
    device: DeviceOption = Device.cpu,
    threads: ThreadsOption = 1,
    batch_size: BatchSizeOption = 32,
    gpu_memory: GPUMemoryOption = 0.85,
    right: RightOption = 0.35,
    unparsable: UnparsableOption = 0.1,
    spread: SpreadOption = 1.0,
    repair: Annotated[
        float | None, typer.Option(min=0, max=1, help="Chance that a revision is right (mock).")
    ] = None,
    answers: Annotated[
        str, typer.Option(help="'reference', or a JSONL file of {task_id, completion} (static).")
    ] = "reference",
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
    """Attempt the tasks of a split: propose, run public tests, observe, revise, submit.

    The policy is told what public tests say and nothing else: its judge does not have the others. Once all
    attempts have ended, every answer is judged on hidden tests, and on locked ones with --locked.
    """
    from codeself.agents.running import Settings, run_agent
    from codeself.cli.progress import counting
    from codeself.policies.prompts import load_template
    from codeself.records.digests import sha256_file
    from codeself.records.errors import InputError
    from codeself.records.jsonl import read_record, write_records
    from codeself.records.tasks import SplitManifest, read_tasks
    from codeself.records.traces import Budget
    from codeself.rollouts.sampling import tasks_of_shard
    from codeself.sandbox.pool import JudgePool

    if not temperature > 0:
        raise InputError(f"--temperature: is {temperature}; expected more than 0")
    if not 0 < top_p <= 1:
        raise InputError(f"--top-p: is {top_p}; expected more than 0 and at most 1")
    settings = Settings(
        strategy=strategy.value,
        rule=rule.value,
        budget=Budget(revisions=revisions, tokens=tokens, executions=executions),
        attempts=attempts,
        temperature=temperature,
        top_p=top_p,
        max_new_tokens=max_new_tokens,
        seed=seed,
    )
    settings.check()
    manifest = read_record(splits, SplitManifest)
    if manifest.tasks_sha256 != (found := sha256_file(tasks)):
        raise InputError(
            f"{splits}: was made from another task file (sha256 {manifest.tasks_sha256[:12]}...);"
            f" {tasks} has {found[:12]}...; split the tasks again"
        )
    chosen = tasks_of_shard(read_tasks(tasks), manifest, split.value, shard, shards)
    first, revision = (load_template(template_path(name)) for name in (prompt, revision_prompt))
    writer: Policy
    if backend is Backend.mock:
        writer = mock_policy(chosen, right, unparsable, spread, model)
        writer.repair = repair
    elif backend is Backend.static:
        from codeself.policies.static import StaticPolicy

        writer = StaticPolicy(chosen, answers)
    else:
        writer = model_policy(backend, model, dtype, device, threads, batch_size, gpu_memory)
    config = judge_config(
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
    with (
        JudgePool(config, workers) as pool,
        counting(strategy.value, len(chosen) * attempts) as progress,
    ):
        traces = run_agent(
            writer, policy, chosen, first, revision, settings, pool, locked=locked, progress=progress
        )
    write_records(output, traces)
