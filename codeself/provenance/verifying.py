"""A check of a record, tier by tier: every claim, the cheapest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from codeself.provenance.checking_bytes import check_bytes
from codeself.provenance.checking_code import check_code
from codeself.provenance.checking_manifest import check_manifest
from codeself.provenance.checking_training import check_identities, check_training
from codeself.provenance.claims import Claim
from codeself.provenance.graph import graph_of
from codeself.provenance.recomputing import Workspace, jobs_of_tier
from codeself.provenance.trusting import Trust
from codeself.records.config import parse_config
from codeself.records.errors import InputError
from codeself.records.jsonl import read_record
from codeself.records.manifest import MANIFEST_FILE, Job, Manifest
from codeself.records.verdicts import IsolationLevel
from codeself.records.verification import Tier

Counting = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


@dataclass(frozen=True)
class Asked:
    """What a check is to do. sample: so many judgings, or so many jobs of the tiers generate and train; None for all.
    models: a results folder with the weights that the archive lacks. isolation: the least that candidates get.
    trust_code: whether programs that come with the record may run with the rights of whoever checks. run_with: options
    of policies that differ from the record's, of recomputing.RUN_WITH.
    """

    tier: Tier
    sample: int | None = None
    models: Path | None = None
    workers: int = 2
    isolation: IsolationLevel = "limits"
    trust_code: bool = False
    run_with: Mapping[str, str] = field(default_factory=dict)


def manifest_of(record: Path) -> Manifest | None:
    """A record's manifest, where it can be read."""
    try:
        return read_record(record / MANIFEST_FILE, Manifest)
    except InputError:
        return None


def verify(record: Path, folder: Path, asked: Asked, counting: Counting) -> Iterator[Claim]:
    """Each claim as it is checked. Bytes come first: what follows reads only files that are the recorded ones.

    record: a copy of an unpacked archive. folder: an empty one on the same file system. counting: shows progress.
    """
    whole = True
    for claim in check_bytes(record):
        whole = whole and claim.holds
        yield claim
    if asked.tier == "bytes":
        return
    if not whole:
        yield Claim(asked.tier, MANIFEST_FILE, "unchecked", "bytes differ: the other tiers are not tried")
        return
    manifest = read_record(record / MANIFEST_FILE, Manifest)
    config = parse_config(manifest.config, MANIFEST_FILE)
    graph = graph_of(manifest, record, folder / "graph")
    jobs = graph.jobs_over(manifest)
    yield from check_manifest(record, manifest, graph)
    yield from check_code(manifest)
    yield from check_training(record, manifest, config)
    yield from check_identities(record, manifest)
    trust = Trust(record, manifest, asked.trust_code)
    workspace = Workspace(record, manifest, graph, folder / "again", trust, asked.isolation, asked.run_with)

    def track(some: Sequence[Job], label: str) -> Iterable[Job]:
        with counting(label, len(some)) as advance:
            for job in some:
                yield job
                advance(1)

    if asked.tier in ("generate", "train"):
        from codeself.provenance.within import check_within

        if asked.models is not None:
            workspace.lay_models(asked.models, trained=asked.tier == "generate")
        yield from check_within(workspace, jobs, asked.tier, asked.sample, track)
        return
    for job in track(jobs_of_tier(jobs, "statistics"), "statistics"):
        yield from workspace.make_again(job, "statistics")
    if asked.tier == "grade":
        from codeself.provenance.regrading import Rows, check_grades

        files = Rows(record, manifest, config).to_check(asked.sample)
        with counting("judging", sum(len(each.rows) for each in files)) as advance:
            yield from check_grades(files, config.judge, asked.isolation, trust, asked.workers, advance)
        for job in track(jobs_of_tier(jobs, "grade") if asked.sample is None else [], "audits"):
            yield from workspace.make_again(job, "grade")
