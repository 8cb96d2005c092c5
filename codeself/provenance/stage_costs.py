"""What each stage of a run cost: `python -m codeself.provenance.stage_costs FOLDER_OF_BENCHMARKS`.

Timings are facts about one machine on one day. They are for people, and enter no record.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

from codeself.records.errors import CodeselfError, InputError


@dataclass(frozen=True)
class StageCost:
    """seconds, cpu_seconds: over all jobs of the stage. longest: one job's. peak_mb: the largest job's."""

    stage: str
    jobs: int
    seconds: float
    cpu_seconds: float
    longest: float
    peak_mb: float


def stage_costs(benchmarks: Path) -> list[StageCost]:
    """The cost of each stage, the dearest first. A stage is a folder, or a file, of benchmark tables."""
    rows: dict[str, list[dict[str, str]]] = {}
    for path in sorted(benchmarks.rglob("*.tsv")):
        stage = path.relative_to(benchmarks).parts[0].removesuffix(".tsv")
        with path.open(newline="") as stream:
            rows.setdefault(stage, []).extend(csv.DictReader(stream, delimiter="\t"))
    if not rows:
        raise InputError(f"{benchmarks}: holds no benchmark table; run the graph first")
    costs = []
    for stage, jobs in rows.items():
        seconds = [_number(job["s"]) for job in jobs]
        costs.append(
            StageCost(
                stage=stage,
                jobs=len(jobs),
                seconds=sum(seconds),
                cpu_seconds=sum(_number(job["cpu_time"]) for job in jobs),
                longest=max(seconds),
                peak_mb=max(_number(job["max_rss"]) for job in jobs),
            )
        )
    return sorted(costs, key=lambda cost: -cost.seconds)


def _number(text: str) -> float:
    # A job that ends before Snakemake's first sample leaves "NA" or "-".
    try:
        return float(text)
    except ValueError:
        return 0.0


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python -m codeself.provenance.stage_costs FOLDER")
    try:
        costs = stage_costs(Path(sys.argv[1]))
    except CodeselfError as error:
        sys.exit(f"codeself: {error}")
    print(f"{'stage':<20}{'jobs':>6}{'wall s':>10}{'CPU s':>10}{'longest s':>11}{'peak MB':>10}")
    for cost in costs:
        print(
            f"{cost.stage:<20}{cost.jobs:>6}{cost.seconds:>10.1f}{cost.cpu_seconds:>10.1f}"
            f"{cost.longest:>11.1f}{cost.peak_mb:>10.0f}"
        )


if __name__ == "__main__":
    main()
