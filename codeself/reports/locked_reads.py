"""Who read locked tests: every reading in a table, and a paragraph where there was more than one of a policy."""

from __future__ import annotations

from collections.abc import Sequence

from codeself.records.locked_reads import LockedReads
from codeself.reports.content import Table
from codeself.reports.numbers import count, listed


def further_notes(readings: Sequence[LockedReads]) -> list[str]:
    """A paragraph for each policy whose locked tests were read again, none where each was read once."""
    return [
        f"Locked tests were read more than once: those of `{each.taskset}`, {each.split} split, with answers of"
        f" `{each.policy}`, {count(len(each.reads), 'time')}, the later"
        f" {'reading' if len(each.further) == 1 else 'readings'} asked for as"
        f" {listed([f'“{name}”' for name in each.further])}. This report is of the last; what the others showed may"
        " have shaped what was judged in it."
        for each in readings
        if each.further
    ]


def readings_table(readings: Sequence[LockedReads]) -> Table:
    """A row a reading."""
    rows = [
        [
            f"`{each.policy}`",
            f"`{each.taskset}`",
            f"{number}: {read.name}" if read.name else count(number),
            count(read.answers),
            f"`{read.answers_sha256[:12]}`",
            f"`{read.plan_sha256[:12]}`" if read.plan_sha256 else "none",
        ]
        for each in readings
        for number, read in enumerate(each.reads, start=1)
    ]
    return Table(
        ["policy", "task set", "reading", "answers", "their sha256", "for plan"],
        rows,
        [False, False, False, True, False, False],
        "Every reading of locked tests, written down before it was made: the beginning of each sha256, whole in"
        " locked_reads/ and in the manifest. Times stand in host.json, beside the record.",
    )
