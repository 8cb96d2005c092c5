"""The experiment's config, typed. workflow/schemas/config.schema.json is generated from these classes.

Parts that a command reads as well stand in modules of their own (datasets, sources, judging), so that a new key
here makes no stage stale.

Every field's description is the documentation of its key: config/README.md shows them all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from codeself.records.agentic import AgenticConfig
from codeself.records.archiving import ArchiveConfig
from codeself.records.base import Record, describe_validation_error
from codeself.records.datasets import TaskSetConfig
from codeself.records.errors import InputError
from codeself.records.judging import JudgeConfig
from codeself.records.locked_reads import ReadingName
from codeself.records.planning import PlanConfig
from codeself.records.practice import PracticeConfig
from codeself.records.sources import ModelSource
from codeself.records.tasks import Split

NAME = r"^[a-z][a-z0-9_-]*$"


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
    repair: float | None = Field(
        default=None, ge=0, le=1, description="Chance that a revision is right; none: as any answer."
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
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="float32",
        description="Number format. auto takes bfloat16 where the machine has instructions for it, else float32.",
    )
    device: Literal["cpu", "cuda", "auto"] = Field(default="cpu", description="Where the model runs.")
    batch_size: int = Field(default=32, ge=1, description="Completions sampled together.")
    threads: int = Field(
        default=1,
        ge=1,
        description="CPU threads of one sampling job. Part of the record: it can change low bits.",
    )


class VLLMPolicy(Record):
    """A language model run by vLLM on a GPU. Practice loads it into the transformers library, to sample as well."""

    backend: Literal["vllm"]
    model: ModelSource = Field(description="Where the weights come from.")
    prompt: str = Field(default="completion_v1", description="Prompt template under resources/prompts.")
    dtype: Literal["float32", "bfloat16", "float16"] = Field(default="bfloat16", description="Number format.")
    gpu_memory: float = Field(
        default=0.85, gt=0, le=1, description="Share of the GPU's memory that the engine may take."
    )
    device: Literal["cuda"] = Field(default="cuda", description="Where practice runs.")
    batch_size: int = Field(default=128, ge=1, description="Completions sampled together in practice.")
    threads: int = Field(default=1, ge=1, description="CPU threads of one job.")


PolicyConfig = Annotated[
    MockPolicy | StaticPolicy | TransformersPolicy | VLLMPolicy, Field(discriminator="backend")
]


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
    plan: PlanConfig = Field(default_factory=PlanConfig, description="What is declared before training.")
    practice: PracticeConfig = Field(default_factory=PracticeConfig, description="How arms practise.")
    agentic: AgenticConfig = Field(
        default_factory=AgenticConfig, description="Attempts with several answers, beside resampling."
    )
    shards: ShardsConfig = Field(
        default_factory=ShardsConfig, description="Into how many jobs a stage is cut."
    )
    locked_reads: tuple[ReadingName, ...] = Field(
        default=(),
        description="Names of further readings. Locked tests are read once a policy; each name allows one more, with"
        " other answers or under another plan, and the reports print it.",
    )
    archive: ArchiveConfig = Field(
        default_factory=ArchiveConfig, description="What of the run goes into its archive."
    )

    @model_validator(mode="after")
    def _names_resolve(self) -> Config:
        for key, names in (("tasksets", self.tasksets), ("policies", self.policies)):
            for name in names:
                if not re.match(NAME, name):
                    raise ValueError(f"{key}: '{name}' must be lower case letters, digits, '-' and '_'")
        if len(set(self.locked_reads)) < len(self.locked_reads):
            raise ValueError(f"locked_reads: expected each name once, not {list(self.locked_reads)}")
        if self.base not in self.policies:
            raise ValueError(f"base: '{self.base}' is not under policies ({', '.join(self.policies)})")
        for evaluation in self.evaluations:
            if evaluation.taskset not in self.tasksets:
                raise ValueError(
                    f"evaluations: '{evaluation.taskset}' is not under tasksets ({', '.join(self.tasksets)})"
                )
        if self.plan.taskset and (self.plan.taskset, "test") not in {
            (each.taskset, each.split) for each in self.evaluations
        }:
            raise ValueError(
                f"plan.taskset: '{self.plan.taskset}' has no evaluation of its test split under evaluations"
            )
        if self.practice.arms:
            self._check_practice()
        if self.agentic.policies:
            self._check_agentic()
        if self.sampling.samples and max(self.metrics.k) > self.sampling.samples:
            raise ValueError(
                f"metrics.k: pass@{max(self.metrics.k)} needs at least as many samples as k"
                f" (sampling.samples is {self.sampling.samples})"
            )
        return self

    def _check_practice(self) -> None:
        practised = self.practice.taskset or self.plan.taskset or self.evaluations[0].taskset
        if practised not in self.tasksets:
            raise ValueError(
                f"practice.taskset: '{practised}' is not under tasksets ({', '.join(self.tasksets)})"
            )
        if self.practice.split == "test":
            raise ValueError("practice.split: 'test' is what is judged; a policy may not practise on it")
        if self.policies[self.base].backend == "static":
            raise ValueError(f"practice.arms: policy '{self.base}' is static and cannot learn")

    def _check_agentic(self) -> None:
        if (taskset := self.agentic.taskset) and taskset not in self.tasksets:
            raise ValueError(
                f"agentic.taskset: '{taskset}' is not under tasksets ({', '.join(self.tasksets)})"
            )
        seeds = self.practice.training_seeds
        known = ["base", *(f"{arm}-seed{seed}" for arm in self.practice.arms for seed in seeds)]
        if unknown := [name for name in self.agentic.policies if name not in known]:
            raise ValueError(
                f"agentic.policies: '{unknown[0]}' is none of this experiment's ({', '.join(known)})"
            )
        if self.agentic.tokens is not None and self.agentic.tokens < self.sampling.max_new_tokens:
            raise ValueError(
                f"agentic.tokens: {self.agentic.tokens} do not hold one answer of sampling.max_new_tokens"
                f" ({self.sampling.max_new_tokens})"
            )


def parse_config(data: Mapping[str, Any], origin: str) -> Config:
    """The validated config. Raises InputError naming the origin and the first key at fault."""
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{origin}: {describe_validation_error(error)}") from error
