"""The manifest: every artifact of a run with its digest and how it was made. The root of the record."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from codeself.records.base import Record
from codeself.records.locked_reads import LockedReads, ReadTime
from codeself.records.models import ModelRecord
from codeself.records.sources import Sha256
from codeself.records.verdicts import IsolationLevel

MANIFEST_FILE = "manifest.json"
ROWS_FILE = "rows.json"


def _inside(path: str) -> str:
    plain = PurePosixPath(path).as_posix() == path and path.isprintable()
    if path in ("", ".") or path.startswith("/") or ".." in path.split("/") or not plain:
        raise ValueError("is no plain path inside the record")
    return path


InnerPath = Annotated[str, AfterValidator(_inside)]
"""A path of the record. Whoever reads a manifest may have it from a stranger."""


class RowsDigest(Record):
    """Of a text file. root: of the Merkle tree over the sha256 of its lines, count of them."""

    count: int = Field(ge=0)
    root: Sha256


class FileDigest(Record):
    """One file. path: in the record, with '/' between its parts."""

    path: InnerPath
    sha256: Sha256
    bytes: int = Field(ge=0)


class Artifact(FileDigest):
    """A file that the graph made. job: which of the manifest's jobs made it, None where that is not known."""

    rows: RowsDigest | None = None
    job: int | None = None


class Job(Record):
    """One job of the graph. command: its words; the number of workers and where the log went are left out, since
    they decide nothing. code: digest of the code behind the command. inputs, outputs: paths in the record.
    """

    rule: str
    command: tuple[str, ...]
    code: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class CodeVersion(Record):
    """commit, date: of the checkout, empty where there is none. changes_sha256: of what was not committed, empty where
    everything was. package_sha256: of the package's own files.
    """

    version: str
    commit: str = ""
    date: str = ""
    changes_sha256: str = ""
    package_sha256: Sha256


class Environment(Record):
    """locks: digest of each lock file. packages: the version of each locked package that was installed. unlike_lock:
    those that were installed in another version than the lock says, with that version.
    """

    python: str
    implementation: str
    locks: dict[str, Sha256]
    packages: dict[str, str]
    unlike_lock: dict[str, str]


class Determinism(Record):
    """flags: settings that make a backend's arithmetic the same each time, by backend. policies: how each evaluated
    policy ran: number format, device, threads, size of batches. draws: where random numbers come from.
    """

    flags: dict[str, dict[str, str]]
    policies: dict[str, str]
    draws: str


class DatasetRecord(Record):
    """A public file: where it is fetched from, its pinned digest, and that of the file that was used."""

    url: str
    pinned: str
    sha256: str


class Manifest(Record):
    """The record of a run.

    results: the results folder, in which all artifacts are. config: as used, defaults filled in; places on the host
    are cut to their last part. plan_sha256: empty where nothing was planned. seeds: every root of random draws.
    determinism: what was done for the same bytes. isolation: judged candidates by the level they ran at;
    training_isolation: each training run's level.
    locked_reads: every reading of locked tests; when each was stands in the facts of the host.
    models: each model record by its path. inputs: files that the run was given, lock files too.
    root: of the Merkle tree over all files, artifacts first.
    """

    format: str = "codeself-manifest-1"
    title: str
    results: InnerPath
    config: dict[str, Any]
    config_sha256: Sha256
    plan_sha256: str
    seeds: dict[str, int]
    determinism: Determinism | None = None
    isolation: dict[IsolationLevel, int]
    training_isolation: dict[str, IsolationLevel]
    locked_reads: tuple[LockedReads, ...] = ()
    code: CodeVersion
    environment: Environment
    models: dict[InnerPath, ModelRecord]
    datasets: dict[InnerPath, DatasetRecord]
    artifacts: tuple[Artifact, ...]
    inputs: tuple[FileDigest, ...]
    jobs: tuple[Job, ...]
    root: Sha256

    def inside(self, path: str) -> str:
        """The path of an artifact relative to the results folder."""
        return path.removeprefix(f"{self.results}/")

    def model_files(self) -> dict[str, str]:
        """The digest of each file of each model's folder, by its path: weights, which may stay out of an archive."""
        return {
            str(PurePosixPath(path).with_name(name)): digest
            for path, model in self.models.items()
            for name, digest in model.files.items()
        }

    def job_of(self, artifact: Artifact) -> Job | None:
        return None if artifact.job is None else self.jobs[artifact.job]


class Rows(Record):
    """For each text file, the first 8 hex digits of each line's sha256: enough to name a line that changed."""

    rows: dict[str, tuple[str, ...]]


class HostFacts(Record):
    """Facts about one machine on one day: beside the record, never in it.

    costs: of each stage, in seconds; gpu_seconds are wall seconds times the GPUs that its jobs held. locked_reads: when
    locked tests were read, the earliest first.
    """

    system: dict[str, str]
    cpu: dict[str, Any]
    memory_mb: int
    gpus: tuple[str, ...]
    costs: dict[str, dict[str, float]]
    locked_reads: tuple[ReadTime, ...] = ()
