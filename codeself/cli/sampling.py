"""The options of commands that sample: which backend writes, and how it is run."""

from __future__ import annotations

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


PromptOption = Annotated[
    str, typer.Option(help="Prompt template: a file, or the name of one under resources/prompts.")
]
ModelOption = Annotated[
    Path | None, typer.Option(help="Model folder (transformers, vllm), or a mock's after practice.")
]
DtypeOption = Annotated[
    Dtype, typer.Option(help="Number format (transformers); auto: bfloat16 where it is fast, else float32.")
]
DeviceOption = Annotated[Device, typer.Option(help="Where the model runs (transformers).")]
ThreadsOption = Annotated[int, typer.Option(min=1, help="CPU threads (transformers).")]
BatchSizeOption = Annotated[int, typer.Option(min=1, help="Completions at a time (transformers).")]
GPUMemoryOption = Annotated[
    float, typer.Option(min=0.01, max=1, help="Share of the GPU's memory for the engine (vllm).")
]
RightOption = Annotated[float, typer.Option(help="Share of right answers (mock).")]
UnparsableOption = Annotated[float, typer.Option(help="Share of answers without usable code (mock).")]
SpreadOption = Annotated[float, typer.Option(help="Deviation of the tasks' log-odds (mock).")]


def template_path(prompt: str) -> Path:
    return Path(prompt) if prompt.endswith(".j2") else Path("resources/prompts") / f"{prompt}.j2"


def mock_policy(
    tasks: Sequence[Task], right: float, unparsable: float, spread: float, model: Path | None = None
) -> MockPolicy:
    """model: the folder of what practice made of a mock, in place of the shares."""
    from codeself.policies.mock import MockPolicy

    return MockPolicy.read(tasks, model) if model else MockPolicy(tasks, right, unparsable, spread)


def model_policy(
    backend: Backend,
    model: Path | None,
    dtype: Dtype,
    device: Device,
    threads: int,
    batch_size: int,
    gpu_memory: float,
) -> Policy:
    """backend: transformers or vllm. The engine of vllm decides on its device, threads and batches itself."""
    from codeself.records.errors import InputError

    if model is None:
        raise InputError(f"--model: is missing; backend {backend.value} runs a model folder")
    if backend is Backend.vllm:
        from codeself.policies.vllm import VLLMPolicy

        return VLLMPolicy(model, dtype.value, gpu_memory)
    from codeself.policies.transformers import TransformersPolicy

    return TransformersPolicy(model, dtype.value, device.value, threads, batch_size)
