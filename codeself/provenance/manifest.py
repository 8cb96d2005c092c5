"""The manifest of a run: every artifact with its digest, and where all of it came from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from codeself.provenance.determinism import determinism
from codeself.provenance.environment import code_version, environment
from codeself.provenance.jobs import Naming, cut, jobs_behind
from codeself.provenance.merkle import SHORT, line_digests, merkle_root
from codeself.records.config import Config
from codeself.records.digests import sha256_file, sha256_json
from codeself.records.errors import InputError
from codeself.records.files import read_text
from codeself.records.jsonl import read_record
from codeself.records.locked_reads import LockedReads
from codeself.records.manifest import (
    Artifact,
    DatasetRecord,
    FileDigest,
    Job,
    Manifest,
    Rows,
    RowsDigest,
)
from codeself.records.metrics import Metrics
from codeself.records.models import ModelRecord
from codeself.records.training import TrainingRecord

# Files in which a line that changed can be named.
_TEXT = {".jsonl", ".json", ".csv", ".md", ".html", ""}


def make_manifest(
    config: Config,
    artifacts: Sequence[Path],
    inputs: Sequence[Path],
    locks: Sequence[Path],
    metadata: Path,
) -> tuple[Manifest, Rows]:
    """The record of a finished run.

    artifacts: files that the graph made, in the config's results folder; folders stand for all files in them.
    inputs, locks: files that the graph was given. metadata: where Snakemake wrote down how it made each file.
    """
    folder = Path(config.results)
    name = Naming(config.results, [taskset.definitions for taskset in config.tasksets.values()])
    files = {name(path.as_posix()): path for path in _every_file(artifacts)}
    stray = next((str(path) for shown, path in files.items() if not shown.startswith(f"{name.shown}/")), None)
    if stray:
        raise InputError(f"{stray}: is not in the results folder {folder}; an artifact of the run must be")
    jobs = jobs_behind(metadata, files, name)
    leaves = {shown: line_digests(path) for shown, path in sorted(files.items()) if path.suffix in _TEXT}
    made = tuple(_artifact(shown, files[shown], leaves.get(shown), jobs) for shown in sorted(files))
    given = tuple(
        _digest(shown, path)
        for shown, path in sorted({name(path.as_posix()): path for path in (*inputs, *locks)}.items())
    )
    manifest = Manifest(
        **facts_of(config, files, {each.path: each.sha256 for each in made}, name.shown),
        results=name.shown,
        code=code_version(),
        environment=environment(locks),
        artifacts=made,
        inputs=given,
        jobs=tuple(jobs),
        root=files_root([*made, *given]),
    )
    return manifest, Rows(rows={shown: tuple(leaf[:SHORT] for leaf in own) for shown, own in leaves.items()})


def facts_of(
    config: Config, files: Mapping[str, Path], digests: Mapping[str, str], results: str
) -> dict[str, Any]:
    """What a manifest says that its files say too. files: artifacts by their paths in the record, in the folder
    results. digests: of all artifacts.
    """
    used = portable(config.model_dump(mode="json"))
    return {
        "title": config.title,
        "config": used,
        "config_sha256": sha256_json(used),
        "plan_sha256": digests.get(f"{results}/plan.json", ""),
        "seeds": seeds(config),
        "determinism": determinism(
            {each.policy: each.identity for each in _records(files, f"{results}/metrics", ".json", Metrics)}
        ),
        "isolation": dict(sorted(_levels(files, results).items())),
        "training_isolation": {
            record.policy: record.isolation
            for record in _records(files, f"{results}/training", "done.json", TrainingRecord)
        },
        "locked_reads": tuple(_records(files, f"{results}/locked_reads", ".json", LockedReads)),
        "models": _models(files),
        "datasets": _datasets(config, digests, results),
    }


def files_root(files: Iterable[FileDigest]) -> str:
    """One digest for all files: of their paths, sizes and digests."""
    return merkle_root([sha256_json([each.path, each.bytes, each.sha256]) for each in files])


def portable(value: Any) -> Any:
    """Config data without places on this host: a path that leads elsewhere is cut to its last part."""
    if isinstance(value, Mapping):
        return {name: portable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [portable(inner) for inner in value]
    return cut(value) if isinstance(value, str) else value


def seeds(config: Config) -> dict[str, int]:
    """Every root of random draws: all others are derived from these and from names."""
    found = {"seed": config.seed}
    for name, taskset in config.tasksets.items():
        found |= {f"tasksets.{name}.seed": taskset.seed, f"tasksets.{name}.splits.seed": taskset.splits.seed}
    practised = config.practice.training_seeds if config.practice.arms else ()
    return found | {f"practice.{number}": seed for number, seed in enumerate(practised)}


def _every_file(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if path.is_dir():
            yield from (each for each in path.rglob("*") if each.is_file() and not each.name.startswith("."))
        else:
            yield path


def _digest(shown: str, path: Path) -> FileDigest:
    return FileDigest(path=shown, sha256=sha256_file(path), bytes=path.stat().st_size)


def _artifact(shown: str, path: Path, leaves: list[str] | None, jobs: Sequence[Job]) -> Artifact:
    rows = None if leaves is None else RowsDigest(count=len(leaves), root=merkle_root(leaves))
    job = next((number for number, job in enumerate(jobs) if shown in job.outputs), None)
    return Artifact(**_digest(shown, path).model_dump(), rows=rows, job=job)


def _records(files: Mapping[str, Path], folder: str, end: str, kind: type) -> list[Any]:
    return [
        read_record(path, kind)
        for shown, path in sorted(files.items())
        if shown.startswith(f"{folder}/") and shown.endswith(end)
    ]


def _levels(files: Mapping[str, Path], results: str) -> Counter[Any]:
    levels: Counter[Any] = Counter()
    for metrics in _records(files, f"{results}/metrics", ".json", Metrics):
        levels.update(metrics.isolation)
    return levels


def _models(files: Mapping[str, Path]) -> dict[str, ModelRecord]:
    """The records of models with weights; a mock policy's file is its own whole record."""
    return {
        shown: ModelRecord.model_validate(portable(data))
        for shown, path in sorted(files.items())
        if path.name == "model.json" and "weights_sha256" in (data := json.loads(read_text(path)))
    }


def _datasets(config: Config, digests: Mapping[str, str], results: str) -> dict[str, DatasetRecord]:
    found = {}
    for name, taskset in config.tasksets.items():
        for role, source in (("tasks", taskset.tasks), ("plus", taskset.plus)):
            start = f"{results}/datasets/{name}.{role}."
            for shown, digest in digests.items():
                if source and shown.startswith(start):
                    pinned = source.sha256 or source.content_sha256 or ""
                    found[shown] = DatasetRecord(url=source.url, pinned=pinned, sha256=digest)
    return dict(sorted(found.items()))
