"""Artifacts made again by the commands that made them, and compared byte for byte.

A job runs in a copy of the record, in which its own outputs are missing. Afterwards the recorded outputs are put back,
so that one difference does not run through everything that follows from it. Nothing goes through a shell, only
commands of this package run, and no path may lead out of the copy. Modules are those of the codeself that checks.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from codeself.provenance.archive import left_out
from codeself.provenance.claims import Claim, Tier, difference
from codeself.records.archiving import ArchiveConfig
from codeself.records.errors import InputError
from codeself.records.jsonl import read_records, write_records
from codeself.records.manifest import Job, Manifest
from codeself.records.training import StepRecord, StepTiming

# Which jobs a tier makes again.
COMMANDS: dict[Tier, tuple[str, ...]] = {
    "statistics": (
        *(
            "prepare-datasets",
            "validate-tasks",
            "split-tasks",
            "plan",
            "evaluate-rollouts",
            "compare-policies",
        ),
        *("make-report", "report-plan", "report-evidence", "compare-training", "index-reports"),
        *("report-agentic", "view-agent-trace"),
    ),
    "grade": ("audit-tasks",),
    "generate": ("run-rollouts", "run-agentic"),
    "train": ("train",),
}


def jobs_of_tier(manifest: Manifest, tier: Tier) -> list[Job]:
    """The recorded jobs that this tier makes again."""
    return [job for job in manifest.jobs if job.command[1:2] and job.command[1] in COMMANDS[tier]]


class Workspace:
    """A copy of a record, in which jobs run. models: a folder laid over it, with weights that the archive lacks."""

    def __init__(self, record: Path, manifest: Manifest, folder: Path, models: Path | None = None) -> None:
        """folder: where to put the copy."""
        self._record, self._folder, self._results = record, folder, manifest.results
        self._left_out = left_out(manifest, ArchiveConfig.model_validate(manifest.config.get("archive", {})))
        shutil.copytree(record, folder, copy_function=os.link)
        if models is not None:
            shutil.copytree(models, folder / self._results, dirs_exist_ok=True, symlinks=False)

    def make_again(self, job: Job, tier: Tier) -> Iterator[Claim]:
        """A claim for each output of a job."""
        absent = [
            path for path in job.inputs if path in self._left_out and not (self._folder / path).exists()
        ]
        if absent:
            place = f"made from {absent[0]}, which the archive's own config keeps out"
            yield from (Claim(tier, output, "left out", place) for output in job.outputs)
            return
        self._stand_in_for_seconds(job)
        if (problem := self._problem(job)) or (problem := self._run(job)):
            yield from (Claim(tier, output, "unchecked", problem) for output in job.outputs)
            return
        for output in job.outputs:
            if output in self._left_out and not (self._record / output).exists():
                yield Claim(tier, output, "left out", "the archive's own config keeps it out")
                (self._folder / output).unlink(missing_ok=True)
                continue
            yield _compared(tier, output, self._record / output, self._folder / output)
            self._put_back(output)

    def _problem(self, job: Job) -> str:
        """Why a job cannot be run here, or nothing."""
        for word in job.command[2:]:
            # A value may stand in its option's own word: --output=../elsewhere.
            for path in map(PurePosixPath, (word, word.partition("=")[2])):
                if path.is_absolute() or ".." in path.parts:
                    return f"its command names '{word}', which is outside the record"
        missing = [path for path in job.inputs if not (self._folder / path).exists()]
        return f"made from {missing[0]}, which is not in the archive" if missing else ""

    def _run(self, job: Job) -> str:
        """Make a job's outputs anew; what went wrong, or nothing."""
        for output in job.outputs:
            (self._folder / output).unlink(missing_ok=True)
        # -P: modules come from where codeself is installed, never from the archive.
        command = [sys.executable, "-P", "-m", "codeself", *job.command[1:]]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True)
        if done.returncode == 0:
            return ""
        for output in job.outputs:
            self._put_back(output)
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        return f"codeself {job.command[1]} ended with {done.returncode}: {last}"

    def _put_back(self, output: str) -> None:
        (self._folder / output).unlink(missing_ok=True)
        if (self._record / output).exists():
            (self._folder / output).parent.mkdir(parents=True, exist_ok=True)
            os.link(self._record / output, self._folder / output)

    def _stand_in_for_seconds(self, job: Job) -> None:
        """Seconds are no part of the record, and of none of its files; a command that also shows them gets a second."""
        for path in job.inputs:
            if path.startswith(f"{self._results}/benchmarks/") and path.endswith(".steps.jsonl"):
                name = PurePosixPath(path).name.removesuffix(".steps.jsonl")
                rows = self._folder / self._results / "training" / name / "metrics.jsonl"
                if rows.exists():
                    steps = read_records(rows, StepRecord)
                    write_records(self._folder / path, [_second(each.step) for each in steps])


def _second(step: int) -> StepTiming:
    return StepTiming(
        step=step,
        sampling=1,
        judging=1,
        updating=1,
        sampled_tokens_per_second=1,
        learned_tokens_per_second=1,
        peak_memory_mb=1,
    )


def _compared(tier: Tier, output: str, was: Path, now: Path) -> Claim:
    if not was.exists():
        return Claim(tier, output, "unchecked", "it is not in the archive")
    if not now.exists():
        return Claim(tier, output, "different", "its command no longer makes it")
    before, after = was.read_bytes(), now.read_bytes()
    if before == after:
        return Claim(tier, output, "exact")
    return Claim(tier, output, "different", _place(before, after))


def _place(before: bytes, after: bytes) -> str:
    try:
        if found := difference(json.loads(before), json.loads(after)):
            return found
    except ValueError:
        pass
    was, now = before.split(b"\n"), after.split(b"\n")
    for number, (old, new) in enumerate(zip(was, now, strict=False), start=1):
        if old != new:
            return f"line {number}{_in_line(old, new)}"
    return f"{len(now)} lines, and were {len(was)}"


def _in_line(old: bytes, new: bytes) -> str:
    try:
        return f": {difference(json.loads(old), json.loads(new))}"
    except ValueError:
        at = next((at for at, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), 0)
        shown = [line[max(0, at - 20) : at + 20].decode(errors="replace") for line in (new, old)]
        return f": reads '{shown[0]}', and read '{shown[1]}'"


def check_known(jobs: Sequence[Job], tier: Tier) -> None:
    """Raises InputError where the record does not say how anything of this tier was made."""
    if not jobs:
        raise InputError(f"--tier {tier}: the record does not say how what this tier checks was made")
