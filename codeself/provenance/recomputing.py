"""Artifacts made again by the commands that make them, and compared byte for byte.

A job runs in a copy of the record, in which its own outputs are missing. Afterwards the recorded outputs are put back,
so that one difference does not run through everything that follows from it. Commands are those of the graph
(codeself.provenance.graph), nothing goes through a shell, no path may lead out of the copy, and modules are those of
the codeself that checks.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from codeself.provenance.archive import left_out
from codeself.provenance.claims import Claim, file_difference
from codeself.provenance.graph import SAFE, Graph, lay_card_templates
from codeself.provenance.trusting import Trust
from codeself.records.archiving import part_of
from codeself.records.config import parse_config
from codeself.records.digests import sha256_file
from codeself.records.errors import InputError
from codeself.records.jsonl import read_records, write_records
from codeself.records.manifest import MANIFEST_FILE, Job, Manifest
from codeself.records.training import StepRecord, StepTiming
from codeself.records.verdicts import IsolationLevel
from codeself.records.verification import State, Tier
from codeself.reports.page_data import opened

# Which commands a tier runs again.
COMMANDS: dict[Tier, tuple[str, ...]] = {
    "statistics": (
        *("prepare-datasets", "validate-tasks", "split-tasks", "plan", "open-locked-tests"),
        *("evaluate-rollouts", "compare-policies", "compare-training", "report-agentic", "view-agent-trace"),
        *("make-report", "report-plan", "report-evidence", "index-reports", "describe-record"),
    ),
    "grade": ("audit-tasks",),
    "generate": ("run-rollouts", "run-agentic"),
    "train": ("train",),
}
# Options of a policy that decide how it is run, and not which one it is.
RUN_WITH = ("device", "dtype", "threads", "batch-size")
# Parts of a run that describe-record reads; its rule names the manifest alone, which stands for them.
_DESCRIBED = {"tasks", "splits", "metrics", "training"}


# Commands that add to what they made before: with the same inputs, nothing.
_ADD = {"open-locked-tests"}


def jobs_of_tier(jobs: Sequence[Job], tier: Tier) -> list[Job]:
    """The jobs that this tier runs again."""
    return [job for job in jobs if job.command[1] in COMMANDS[tier]]


class Workspace:
    """A copy of a record, in which jobs run."""

    def __init__(
        self,
        record: Path,
        manifest: Manifest,
        graph: Graph,
        folder: Path,
        trust: Trust,
        isolation: IsolationLevel = "limits",
        run_with: Mapping[str, str] | None = None,
    ) -> None:
        """folder: where to put the copy, on the record's own file system. isolation: the least that candidates get,
        whatever the record asks for. run_with: options of policies that differ from the record's.
        """
        self._record, self._folder, self._manifest = record, folder, manifest
        self._trust, self._isolation, self._run_with = trust, isolation, dict(run_with or {})
        self._left_out = left_out(manifest, parse_config(manifest.config, MANIFEST_FILE).archive)
        # Nothing but what a job may read: a file of settings in the folder at work could steer a library.
        names = {each.path for each in manifest.artifacts} | manifest.model_files().keys()
        names |= graph.given & {each.path for each in manifest.inputs}
        beside = f"{manifest.results}/archive/"  # of the record, not of the run: no artifact is there
        for name in sorted(names):
            if not name.startswith(beside):
                self._lay(name, record / name)
        self._lay(beside + MANIFEST_FILE, record / MANIFEST_FILE)
        lay_card_templates(folder)

    def lay_models(self, models: Path, trained: bool) -> None:
        """Copy weights that the archive lacks from a results folder. trained: those of trained policies too.

        Raises InputError for a file that is not the one which the record names.
        """
        for path, sha256 in self._manifest.model_files().items():
            inside = PurePosixPath(self._manifest.inside(path))
            source, target = models / inside, self._folder / path
            if (inside.parts[0] == "training" and not trained) or target.exists() or not source.is_file():
                continue
            if sha256_file(source) != sha256:
                raise InputError(f"{source}: is not the file that the record names")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)

    def make_again(self, job: Job, tier: Tier) -> Iterator[Claim]:
        """A claim for each output of a job; the recorded outputs are put back."""
        yield from self.make(job, tier)
        self.put_back(job)

    def make(self, job: Job, tier: Tier) -> Iterator[Claim]:
        """A claim for each output of a job. What was made stays, unless the job could not be run."""
        if apart := self._kept_out(job):
            place = f"made from {apart}, which the archive's own config keeps out"
            yield from (Claim(tier, output, "left out", place) for output in job.outputs)
            return
        self._stand_in_for_seconds(job)
        state: State = "unchecked"
        problem = self._problem(job)
        if not problem:
            refused, problem = self._run(job, keeps=tier == "statistics" and job.command[1] in _ADD)
            # All that it reads is in the record: what it finds wrong there is wrong there.
            state = "different" if refused and tier == "statistics" else "unchecked"
        if problem:
            yield from (Claim(tier, output, state, problem) for output in job.outputs)
            return
        for output in job.outputs:
            if output in self._left_out and not (self._record / output).exists():
                yield Claim(tier, output, "left out", "the archive's own config keeps it out")
            else:
                yield compared(tier, self.named(output), self.recorded(output), self._folder / output)

    def put_back(self, job: Job) -> None:
        """The recorded outputs in place of those that were made."""
        for output in job.outputs:
            (self._folder / output).unlink(missing_ok=True)
            self._lay(output, self.recorded(output))

    def made(self, path: str) -> Path:
        """Where a file of the record is in this copy."""
        return self._folder / path

    def recorded(self, path: str) -> Path:
        """Where a file is in the record."""
        return self._record / self.named(path)

    def named(self, path: str) -> str:
        """A file's name in the record: what lies in the folder 'archive' of a run lies at its top."""
        return path.removeprefix(f"{self._manifest.results}/archive/")

    def _lay(self, name: str, source: Path) -> None:
        if source.exists():
            (self._folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.link(source, self._folder / name)

    def _kept_out(self, job: Job) -> str:
        """An input that the archive's own config keeps out, if there is one."""
        inputs = set(job.inputs)
        if job.command[1] == "describe-record":
            inputs |= {path for path in self._left_out if part_of(self._manifest.inside(path)) in _DESCRIBED}
        return next(
            (path for path in sorted(inputs & self._left_out) if not (self._folder / path).exists()), ""
        )

    def _problem(self, job: Job) -> str:
        """Why a job cannot be run here, or nothing."""
        for word in job.command[2:]:
            # A value may stand in its option's own word: --output=../elsewhere.
            for path in map(PurePosixPath, (word, word.partition("=")[2])):
                if path.is_absolute() or ".." in path.parts:
                    return f"its command names '{word}', which is outside the record"
        if refused := self._trust.refusal(job):
            return refused
        missing = [path for path in job.inputs if not (self._folder / path).exists()]
        return f"made from {missing[0]}, which is not in the archive" if missing else ""

    def _run(self, job: Job, keeps: bool) -> tuple[bool, str]:
        """Make a job's outputs anew: whether its command refused what it read, and what went wrong, or nothing. keeps:
        whether it finds its own outputs there.
        """
        for output in () if keeps else job.outputs:
            (self._folder / output).unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, "-P", "-m", "codeself", *self._words(job)],
            cwd=self._folder,
            capture_output=True,
            text=True,
            env={**os.environ, **SAFE},
        )
        if done.returncode == 0:
            return False, ""
        self.put_back(job)
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        refused = done.returncode == InputError.exit_code
        return refused, f"codeself {job.command[1]} ended with {done.returncode}: {last}"

    def _words(self, job: Job) -> list[str]:
        words = list(job.command[1:])
        for at, flag in enumerate(words[:-1]):
            if flag == "--isolation":
                words[at + 1] = stricter(words[at + 1], self._isolation)
            elif flag.startswith("--") and flag[2:] in self._run_with:
                words[at + 1] = self._run_with[flag[2:]]
        return words

    def _stand_in_for_seconds(self, job: Job) -> None:
        """Seconds are no part of the record, and of none of its files; a command that also shows them gets a second."""
        for path in job.inputs:
            if path.startswith(f"{self._manifest.results}/benchmarks/") and path.endswith(".steps.jsonl"):
                name = PurePosixPath(path).name.removesuffix(".steps.jsonl")
                rows = self._folder / self._manifest.results / "training" / name / "metrics.jsonl"
                if rows.exists():
                    steps = read_records(rows, StepRecord)
                    write_records(self._folder / path, [_second(each.step) for each in steps])


def stricter(asked: str, least: IsolationLevel) -> str:
    """The higher of two levels of isolation."""
    levels = ("none", "limits", "restricted", "strict")
    return max(asked, least, key=levels.index)


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


def compared(tier: Tier, subject: str, was: Path, now: Path) -> Claim:
    """What a file is now beside what it was."""
    if not was.exists():
        return Claim(tier, subject, "unchecked", "it is not in the archive")
    if not now.exists():
        return Claim(tier, subject, "different", "its command does not make it")
    before, after = was.read_bytes(), now.read_bytes()
    if before == after:
        return Claim(tier, subject, "exact")
    was_plain, now_plain = opened(before), opened(after)
    if was_plain == now_plain:
        return Claim(tier, subject, "exact", "the same data, which another zlib compressed otherwise")
    return Claim(tier, subject, "different", file_difference(was_plain, now_plain))
