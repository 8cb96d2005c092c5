"""The task sets of a report: how they are split, what stands between splits, what their tests let live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from codeself.records.audits import AuditReport
from codeself.records.tasks import SPLITS, NearDuplicate, SplitManifest
from codeself.reports.content import Part, Table
from codeself.reports.numbers import count, decimal, level, listed, percent, share_of

MOST_PAIRS = 12
MOST_NAMED = 8


def describe(splits: Sequence[SplitManifest], audits: Mapping[str, AuditReport]) -> list[Part]:
    """A part for each task set. audits: by the task set's name."""
    parts = {manifest.taskset: describe_splits(manifest) for manifest in splits}
    for name, report in audits.items():
        words = describe_audit(report)
        known = parts.get(name, Part(name))
        parts[name] = replace(known, paragraphs=[*known.paragraphs, words])
    return list(parts.values())


def describe_audit(report: AuditReport) -> str:
    """What hidden tests reject, of wrong programs that were listed and of mutants made from right ones."""
    sentences = []
    if report.wrong_variants:
        sentences.append(
            f"Hidden tests reject {share_of(report.wrong_variants_rejected, report.wrong_variants)} of the"
            " listed wrong programs."
        )
    if report.mutation_score is not None:
        alive = report.mutants - report.mutants_rejected
        sentences.append(
            f"Of {count(report.mutants, 'mutant')} of reference solutions they reject"
            f" {count(report.mutants_rejected)} ({percent(report.mutation_score)}); {count(alive)} live,"
            f" and locked tests reject {count(report.rejected_by_locked_alone)} programs that hidden ones"
            " let live. Some mutants are right programs."
        )
    if report.failed:
        first = listed([f"`{name}`" for name in report.failed[:MOST_NAMED]])
        more = len(report.failed) - MOST_NAMED
        sentences.append(
            f"{count(len(report.failed), 'task')} of {count(report.tasks)} fail the audit: {first}"
            + (f" and {count(more)} more." if more > 0 else ".")
        )
    else:
        sentences.append(
            f"All {count(report.tasks, 'task')} pass the audit: each reference solution passes its tests."
        )
    return " ".join(sentences)


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
    return Part(f"{manifest.taskset}", [f"{dealt} {alike}"], tables)


def _pairs(apart: Sequence[NearDuplicate]) -> Table:
    closest = sorted(apart, key=lambda pair: (-pair.similarity, pair.first, pair.second))[:MOST_PAIRS]
    rows = [
        [f"`{p.first}` ({p.splits[0]})", f"`{p.second}` ({p.splits[1]})", decimal(p.similarity, 2)]
        for p in closest
    ]
    caption = "Near-duplicates on two sides" + (
        f", the closest {MOST_PAIRS}" if len(apart) > MOST_PAIRS else ""
    )
    return Table(["task", "task", "similarity"], rows, [False, False, True], caption)
