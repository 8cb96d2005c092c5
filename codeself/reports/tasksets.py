"""The task sets of a report: how many tasks each split has, and what stands between the splits."""

from __future__ import annotations

from collections.abc import Sequence

from codeself.records.tasks import SPLITS, SplitManifest
from codeself.reports.content import Part, Table
from codeself.reports.numbers import count, decimal, level

MOST_PAIRS = 12


def describe_splits(manifest: SplitManifest) -> Part:
    """Counts of the splits, how families were dealt out, and near-duplicates."""
    if manifest.method == "origin":
        dealt = "Splits are the dataset's own."
    else:
        shares = ", ".join(f"{split} {level(manifest.fractions.get(split, 0.0))}" for split in SPLITS)
        dealt = (
            f"Whole families are dealt out by a hash of their name (seed {manifest.seed}; expected shares:"
            f" {shares}), so that no family stands on two sides."
        )
    pairs = manifest.near_duplicates
    apart = [pair for pair in pairs if len(set(pair.splits)) > 1]
    if not pairs:
        alike = "No two tasks of different families read alike."
    elif not apart:
        alike = f"{count(len(pairs), 'pair')} of tasks read alike; each pair stands on one side."
    else:
        alike = (
            f"{count(len(pairs), 'pair')} of tasks read alike, and {count(len(apart))} of them stand on two"
            " sides: read rates on the test split with that in mind."
        )
    rows = [
        [split, count(len(manifest.families.get(split, ()))), count(len(manifest.task_ids.get(split, ())))]
        for split in SPLITS
    ]
    tables = [Table(["split", "families", "tasks"], rows, [False, True, True])]
    if apart:
        tables.append(_pairs(apart))
    return Part(f"{manifest.taskset}", [dealt, alike], tables)


def _pairs(apart: Sequence) -> Table:
    closest = sorted(apart, key=lambda pair: (-pair.similarity, pair.first, pair.second))[:MOST_PAIRS]
    rows = [
        [f"`{p.first}` ({p.splits[0]})", f"`{p.second}` ({p.splits[1]})", decimal(p.similarity, 2)]
        for p in closest
    ]
    caption = "Near-duplicates on two sides" + (
        f", the closest {MOST_PAIRS}" if len(apart) > MOST_PAIRS else ""
    )
    return Table(["task", "task", "similarity"], rows, [False, False, True], caption)
