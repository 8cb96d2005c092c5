"""The experiment's config, typed. workflow/schemas/config.schema.json is generated from these classes.

Every field's description is the documentation of its key: config/README.md shows them all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from codeself.records.base import Record, describe_validation_error
from codeself.records.errors import InputError
from codeself.records.tasks import Split
from codeself.records.verdicts import IsolationLevel

NAME = r"^[a-z][a-z0-9_-]*$"
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class DatasetFile(Record):
    """One file of a public dataset: where it is fetched from, and the digest that it must have."""

    url: str = Field(default="", description="Where to fetch it when no path is given.")
    path: str = Field(default="", description="A local copy, used instead of the URL.")
    sha256: Sha256 | None = Field(default=None, description="Digest of the file's bytes.")
    content_sha256: Sha256 | None = Field(
        default=None, description="Digest of the rows as canonical JSON: holds for a re-indented copy too."
    )

    @model_validator(mode="after")
    def _is_pinned(self) -> DatasetFile:
        if not (self.url or self.path):
            raise ValueError("needs a url or a path")
        if not (self.sha256 or self.content_sha256):
            raise ValueError("needs a sha256 or a content_sha256")
        return self


class SplitConfig(Record):
    """How task families are dealt out to train, dev and test."""

    method: Literal["hash", "origin"] = Field(
        default="hash",
        description="hash: by a hash of the family; origin: the split that the dataset itself assigns.",
    )
    fractions: dict[Split, float] = Field(
        default={"train": 0.6, "dev": 0.1, "test": 0.3},
        description="Expected share of families a split; they add up to 1. Used by method hash.",
    )
    seed: int = Field(default=0, description="Salt of the hash.")

    @field_validator("fractions")
    @classmethod
    def _add_up(cls, value: dict[Split, float]) -> dict[Split, float]:
        if any(share < 0 for share in value.values()) or abs(sum(value.values()) - 1) > 1e-9:
            raise ValueError("the shares must be at least 0 and add up to 1")
        return value


class TaskSetConfig(Record):
    """One declared collection of tasks."""

    format: Literal["families", "mbpp", "humaneval", "mbppplus", "humanevalplus", "canonical"] = Field(
        description="families: the project's own; mbpp, humaneval, mbppplus, humanevalplus: the public files;"
        " canonical: your own JSONL."
    )
    definitions: str = Field(
        default="resources/families", description="Folder of family definitions (families)."
    )
    variants: int = Field(default=4, ge=1, description="Variants drawn from each family (families).")
    seed: int = Field(default=0, description="Seed of the variants' parameters and inputs (families).")
    mutants: int = Field(
        default=8,
        ge=0,
        description="Automatic mutants of a family that its audit tries (families, canonical).",
    )
    tasks: DatasetFile | None = Field(default=None, description="The dataset file (all but families).")
    plus: DatasetFile | None = Field(
        default=None, description="The EvalPlus file whose inputs become locked tests (mbpp, humaneval)."
    )
    splits: SplitConfig = Field(default_factory=SplitConfig, description="How its families are split.")

    @model_validator(mode="after")
    def _has_its_file(self) -> TaskSetConfig:
        if self.format != "families" and self.tasks is None:
            raise ValueError(f"a task set of format {self.format} needs a tasks file")
        return self


class PyPIModel(Record):
    """Weights inside a Python wheel, pinned by version and digest."""

    source: Literal["pypi"]
    package: str = Field(description="Distribution name.")
    version: str = Field(description="Exact version.")
    sha256: Sha256 = Field(description="Digest of the wheel.")
    file: str = Field(description="Path of the GGUF file inside the wheel.")


class HubModel(Record):
    """Weights on a model hub, pinned by revision."""

    source: Literal["hub"]
    id: str = Field(description="Repository id, such as Qwen/Qwen2.5-Coder-0.5B-Instruct.")
    revision: str = Field(pattern=r"^[0-9a-f]{40}$", description="Full commit hash.")


class LocalModel(Record):
    """Weights in a folder on this machine."""

    source: Literal["local"]
    path: str = Field(description="Folder with config.json, weights and tokenizer.")


ModelSource = Annotated[PyPIModel | HubModel | LocalModel, Field(discriminator="source")]


class MockPolicy(Record):
    """A seeded policy without weights, with a stated mix of answers. For smoke runs and tests."""

    backend: Literal["mock"]
    prompt: str = Field(default="completion_v1", description="Prompt template under resources/prompts.")
    right: float = Field(
        default=0.35, ge=0, le=1, description="Share of answers that solve the task, on average."
    )
    unparsable: float = Field(default=0.1, ge=0, le=1, description="Share of answers with no usable code.")
    spread: float = Field(
        default=1.0, ge=0, description="How much tasks differ in difficulty: deviation of the log-odds."
    )


class StaticPolicy(Record):
    """Answers from a file, or the reference solutions themselves."""

    backend: Literal["static"]
    prompt: str = Field(default="completion_v1", description="Prompt template under resources/prompts.")
    answers: str = Field(
        default="reference", description="'reference', or a JSONL file of {task_id, completion} rows."
    )


class TransformersPolicy(Record):
    """A language model run by the transformers library."""

    backend: Literal["transformers"]
    model: ModelSource = Field(description="Where the weights come from.")
    prompt: str = Field(default="completion_v1", description="Prompt template under resources/prompts.")
    dtype: Literal["float32", "bfloat16", "float16"] = Field(
        default="float32",
        description="Number format. The half formats are slow on a CPU without instructions for them.",
    )
    device: Literal["cpu", "cuda", "auto"] = Field(default="cpu", description="Where the model runs.")
    batch_size: int = Field(default=32, ge=1, description="Completions sampled together.")
    threads: int = Field(
        default=1,
        ge=1,
        description="CPU threads of one sampling job. Part of the record: it can change low bits.",
    )


PolicyConfig = Annotated[MockPolicy | StaticPolicy | TransformersPolicy, Field(discriminator="backend")]


class SamplingConfig(Record):
    """How completions are drawn from a policy."""

    greedy: bool = Field(default=True, description="Also take one greedy answer a task.")
    samples: int = Field(default=8, ge=0, description="Sampled answers a task (K).")
    temperature: float = Field(default=0.8, gt=0, description="Sampling temperature.")
    top_p: float = Field(
        default=1.0, gt=0, le=1, description="Nucleus mass; 1 samples from the whole distribution."
    )
    max_new_tokens: int = Field(default=128, ge=1, description="Token budget of one completion.")

    @model_validator(mode="after")
    def _draws_something(self) -> SamplingConfig:
        if not self.greedy and self.samples == 0:
            raise ValueError("with greedy off, samples must be at least 1")
        return self


class Limits(Record):
    """What one candidate may use. Time limits are for each test phase of each candidate."""

    cpu_seconds: float = Field(default=10.0, gt=0, description="CPU time of one phase, at most.")
    cpu_floor_seconds: float = Field(
        default=0.25, gt=0, description="CPU time of one phase that any candidate gets."
    )
    reference_factor: float = Field(
        default=20.0,
        ge=1,
        description="In between, a phase gets this multiple of the reference's own CPU time.",
    )
    wall_seconds: float = Field(
        default=30.0,
        gt=0,
        description="Wall time of one phase, waiting for a core left out: catches sleepers.",
    )
    memory_mb: int = Field(default=512, ge=64, description="Address space beyond the bare interpreter's.")
    output_kb: int = Field(default=256, ge=1, description="Bytes written to stdout and stderr together.")
    value_kb: int = Field(default=8192, ge=1, description="Size of one value that crosses the channel.")
    processes: int = Field(default=16, ge=1, description="Threads and processes at a time.")


class JudgeConfig(Record):
    """How candidates are isolated and limited."""

    isolation: IsolationLevel = Field(
        default="limits", description="Lowest level accepted; the run refuses to start below it."
    )
    scan: Literal["off", "warn", "block"] = Field(
        default="warn", description="What a finding of the static scan does: nothing, a note, or a refusal."
    )
    limits: Limits = Field(default_factory=Limits, description="What a candidate may use.")


class EvaluationConfig(Record):
    """One held-out evaluation of the base policy."""

    taskset: str = Field(pattern=NAME, description="A name under tasksets.")
    split: Split = Field(default="test", description="Which of its splits.")


class MetricsConfig(Record):
    """How rates are estimated."""

    k: tuple[int, ...] = Field(default=(1, 8), description="The k of pass@k; each at most the samples drawn.")
    confidence: float = Field(default=0.95, gt=0, lt=1, description="Level of every interval.")
    resamples: int = Field(default=10_000, ge=100, description="Bootstrap replicates.")
    hoped_for_gain: float = Field(
        default=0.1, gt=0, lt=1, description="Gain in pass@1 that the power planning is made for."
    )


class ShardsConfig(Record):
    """Into how many jobs a stage is cut. A shard should hold seconds of work or more."""

    rollouts: int = Field(default=2, ge=1, description="Sampling jobs a policy and split.")
    verdicts: int = Field(default=2, ge=1, description="Judging jobs for each sampling job's rollouts.")


class Config(Record):
    """A whole experiment."""

    results: str = Field(
        default="results", pattern=r"^[\w./-]+$", description="Folder of everything that is made."
    )
    title: str = Field(default="codeself baseline", description="Title of the report.")
    seed: int = Field(default=0, ge=0, description="Root of every random draw.")
    tasksets: dict[str, TaskSetConfig] = Field(description="Declared task sets by name.")
    policies: dict[str, PolicyConfig] = Field(description="Declared policies by name.")
    base: str = Field(description="The policy to start from: a name under policies.")
    evaluations: tuple[EvaluationConfig, ...] = Field(
        min_length=1, description="What the base is evaluated on."
    )
    sampling: SamplingConfig = Field(default_factory=SamplingConfig, description="How completions are drawn.")
    judge: JudgeConfig = Field(default_factory=JudgeConfig, description="How candidates are judged.")
    reward: str = Field(default="reward_v0_correctness", description="A reward's name, or module:function.")
    metrics: MetricsConfig = Field(default_factory=MetricsConfig, description="How rates are estimated.")
    shards: ShardsConfig = Field(
        default_factory=ShardsConfig, description="Into how many jobs a stage is cut."
    )

    @model_validator(mode="after")
    def _names_resolve(self) -> Config:
        for key, names in (("tasksets", self.tasksets), ("policies", self.policies)):
            for name in names:
                if not re.match(NAME, name):
                    raise ValueError(f"{key}: '{name}' must be lower case letters, digits, '-' and '_'")
        if self.base not in self.policies:
            raise ValueError(f"base: '{self.base}' is not under policies ({', '.join(self.policies)})")
        for evaluation in self.evaluations:
            if evaluation.taskset not in self.tasksets:
                raise ValueError(
                    f"evaluations: '{evaluation.taskset}' is not under tasksets ({', '.join(self.tasksets)})"
                )
        if self.sampling.samples and max(self.metrics.k) > self.sampling.samples:
            raise ValueError(
                f"metrics.k: pass@{max(self.metrics.k)} needs at least as many samples as k"
                f" (sampling.samples is {self.sampling.samples})"
            )
        return self


def parse_config(data: Mapping[str, Any], origin: str) -> Config:
    """The validated config. Raises InputError naming the origin and the first key at fault."""
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{origin}: {describe_validation_error(error)}") from error
