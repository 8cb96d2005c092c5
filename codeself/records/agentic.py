"""Attempts with several answers: the part of the config that the agents' stage is told."""

from __future__ import annotations

from pydantic import Field, model_validator

from codeself.records.base import Record
from codeself.records.tasks import Split
from codeself.records.traces import SubmitRule


class AgenticConfig(Record):
    """Self-debug beside resampling under one budget: off while no policy is named."""

    policies: tuple[str, ...] = Field(
        default=(),
        description="Who attempts: base, or a trained policy as grpo-seed0; name it here or by its dev rates, never by"
        " its test rates. Gains are over the first.",
    )
    taskset: str = Field(default="", description="A name under tasksets; empty takes the plan's.")
    split: Split = Field(default="test", description="Which of its splits.")
    prompt: str = Field(
        default="",
        description="Template of a revision under resources/prompts; empty takes the base's with revise_ before it.",
    )
    rule: SubmitRule = Field(
        default="first-public",
        description="Which answer is submitted: the last, the first that passes the public tests (the last where none"
        " does), or the one that passes most of them.",
    )
    attempts: int = Field(default=2, ge=1, description="Attempts a task and strategy.")
    revisions: int = Field(default=15, ge=0, description="Answers after the first, at most.")
    tokens: int | None = Field(
        default=None, ge=1, description="Tokens that an attempt may write; none: four whole answers' worth."
    )
    executions: int = Field(default=16, ge=1, description="Runs of the public tests in an attempt, at most.")

    @model_validator(mode="after")
    def _each_once(self) -> AgenticConfig:
        if len(set(self.policies)) < len(self.policies):
            raise ValueError(f"policies: expected each once, not {list(self.policies)}")
        return self
