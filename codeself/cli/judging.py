"""The options of commands that judge: how candidates are isolated and what they may use."""

from __future__ import annotations

from dataclasses import dataclass, fields
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


@dataclass(frozen=True)
class JudgeOptions:
    """Fields that are not named in `config` are limits, by their names in the config."""

    isolation: Annotated[
        Isolation,
        typer.Option(help="Lowest level of isolation to accept; the highest that can be had is used."),
    ] = Isolation.limits
    scan: Annotated[Scan, typer.Option(help="What a finding of the static scan does.")] = Scan.warn
    cpu_seconds: Annotated[float, typer.Option(min=0.01, help="CPU time of each test phase, at most.")] = 10.0
    cpu_floor_seconds: Annotated[
        float, typer.Option(min=0.01, help="CPU time of each test phase that any candidate gets.")
    ] = 0.02
    reference_factor: Annotated[
        float,
        typer.Option(min=1, help="In between, the multiple of the reference's own CPU time that is allowed."),
    ] = 20.0
    wall_seconds: Annotated[
        float, typer.Option(min=0.01, help="Wall time of each test phase, waiting for a core left out.")
    ] = 30.0
    memory_mb: Annotated[int, typer.Option(min=64, help="Memory beyond the bare interpreter's.")] = 512
    output_kb: Annotated[int, typer.Option(min=1, help="Bytes printed.")] = 256
    value_kb: Annotated[int, typer.Option(min=1, help="Size of one value handed to the tests.")] = 8192
    processes: Annotated[int, typer.Option(min=1, help="Threads at a time.")] = 16
    workers: Annotated[int, typer.Option(min=1, help="Judges side by side.")] = 2

    def config(self) -> JudgeConfig:
        from codeself.records.judging import JudgeConfig, Limits

        given = {each.name: getattr(self, each.name) for each in fields(self)}
        limits = {name: value for name, value in given.items() if name in Limits.model_fields}
        return JudgeConfig(isolation=self.isolation.value, scan=self.scan.value, limits=Limits(**limits))


@dataclass(frozen=True)
class StrictJudgeOptions(JudgeOptions):
    """Where the least that is accepted is strict, unless less is asked for."""

    isolation: Annotated[
        Isolation,
        typer.Option(help="Lowest level of isolation to accept; the highest that can be had is used."),
    ] = Isolation.strict
