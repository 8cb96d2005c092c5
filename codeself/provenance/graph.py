"""What the graph makes from a config, by the rules of the codeself that is installed here.

A record tells by which commands its files were made, and could tell anything. A check therefore runs none of them: it
asks the rules of this checkout what they make of the record's config, and compares. Nothing of the archive is
executed here; its config and the files that the run was given are data to Snakemake's dry run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codeself.provenance.environment import PACKAGE
from codeself.provenance.jobs import Naming, words_of
from codeself.records.config import parse_config
from codeself.records.errors import InputError
from codeself.records.jsonl import read_rows
from codeself.records.manifest import Job, Manifest

CHECKOUT = PACKAGE.parent
CARDS = "resources/cards"
# Modules come from the codeself that checks, never from a folder of the archive; nor do settings of Snakemake.
_MODULES = [
    str(CHECKOUT),
    *map(os.path.abspath, filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))),
]
SAFE = {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(_MODULES), "SNAKEMAKE_PROFILE": "none"}
_DRY_RUN = ("--profile", "none", "--workflow-profile", "none", "--cores", "1", "--dry-run", "--forceall")
# What a rule says of an output beside its path: "all.jsonl (update)".
_REMARK = re.compile(r" \([a-z ]+\)$")


# Commands that make the record of a run, not the run.
_RECORDING = {"make-manifest", "make-archive"}
# Folders of the results whose files are host facts, or the record itself.
_NO_ARTIFACTS = ("benchmarks/", "logs/", "archive/")


@dataclass(frozen=True)
class Graph:
    """jobs: in the order of their first outputs; an output may be a folder. given: files that the run starts from.
    described: files in the folder 'archive' that tell of the record.
    """

    jobs: tuple[Job, ...]
    given: frozenset[str]
    described: frozenset[str]

    def jobs_over(self, manifest: Manifest) -> list[Job]:
        """The jobs that make these artifacts, each with those of its outputs that are among them."""
        paths = [each.path for each in manifest.artifacts] + sorted(self.described)
        found = []
        for job in self.jobs:
            own = (
                tuple(path for path in paths if _is_of(path, job)) if job.command[1] not in _RECORDING else ()
            )
            if own:
                found.append(job.model_copy(update={"outputs": own}))
        return found

    def unlisted(self, manifest: Manifest) -> list[str]:
        """What the graph makes, and the manifest does not list."""
        paths = {each.path for each in manifest.artifacts}
        return [
            output
            for job in self.jobs
            for output in job.outputs
            if not manifest.inside(output).startswith(_NO_ARTIFACTS)
            and not any(path == output or path.startswith(f"{output}/") for path in paths)
        ]


def _is_of(path: str, job: Job) -> bool:
    return any(path == output or path.startswith(f"{output}/") for output in job.outputs)


def graph_of(manifest: Manifest, record: Path, folder: Path, checkout: Path = CHECKOUT) -> Graph:
    """The jobs of a record's config. record: its folder. folder: an empty one to work in.

    Raises InputError where codeself stands in no checkout, or its rules cannot take the config.
    """
    if not (checkout / "Snakefile").is_file():
        raise InputError(
            f"{checkout}: has no Snakefile; tiers beyond bytes need codeself in a checkout of its repository, whose"
            " rules say how each file is made"
        )
    parse_config(manifest.config, "manifest.json, config")
    _refuse_elsewhere(manifest.config, "config")
    work = folder / "work"
    for given in manifest.inputs:
        place = work / given.path
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(record / given.path, place)
    lay_card_templates(work, checkout)
    settings, listed = folder.resolve() / "config.json", folder.resolve() / "jobs.jsonl"
    settings.write_text(json.dumps({**manifest.config, "results": manifest.results}))
    command = [sys.executable, "-P", "-m", "codeself.provenance.dry_run", str(listed)]
    command += ["--snakefile", str(checkout / "Snakefile"), "--configfile", str(settings), *_DRY_RUN]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, env={**os.environ, **SAFE})
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise InputError(f"the rules of {checkout} cannot take the record's config: {last}")
    return _parsed([row for _, row in read_rows(listed)], manifest.results)


def lay_card_templates(folder: Path, checkout: Path = CHECKOUT) -> None:
    """Put this checkout's templates of cards into a folder: a template is a program, and one's own is at hand."""
    place = folder / CARDS
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(checkout / CARDS, place)


def _refuse_elsewhere(value: Any, key: str) -> None:
    """A config of a record names no place outside it; a stranger's could make the rules look around on this host."""
    if isinstance(value, dict):
        for name, inner in value.items():
            _refuse_elsewhere(inner, f"{key}.{name}")
    elif isinstance(value, list):
        for inner in value:
            _refuse_elsewhere(inner, key)
    elif isinstance(value, str) and (value.startswith(("/", "~")) or ".." in value.split("/")):
        raise InputError(f"manifest.json, {key}: names '{value}', which is outside the record")


def _parsed(rows: Sequence[dict[str, Any]], results: str) -> Graph:
    name = Naming(results)
    jobs = [
        Job(
            rule=row["rule"],
            command=words_of(row["command"], name),
            code="",
            inputs=tuple(sorted(set(row["inputs"]))),
            outputs=tuple(sorted(_REMARK.sub("", output) for output in row["outputs"])),
        )
        for row in rows
        if row["command"]
    ]
    given = frozenset().union(*(_given(job) for job in jobs if job.command[1:2] == ("make-manifest",)))
    described = frozenset(
        output for job in jobs if job.command[1:2] == ("describe-record",) for output in job.outputs
    )
    return Graph(tuple(sorted(jobs, key=lambda job: job.outputs)), given, described)


def _given(job: Job) -> frozenset[str]:
    """The files that make-manifest is told of, and that no job makes."""
    pairs = zip(job.command, job.command[1:], strict=False)
    return frozenset(value for flag, value in pairs if flag in ("--given", "--lock"))
