"""What goes into the archive of a run: the part of the config that packs it."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from codeself.records.base import Record

# Folders and files of the results folder, in the order data flows.
Part = Literal[
    "datasets", "tasks", "splits", "models", "rollouts", "locked_reads", "verdicts", "metrics", "plan",
    "training", "comparisons", "agentic", "reports",
]  # fmt: skip
PARTS: tuple[Part, ...] = get_args(Part)


class ArchiveConfig(Record):
    """What of a run is packed. The manifest lists everything, also what stays out."""

    contents: tuple[Part, ...] = Field(
        default=tuple(part for part in PARTS if part != "datasets"),
        description="Parts of the results folder to pack. Public datasets stay out: their digests are pinned.",
    )
    weights: bool = Field(
        default=False, description="Pack model weights too; else their digests alone are in the record."
    )
    host: bool = Field(
        default=False,
        description="Pack facts about the machine and each stage's cost there; two runs then differ.",
    )
    forbidden: tuple[str, ...] = Field(
        default=(),
        description="More words that no file of the archive may hold, such as a project's code name.",
    )


def part_of(path: str) -> str:
    """The part that a file of the results folder belongs to. path: relative to it."""
    return path.partition("/")[0].removesuffix(".json")
