"""How candidates are isolated and what they may use: the part of the config that the judge obeys."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from codeself.records.base import Record
from codeself.records.verdicts import IsolationLevel


class Limits(Record):
    """What one candidate may use. Time limits are for each test phase of each candidate."""

    cpu_seconds: float = Field(default=10.0, gt=0, description="CPU time of one phase, at most.")
    cpu_floor_seconds: float = Field(
        default=0.02,
        gt=0,
        description="CPU time of one phase of tests that any candidate gets. Loading one gets 0.25 s at least, "
        "and so does a phase of one that imports inside a function.",
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
