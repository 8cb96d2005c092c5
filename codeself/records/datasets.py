"""Where a task set comes from, and how it is split: the part of the config that makes tasks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from codeself.records.base import Record
from codeself.records.sources import Sha256
from codeself.records.tasks import Split


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
    examples: int = Field(
        default=1,
        ge=1,
        description="Public examples in each docstring, which are the public tests (families).",
    )
    renamed: bool = Field(
        default=False,
        description="Neutral names for entry points and arguments: what of a gain survives that (families,"
        " canonical).",
    )
    permuted: bool = Field(
        default=False,
        description="Public examples in another order, each one place on: what of a gain survives that. Takes two"
        " examples a task or more (families, canonical).",
    )
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
        if self.renamed and self.format not in ("families", "canonical"):
            raise ValueError(f"a task set of format {self.format} cannot be renamed: its tests are programs")
        if self.permuted and self.format not in ("families", "canonical"):
            raise ValueError(f"a task set of format {self.format} cannot be permuted: its prompts are public")
        if self.permuted and self.format == "families" and self.examples < 2:
            raise ValueError("permuted takes examples: 2 or more; one example has no other order")
        return self
