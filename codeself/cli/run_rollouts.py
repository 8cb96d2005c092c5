"""run-rollouts: what a policy writes for the tasks of a split."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    from codeself.records.tasks import Task


class SplitName(StrEnum):
    train = "train"
    dev = "dev"
    test = "test"


def command(
    tasks: Annotated[Path, typer.Option(help="The task set, as JSON Lines.")],
    splits: Annotated[Path, typer.Option(help="Its split manifest, as JSON.")],
    split: Annotated[SplitName, typer.Option(help="Which split to sample.")],
    policy: Annotated[str, typer.Option(help="The policy's name in the records.")],
    backend: Annotated[Backend, typer.Option(help="What writes the completions.")],
    output: Annotated[Path, typer.Option(help="Where to write the rollouts, as JSON Lines.")],
    prompt: PromptOption = "completion_v1",
    samples: Annotated[int, typer.Option(min=0, help="Sampled completions a task.")] = 8,
    greedy: Annotated[bool, typer.Option("--greedy/--no-greedy", help="Also take the greedy one.")] = True,
    temperature: Annotated[float, typer.Option(help="Sampling temperature.")] = 0.8,
    top_p: Annotated[float, typer.Option(help="Nucleus mass; 1 samples from all tokens.")] = 1.0,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Token budget of one completion.")] = 128,
    seed: Annotated[int, typer.Option(help="Root of every draw.")] = 0,
    shard: Annotated[int, typer.Option(min=0, help="Sample every SHARDS-th task, starting at this one.")] = 0,
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
    answers: Annotated[
        str, typer.Option(help="'reference', or a JSONL file of {task_id, completion} (static).")
    ] = "reference",
) -> None:
    """Write the completions of a policy for one shard of a split, each drawn from its own seed.

    A run that is killed keeps what it finished beside the output, in a file that ends in .partial; the same
    command goes on from there.
    """
    from codeself.cli.progress import counting
    from codeself.policies.prompts import load_template
    from codeself.provenance.code_digest import code_digest
    from codeself.records.digests import sha256_file
    from codeself.records.errors import InputError
    from codeself.records.jsonl import read_record
    from codeself.records.tasks import SplitManifest, read_tasks
    from codeself.rollouts.sampling import Draws, run_rollouts, tasks_of_shard

    if not temperature > 0:
        raise InputError(f"--temperature: is {temperature}; expected more than 0")
    if not 0 < top_p <= 1:
        raise InputError(f"--top-p: is {top_p}; expected more than 0 and at most 1")
    if not (greedy or samples):
        raise InputError("--samples: is 0 with --no-greedy; nothing would be drawn")
    manifest = read_record(splits, SplitManifest)
    if manifest.tasks_sha256 != (found := sha256_file(tasks)):
        raise InputError(
            f"{splits}: was made from another task file (sha256 {manifest.tasks_sha256[:12]}...);"
            f" {tasks} has {found[:12]}...; split the tasks again"
        )
    chosen = tasks_of_shard(read_tasks(tasks), manifest, split.value, shard, shards)
    template = load_template(template_path(prompt))
    writer: Policy
    if backend is Backend.mock:
        writer = mock_policy(chosen, right, unparsable, spread, model)
    elif backend is Backend.static:
        writer = _static(chosen, answers)
    else:
        writer = model_policy(backend, model, dtype, device, threads, batch_size, gpu_memory)
    draws = Draws(samples, greedy, temperature, top_p, max_new_tokens, seed)
    total = len(chosen) * (samples + greedy)
    with counting("sampling", total) as progress:
        run_rollouts(
            writer, policy, chosen, template, draws, output, progress, code=code_digest("run-rollouts")
        )


def _static(tasks: list[Task], answers: str) -> Policy:
    from codeself.policies.static import StaticPolicy

    return StaticPolicy(tasks, answers)
