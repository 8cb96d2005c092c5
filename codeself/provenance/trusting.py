"""Programs that come with a record and would run with the rights of whoever checks it.

Candidates run in the sandbox. But definitions of task families and templates of prompts are programs, tests written in
Python run in the judge's process, and a reward may be a function of somebody's module. A stranger's are not run unless
asked for (--trust-code). What this checkout has itself, byte for byte, is trusted.
"""

from __future__ import annotations

from pathlib import Path

from codeself.provenance.graph import CHECKOUT
from codeself.records.archiving import part_of
from codeself.records.digests import sha256_file
from codeself.records.manifest import Job, Manifest
from codeself.records.tasks import CallTest, read_tasks

_DEFINITIONS, _TEMPLATES, _TESTS, _DATA = "definitions", "templates", "tests", "data"
# What each command runs of the files that it reads.
_RUNS = {
    "prepare-datasets": {_DEFINITIONS, _DATA},
    "run-rollouts": {_TEMPLATES},
    "run-agentic": {_TEMPLATES, _TESTS},
    "train": {_TEMPLATES, _TESTS},
    "audit-tasks": {_TESTS},
    "execute-rollouts": {_TESTS},
}


class Trust:
    """Which jobs may run. everything: whether the record's own programs were trusted by name."""

    def __init__(
        self, record: Path, manifest: Manifest, everything: bool = False, checkout: Path = CHECKOUT
    ) -> None:
        self._everything = everything
        self._foreign: dict[str, str] = {}
        if everything:
            return
        for given in manifest.inputs:
            kind = {".yaml": _DEFINITIONS, ".yml": _DEFINITIONS, ".j2": _TEMPLATES}.get(
                Path(given.path).suffix
            )
            own = checkout / given.path
            if kind and not (own.is_file() and sha256_file(own) == given.sha256):
                self._foreign[given.path] = kind
        for artifact in manifest.artifacts:
            part, path = part_of(manifest.inside(artifact.path)), record / artifact.path
            if part == "datasets":
                self._foreign[artifact.path] = _DATA
            elif part == "tasks" and path.suffix == ".jsonl" and _holds_code(path):
                self._foreign[artifact.path] = _TESTS

    def refusal(self, job: Job) -> str:
        """Why a job of the record is not run, or nothing."""
        if self._everything:
            return ""
        runs = _RUNS.get(job.command[1], set())
        foreign = next((path for path in job.inputs if self._foreign.get(path) in runs), "")
        options = dict(zip(job.command, job.command[1:], strict=False))
        if not foreign and ":" in options.get("--reward", ""):
            foreign = f"the reward {options['--reward']}"
        if foreign:
            return f"would run code of the record with your rights, from {foreign}: --trust-code"
        return ""

    def judging(self, tasks: str) -> str:
        """Why answers to a file of tasks are not judged, or nothing."""
        if self._foreign.get(tasks) == _TESTS:
            return f"would run tests of the record with your rights, from {tasks}: --trust-code"
        return ""


def _holds_code(path: Path) -> bool:
    """Whether tests in a file of tasks are Python, not calls with their results."""
    return path.is_file() and any(
        task.setup_code
        or not all(
            isinstance(test, CallTest)
            for test in (*task.public_tests, *task.hidden_tests, *task.locked_tests)
        )
        for task in read_tasks(path)
    )
