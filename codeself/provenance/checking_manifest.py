"""Tier statistics, first part: what the manifest says, beside what the files and the rules of the graph say.

Digests show that a file is the one that the manifest names. They do not show that the manifest tells the truth of how
it was made, nor that seeds, levels of isolation and counts are those of the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from codeself.provenance.archive import SUMS_FILE, left_out
from codeself.provenance.claims import Claim, difference, file_difference
from codeself.provenance.environment import locked_versions
from codeself.provenance.graph import Graph
from codeself.provenance.jobs import Naming
from codeself.provenance.manifest import facts_of
from codeself.provenance.manifest_page import manifest_page
from codeself.provenance.merkle import SHORT, line_digests
from codeself.provenance.unpacking import read_sums
from codeself.records.archiving import part_of
from codeself.records.config import parse_config
from codeself.records.jsonl import read_record
from codeself.records.manifest import MANIFEST_FILE, ROWS_FILE, Job, Manifest, Rows

PAGE_FILE, HOST_FILE = "manifest.md", "host.json"
# What is said of a run as a whole rests on the files of these parts: without them it cannot be looked at.
_RESTS_ON = {
    "determinism": {"metrics"},
    "isolation": {"metrics"},
    "training_isolation": {"training"},
    "locked_reads": {"locked_reads"},
    "models": {"models", "training"},
}


def check_manifest(record: Path, manifest: Manifest, graph: Graph) -> Iterator[Claim]:
    """A claim for each thing that a manifest says of the run as a whole, for each job, and for what lies beside it."""
    yield from _facts(record, manifest)
    yield from _environment(record, manifest)
    yield from _jobs(manifest, graph)
    yield from _places(record, manifest, graph)
    yield from _beside(record, manifest)


def _facts(record: Path, manifest: Manifest) -> Iterator[Claim]:
    config = parse_config(manifest.config, f"{MANIFEST_FILE}, config")
    apart = {part_of(manifest.inside(path)) for path in left_out(manifest, config.archive)}
    files = {each.path: record / each.path for each in manifest.artifacts if (record / each.path).exists()}
    digests = {each.path: each.sha256 for each in manifest.artifacts}
    facts = facts_of(config, files, digests, manifest.results)
    facts["results"] = Naming(config.results).shown
    was, now = manifest.to_json_dict(), manifest.model_copy(update=facts).to_json_dict()
    for key in facts:
        if absent := _RESTS_ON.get(key, set()) & apart:
            place = f"rests on {sorted(absent)[0]}, which the archive's own config keeps out"
            yield Claim("statistics", f"{MANIFEST_FILE}, {key}", "left out", place)
        else:
            yield _same(f"{MANIFEST_FILE}, {key}", was[key], now[key], key)


def _environment(record: Path, manifest: Manifest) -> Iterator[Claim]:
    said = manifest.environment
    given = {Path(each.path).name: each for each in manifest.inputs if each.path.endswith(".lock")}
    digests = {name: each.sha256 for name, each in sorted(given.items())}
    yield _same(f"{MANIFEST_FILE}, environment.locks", dict(sorted(said.locks.items())), digests)
    locked: dict[str, str] = {}
    for each in given.values():
        locked |= locked_versions(record / each.path)
    unlike = {
        name: version
        for name, version in said.packages.items()
        if version.partition("+")[0] != locked.get(name, "")
    }
    yield _same(f"{MANIFEST_FILE}, environment.unlike_lock", said.unlike_lock, unlike)


def _jobs(manifest: Manifest, graph: Graph) -> Iterator[Claim]:
    """Each recorded job beside the one that the rules here make of the record's config."""
    told = {output: job for job in manifest.jobs for output in job.outputs}
    for job in graph.jobs_over(manifest):
        recorded = next((told[output] for output in job.outputs if output in told), None)
        if recorded is not None:
            yield _job(recorded, job)
    for each in manifest.artifacts:
        known = next((at for at, job in enumerate(manifest.jobs) if each.path in job.outputs), None)
        if known != each.job:
            subject = f"{MANIFEST_FILE}, artifacts: {each.path}"
            yield Claim("statistics", subject, "different", f"names job {each.job}, and job {known} made it")


def _job(recorded: Job, planned: Job) -> Claim:
    subject = f"{MANIFEST_FILE}, jobs: {planned.outputs[0]}"
    was, now = (
        {
            "rule": job.rule,
            "command": _options(job.command),
            "inputs": list(job.inputs),
            "outputs": sorted(job.outputs),
        }
        for job in (recorded, planned)
    )
    found = difference(was, now)
    return Claim(
        "statistics",
        subject,
        "different" if found else "exact",
        f"by the rules here, {found}" if found else "",
    )


def _options(command: Sequence[str]) -> dict[str, list[str]]:
    """Each option's values, in their order: that of different options decides nothing."""
    options: dict[str, list[str]] = {"": []}
    flag = ""
    for word in command:
        if word.startswith("--"):
            flag = word
            options.setdefault(flag, [])
        else:
            options[flag].append(word)
    return dict(sorted(options.items()))


def _places(record: Path, manifest: Manifest, graph: Graph) -> Iterator[Claim]:
    """Nothing is there that the graph does not make, and nothing is wanting that it makes."""
    made = {output for job in graph.jobs_over(manifest) for output in job.outputs}
    for each in manifest.artifacts:
        if each.path not in made:
            yield Claim("statistics", each.path, "added", "the rules here make no such file from the config")
    for path in graph.unlisted(manifest):
        yield Claim("statistics", path, "missing", "the rules here make it from the config")
    given = {each.path for each in manifest.inputs}
    for path in sorted(given - graph.given):
        yield Claim("statistics", path, "added", "by the rules here the run is not given it")
    for path in sorted(graph.given - given):
        yield Claim("statistics", path, "missing", "by the rules here the run is given it")
    described = {path.removeprefix(f"{manifest.results}/archive/") for path in graph.described}
    known = {*described, MANIFEST_FILE, ROWS_FILE, PAGE_FILE, *given}
    known |= {each.path for each in manifest.artifacts}
    known |= manifest.model_files().keys()
    if manifest.config["archive"]["host"]:
        known.add(HOST_FILE)
    for name in sorted(read_sums(record).keys() - known):
        yield Claim("statistics", name, "added", f"{SUMS_FILE} alone speaks of it")


def _beside(record: Path, manifest: Manifest) -> Iterator[Claim]:
    """The page of the manifest, and the digests of rows."""
    page = record / PAGE_FILE
    found = page.read_bytes() if page.is_file() else b""
    again = manifest_page(manifest).encode()
    place = "" if found == again else file_difference(found, again)
    yield Claim("statistics", PAGE_FILE, "different" if place else "exact", place)
    if not (record / ROWS_FILE).is_file():
        yield Claim("statistics", ROWS_FILE, "missing", "the record lists it")
        return
    rows = read_record(record / ROWS_FILE, Rows).rows
    listed = {each.path: each for each in manifest.artifacts if each.rows is not None}
    wrong = next((path for path in (*rows, *listed) if (path in rows) != (path in listed)), "")
    for path in listed:
        if not wrong and (record / path).is_file():
            digests = tuple(digest[:SHORT] for digest in line_digests(record / path))
            wrong = "" if digests == rows[path] else path
    yield Claim("statistics", ROWS_FILE, "different" if wrong else "exact", f"rows.{wrong}" if wrong else "")


def _same(subject: str, was: Any, now: Any, path: str = "") -> Claim:
    found = difference(was, now, path)
    return Claim("statistics", subject, "different" if found else "exact", found)
