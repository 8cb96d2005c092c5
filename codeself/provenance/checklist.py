"""A reproducibility checklist after that of NeurIPS, answered by looking: no answer without the artifact behind it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from codeself.records.manifest import Manifest

Answer = Literal["yes", "no", "not applicable", "for the authors to say"]


@dataclass(frozen=True)
class Item:
    """evidence: artifacts that the answer rests on. missing: what would have to be there for a yes."""

    name: str
    question: str
    answer: Answer
    evidence: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def checklist(manifest: Manifest, files: Collection[str]) -> list[Item]:
    """files: every file of the record by its path, the manifest and what lies beside it too."""
    results = manifest.results
    practised = bool(manifest.plan_sha256)

    def looked(name: str, question: str, *needed: str, holds: bool = True, otherwise: str = "") -> Item:
        """Yes when for each path, or start of a path with a '*' at its end, there is a file, and holds."""
        found: list[str] = []
        missing: list[str] = []
        for path in needed:
            own = sorted(
                each for each in files if each == path or (path[-1] == "*" and each.startswith(path[:-1]))
            )
            (found if own else missing).append(own[0] if own else path)
        if not holds:
            missing.append(otherwise)
        return Item(name, question, "no" if missing else "yes", tuple(found), tuple(missing))

    metrics, plan = f"{results}/metrics/*", f"{results}/plan.json"
    claims = (f"{results}/reports/evidence.md", f"{results}/comparisons/*") if practised else ()
    isolated = bool(manifest.isolation) and "none" not in manifest.isolation
    known = all(each.job is not None for each in manifest.artifacts)
    committed = bool(manifest.code.commit) and not manifest.code.changes_sha256
    return [
        looked(
            "Claims",
            "Do the claims follow from the results?",
            f"{results}/reports/baseline.md",
            *claims,
            metrics,
        ),
        looked("Limitations", "Are the limitations told?", "docs/limitations.md"),
        Item("Theory", "Are assumptions and proofs of theorems given?", "not applicable"),
        looked(
            "Reproducibility",
            "Is all that is needed to reproduce the results disclosed?",
            *("manifest.json", f"{results}/rollouts/*", f"{results}/verdicts/*", f"{results}/tasks/*"),
            holds=known,
            otherwise="the command behind every artifact",
        ),
        looked(
            "Open data and code",
            "Are data and code at hand, pinned?",
            *(f"{results}/tasks/*", "LICENSE", "Snakefile"),
            holds=committed,
            otherwise="a commit without further changes",
        ),
        looked(
            "Experimental setting",
            "Are splits, settings and how they were chosen given?",
            *(f"{results}/splits/*", "methodology.md", *([plan] if practised else [])),
        ),
        looked("Statistical significance", "Are intervals and tests given?", metrics, *claims),
        looked("Compute", "Are the machine and the cost given?", "host.json"),
        Item("Ethics", "Does the work conform to the code of ethics?", "for the authors to say"),
        Item("Broader impacts", "Are good and bad impacts on society discussed?", "for the authors to say"),
        looked(
            "Safeguards",
            "Was untrusted code kept in?",
            "docs/safety.md",
            f"{results}/verdicts/*",
            holds=isolated,
            otherwise="isolation of every candidate",
        ),
        looked(
            "Licenses of assets",
            "Are sources, versions and licenses of models and data given?",
            "manifest.json",
            *manifest.models,
            holds=all(model.license for model in manifest.models.values()),
            otherwise="a model's license",
        ),
        looked("New assets", "Are new data and models documented?", "cards/*", "croissant/*"),
        Item("Crowdsourcing", "Are instructions and pay of people given?", "not applicable"),
        Item("Review boards", "Are risks to participants reviewed?", "not applicable"),
        looked(
            "Use of language models",
            "Is their part in the method described?",
            "methodology.md",
            f"{results}/rollouts/*",
        ),
    ]


def checklist_page(items: list[Item]) -> str:
    """Markdown, with a link to each artifact."""
    lines = [
        "# Reproducibility checklist",
        "",
        "After the items of the NeurIPS paper checklist. An answer is yes only while the files behind it are there.",
        "",
        "| item | question | answer | rests on |",
        "|---|---|---|---|",
    ]
    for item in items:
        links = [f"[{path}]({path})" for path in item.evidence] + [
            f"missing: {path}" for path in item.missing
        ]
        lines.append(f"| {item.name} | {item.question} | {item.answer} | {', '.join(links)} |")
    return "\n".join(lines) + "\n"
