"""The record as a Workflow Run RO-Crate (Provenance Run Crate 0.5): files, commands and jobs in JSON-LD.

Written as plain data: the graph is flat, and the same record must give the same bytes.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from codeself.records.manifest import FileDigest, Job, Manifest

CRATE_FILE = "ro-crate-metadata.json"
# The day of the code's commit is the only day in the record, so that two runs are alike; this one says there is none.
NO_DATE = "1980-01-01"
_WORKFLOW = "Snakefile"
_LANGUAGE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
_FORMATS = {
    "jsonl": "application/jsonl",
    "json": "application/json",
    "csv": "text/csv",
    "md": "text/markdown",
    "html": "text/html",
    "svg": "image/svg+xml",
    "yaml": "application/yaml",
}


def crate(manifest: Manifest, files: Mapping[str, FileDigest], beside: Mapping[str, str]) -> str:
    """The crate's metadata file. files: those of the manifest that are packed. beside: names of others, with what
    each is.
    """
    return json.dumps(
        {
            "@context": [
                "https://w3id.org/ro/crate/1.1/context",
                "https://w3id.org/ro/terms/workflow-run/context",
            ],
            "@graph": list(_entities(manifest, files, beside)),
        },
        indent=1,
    )


def _entities(
    manifest: Manifest, files: Mapping[str, FileDigest], beside: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    jobs = [job for job in manifest.jobs if any(output in files for output in job.outputs)]
    tools = sorted({job.command[1] for job in jobs})
    rules = list(dict.fromkeys(job.rule for job in jobs))
    actions = [f"#job/{number}" for number in range(len(jobs))]
    yield {
        "@id": CRATE_FILE,
        "@type": "CreativeWork",
        "about": _ref("./"),
        "conformsTo": [
            _ref("https://w3id.org/ro/crate/1.1"),
            _ref("https://w3id.org/workflowhub/workflow-ro-crate/1.0"),
        ],
    }
    yield {
        "@id": "./",
        "@type": "Dataset",
        "name": manifest.title,
        "description": "The record of a codeself run: tasks, rollouts, verdicts, training, metrics, comparisons and"
        " reports, with the jobs that made them.",
        "datePublished": manifest.code.date or NO_DATE,
        "license": _ref("https://spdx.org/licenses/MIT"),
        "conformsTo": [_ref(profile) for profile in _PROFILES],
        "mainEntity": _ref(_WORKFLOW),
        "hasPart": [_ref(quote(name)) for name in sorted([*files, *beside])],
        "mentions": [_ref("#run"), _ref("#organize"), *map(_ref, actions)],
        "author": _ref("#authors"),
    }
    for profile, name in _PROFILES.items():
        yield {"@id": profile, "@type": "CreativeWork", "name": name, "version": profile.rpartition("/")[2]}
    yield {"@id": "https://spdx.org/licenses/MIT", "@type": "CreativeWork", "name": "MIT License"}
    yield {"@id": "#authors", "@type": "Organization", "name": "The codeself developers"}
    yield {
        "@id": _LANGUAGE,
        "@type": "ComputerLanguage",
        "name": "Snakemake",
        "identifier": _ref("https://doi.org/10.1093/bioinformatics/bts480"),
        "url": _ref("https://snakemake.readthedocs.io"),
    }
    yield {
        "@id": "#engine",
        "@type": "SoftwareApplication",
        "name": "Snakemake",
        "softwareVersion": manifest.environment.packages.get("snakemake", ""),
        "url": "https://snakemake.readthedocs.io",
    }
    for tool in tools:
        yield {
            "@id": f"#tool/{tool}",
            "@type": "SoftwareApplication",
            "name": f"codeself {tool}",
            "softwareVersion": manifest.code.version,
        }
    for position, rule in enumerate(rules):
        tool = next(job.command[1] for job in jobs if job.rule == rule)
        yield {
            "@id": f"#step/{rule}",
            "@type": "HowToStep",
            "name": rule,
            "position": str(position),
            "workExample": _ref(f"#tool/{tool}"),
        }
    yield from _files(files, beside, tools, rules)
    for action, job in zip(actions, jobs, strict=True):
        yield from _job(action, job, files)
    made = {output for job in jobs for output in job.outputs}
    given = sorted({path for job in jobs for path in job.inputs if path in files} - made)
    yield {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"Run of {manifest.title}",
        "instrument": _ref(_WORKFLOW),
        "object": [_ref(quote(path)) for path in given],
        "result": [_ref(quote(path)) for path in sorted(made) if path in files],
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "agent": _ref("#authors"),
    }
    yield {
        "@id": "#organize",
        "@type": "OrganizeAction",
        "name": "Snakemake's run",
        "instrument": _ref("#engine"),
        "object": [_ref(f"#control/{number}") for number in range(len(jobs))],
        "result": _ref("#run"),
        "agent": _ref("#authors"),
    }


def _files(
    files: Mapping[str, FileDigest], beside: Mapping[str, str], tools: list[str], rules: list[str]
) -> Iterator[dict[str, Any]]:
    for name, digest in sorted(files.items()):
        entity: dict[str, Any] = {
            "@id": quote(name),
            "@type": "File",
            "name": name,
            "contentSize": str(digest.bytes),
            "sha256": digest.sha256,
            "encodingFormat": _FORMATS.get(name.rpartition(".")[2], "text/plain"),
        }
        if name == _WORKFLOW:
            entity |= {
                "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
                "programmingLanguage": _ref(_LANGUAGE),
                "step": [_ref(f"#step/{rule}") for rule in rules],
                "hasPart": [_ref(f"#tool/{tool}") for tool in tools],
                "license": _ref("https://spdx.org/licenses/MIT"),
            }
        yield entity
    for name, what in sorted(beside.items()):
        kind = _FORMATS.get(name.rpartition(".")[2], "text/plain")
        yield {"@id": quote(name), "@type": "File", "name": name, "description": what, "encodingFormat": kind}


def _job(action: str, job: Job, files: Mapping[str, FileDigest]) -> Iterator[dict[str, Any]]:
    yield {
        "@id": action,
        "@type": "CreateAction",
        "name": job.rule,
        "description": shlex.join(job.command),
        "instrument": _ref(f"#tool/{job.command[1]}"),
        "object": [_ref(quote(path)) for path in job.inputs if path in files],
        "result": [_ref(quote(path)) for path in job.outputs if path in files],
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "agent": _ref("#authors"),
    }
    yield {
        "@id": action.replace("#job", "#control"),
        "@type": "ControlAction",
        "instrument": _ref(f"#step/{job.rule}"),
        "object": _ref(action),
    }


def _ref(name: str) -> dict[str, str]:
    return {"@id": name}
