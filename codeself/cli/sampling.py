"""The options of commands that sample: of which tasks, with which policy, how completions are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codeself.policies.backend import Policy
    from codeself.policies.mock import MockPolicy
    from codeself.records.tasks import Task


class Backend(StrEnum):
    mock = "mock"
    static = "static"
    transformers = "transformers"
    vllm = "vllm"


class Dtype(StrEnum):
    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


class Device(StrEnum):
    cpu = "cpu"
    cuda = "cuda"
    auto = "auto"


class SplitName(StrEnum):
    train = "train"
    dev = "dev"
    test = "test"


@dataclass(frozen=True)
class ShardOptions:
    """Which tasks are sampled."""

    tasks: Annotated[Path, typer.Option(help="The task set, as JSON Lines.")]
    splits: Annotated[Path, typer.Option(help="Its split manifest, as JSON.")]
    split: Annotated[SplitName, typer.Option(help="Which split to sample.")]
    shard: Annotated[int, typer.Option(min=0, help="Take every SHARDS-th task, starting at this one.")] = 0
    shards: Annotated[int, typer.Option(min=1, help="Number of shards.")] = 1

    def chosen(self) -> list[Task]:
        from codeself.records.tasks import read_splits, read_tasks
        from codeself.rollouts.sampling import tasks_of_shard

        manifest = read_splits(self.splits, self.tasks)
        return tasks_of_shard(read_tasks(self.tasks), manifest, self.split.value, self.shard, self.shards)


@dataclass(frozen=True)
class DrawOptions:
    """How completions are drawn."""

    temperature: Annotated[float, typer.Option(help="Sampling temperature.")] = 0.8
    top_p: Annotated[float, typer.Option(help="Nucleus mass; 1 samples from all tokens.")] = 1.0
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Token budget of one completion.")] = 128
    seed: Annotated[int, typer.Option(help="Root of every draw.")] = 0

    def check(self) -> None:
        from codeself.records.errors import InputError

        if not self.temperature > 0:
            raise InputError(f"--temperature: is {self.temperature}; expected more than 0")
        if not 0 < self.top_p <= 1:
            raise InputError(f"--top-p: is {self.top_p}; expected more than 0 and at most 1")


@dataclass(frozen=True)
class PolicyOptions:
    """Which policy writes, and how it is run."""

    backend: Annotated[Backend, typer.Option(help="What writes the completions.")]
    prompt: Annotated[
        str, typer.Option(help="Prompt template: a file, or the name of one under resources/prompts.")
    ] = "completion_v1"
    model: Annotated[
        Path | None, typer.Option(help="Model folder (transformers, vllm), or a mock's after practice.")
    ] = None
    dtype: Annotated[
        Dtype,
        typer.Option(help="Number format (transformers); auto: bfloat16 where it is fast, else float32."),
    ] = Dtype.float32
    device: Annotated[Device, typer.Option(help="Where the model runs (transformers).")] = Device.cpu
    threads: Annotated[int, typer.Option(min=1, help="CPU threads (transformers).")] = 1
    batch_size: Annotated[int, typer.Option(min=1, help="Completions at a time (transformers).")] = 32
    gpu_memory: Annotated[
        float, typer.Option(min=0.01, max=1, help="Share of the GPU's memory for the engine (vllm).")
    ] = 0.85
    right: Annotated[float, typer.Option(help="Share of right answers (mock).")] = 0.35
    unparsable: Annotated[float, typer.Option(help="Share of answers without usable code (mock).")] = 0.1
    spread: Annotated[float, typer.Option(help="Deviation of the tasks' log-odds (mock).")] = 1.0
    repair: Annotated[
        float | None, typer.Option(min=0, max=1, help="Chance that a revision is right (mock).")
    ] = None
    answers: Annotated[
        str, typer.Option(help="'reference', or a JSONL file of {task_id, completion} (static).")
    ] = "reference"

    def policy(self, tasks: Sequence[Task]) -> Policy:
        """Ready to write. tasks: what a policy without weights may be asked."""
        if self.backend is Backend.mock:
            return self.mock(tasks)
        if self.backend is Backend.static:
            from codeself.policies.static import StaticPolicy

            return StaticPolicy(tasks, self.answers)
        if self.backend is Backend.vllm:
            from codeself.policies.vllm import VLLMPolicy

            return VLLMPolicy(self.model_folder(), self.dtype.value, self.gpu_memory)
        from codeself.policies.transformers import TransformersPolicy

        folder, dtype, device = self.model_folder(), self.dtype.value, self.device.value
        return TransformersPolicy(folder, dtype, device, self.threads, self.batch_size)

    def mock(self, tasks: Sequence[Task]) -> MockPolicy:
        from codeself.policies.mock import MockPolicy

        if self.model:
            return MockPolicy.read(tasks, self.model)
        return MockPolicy(tasks, self.right, self.unparsable, self.spread, self.repair)

    def model_folder(self) -> Path:
        from codeself.records.errors import InputError

        if self.model is None:
            raise InputError(f"--model: is missing; backend {self.backend.value} runs a model folder")
        return self.model

    @property
    def template_path(self) -> Path:
        return template_path(self.prompt)


def template_path(prompt: str) -> Path:
    return Path(prompt) if prompt.endswith(".j2") else Path("resources/prompts") / f"{prompt}.j2"
