"""The options of commands that judge: how candidates are isolated and what they may use."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from codeself.records.judging import JudgeConfig


class Isolation(StrEnum):
    none = "none"
    limits = "limits"
    restricted = "restricted"
    strict = "strict"


class Scan(StrEnum):
    off = "off"
    warn = "warn"
    block = "block"


IsolationOption = Annotated[
    Isolation, typer.Option(help="Lowest level of isolation to accept; the highest that can be had is used.")
]
ScanOption = Annotated[Scan, typer.Option(help="What a finding of the static scan does.")]
CPUSeconds = Annotated[float, typer.Option(min=0.01, help="CPU time of each test phase, at most.")]
CPUFloorSeconds = Annotated[
    float, typer.Option(min=0.01, help="CPU time of each test phase that any candidate gets.")
]
ReferenceFactor = Annotated[
    float,
    typer.Option(min=1, help="In between, the multiple of the reference's own CPU time that is allowed."),
]
WallSeconds = Annotated[
    float, typer.Option(min=0.01, help="Wall time of each test phase, waiting for a core left out.")
]
MemoryMB = Annotated[int, typer.Option(min=64, help="Memory beyond the bare interpreter's.")]
OutputKB = Annotated[int, typer.Option(min=1, help="Bytes printed.")]
ValueKB = Annotated[int, typer.Option(min=1, help="Size of one value handed to the tests.")]
Processes = Annotated[int, typer.Option(min=1, help="Threads at a time.")]
Workers = Annotated[int, typer.Option(min=1, help="Judges side by side.")]


def judge_config(isolation: Isolation, scan: Scan, **limits: float) -> JudgeConfig:
    """limits: by their names in the config."""
    from codeself.records.judging import JudgeConfig, Limits

    return JudgeConfig(isolation=isolation.value, scan=scan.value, limits=Limits.model_validate(limits))
