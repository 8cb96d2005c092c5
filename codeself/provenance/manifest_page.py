"""The manifest as a page for people."""

from __future__ import annotations

from collections.abc import Iterator

from codeself.records.manifest import Determinism, Manifest


def manifest_page(manifest: Manifest) -> str:
    """Markdown: what the run was made from, then every artifact."""
    return "\n".join(_lines(manifest)) + "\n"


def _lines(manifest: Manifest) -> Iterator[str]:
    code, environment = manifest.code, manifest.environment
    how = manifest.determinism or Determinism(flags={}, policies={}, draws="")
    commit = code.commit or "no checkout"
    if code.changes_sha256:
        commit += f", with changes {code.changes_sha256[:12]} that were not committed"
    yield f"# Manifest: {manifest.title}"
    yield ""
    yield f"Every file of this run. One digest stands for them all: `{manifest.root}`."
    yield ""
    facts = {
        "code": f"codeself {code.version}, {commit}; package {code.package_sha256[:12]}",
        "config": manifest.config_sha256,
        "plan": manifest.plan_sha256 or "none: nothing was practised",
        "Python": f"{environment.implementation} {environment.python}",
        "locks": ", ".join(f"{name} {digest[:12]}" for name, digest in environment.locks.items()) or "none",
        "packages": f"{len(environment.packages)} locked ones installed"
        + (", not as locked: " if environment.unlike_lock else "")
        + ", ".join(f"{name} {version}" for name, version in environment.unlike_lock.items()),
        "determinism": "; ".join(f"{name}: {source}" for name, source in how.policies.items()) or "none told",
        "flags": ", ".join(f"{name}={value}" for flags in how.flags.values() for name, value in flags.items())
        or "none",
        "isolation": ", ".join(f"{count} judged at {level}" for level, count in manifest.isolation.items()),
        "seeds": ", ".join(f"{name} {seed}" for name, seed in manifest.seeds.items()),
        "models": ", ".join(f"{model.name} {model.weights_sha256[:12]}" for model in manifest.models.values())
        or "none with weights",
        "datasets": ", ".join(f"{path} {data.sha256[:12]}" for path, data in manifest.datasets.items())
        or "none fetched",
    }
    yield "| what | which |"
    yield "|---|---|"
    yield from (f"| {name} | {value} |" for name, value in facts.items())
    yield ""
    yield "## Artifacts"
    yield ""
    yield "| file | bytes | rows | made by | sha256 |"
    yield "|---|---:|---:|---|---|"
    for each in manifest.artifacts:
        job = manifest.job_of(each)
        rows = str(each.rows.count) if each.rows else ""
        yield f"| {each.path} | {each.bytes} | {rows} | {job.rule if job else ''} | `{each.sha256}` |"
    yield ""
    yield "## Readings of locked tests"
    yield ""
    yield "| policy | task set | reading | answers | their digest | for plan |"
    yield "|---|---|---|---:|---|---|"
    for reads in manifest.locked_reads:
        for number, read in enumerate(reads.reads, start=1):
            named = f": {read.name}" if read.name else ""
            yield (
                f"| {reads.policy} | {reads.taskset}, {reads.split} | {number}{named} | {read.answers}"
                f" | `{read.answers_sha256}` | {read.plan_sha256[:12] or 'none'} |"
            )
    yield ""
    yield "## Given to the run"
    yield ""
    yield "| file | bytes | sha256 |"
    yield "|---|---:|---|"
    yield from (f"| {each.path} | {each.bytes} | `{each.sha256}` |" for each in manifest.inputs)
