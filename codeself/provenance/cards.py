"""Model cards and data set cards in the form of Hugging Face, filled from the record: no number is written by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import yaml

from codeself.records.files import read_text
from codeself.records.manifest import Artifact, Manifest
from codeself.records.metrics import Estimate, Metrics
from codeself.records.tasks import SplitManifest, Task
from codeself.records.training import TrainingRecord


def model_card(
    template: Path,
    manifest: Manifest,
    policy: str,
    metrics: Sequence[Metrics],
    training: TrainingRecord | None,
) -> str:
    """A policy's card. metrics: its evaluations."""
    model = next((own for path, own in manifest.models.items() if _is_of(path, manifest, policy)), None)
    base = next((own for path, own in manifest.models.items() if "/models/" in path), None)
    data: dict[str, Any] = {
        "license": (model.license if model else "") or "mit",
        "library_name": "transformers" if model else "codeself",
        "pipeline_tag": "text-generation",
        "language": ["en", "code"],
        "tags": ["code", "codeself", *([training.arm] if training else [])],
        "model-index": [{"name": policy, "results": [_result(each) for each in metrics]}],
    }
    if base is not None and base.source.source == "hub":
        data["base_model"] = base.source.id
    return _filled(
        template, data, manifest=manifest, policy=policy, metrics=metrics, training=training, model=model
    )


def _is_of(path: str, manifest: Manifest, policy: str) -> bool:
    inside = manifest.inside(path)
    return inside.startswith("models/") if policy == "base" else inside.startswith(f"training/{policy}/")


def _result(metrics: Metrics) -> dict[str, Any]:
    main = metrics.main
    rates = [(f"pass@{each.k}", each.estimate) for each in main.pass_at_k]
    if main.greedy is not None:
        rates.append(("greedy pass rate", main.greedy))
    return {
        "task": {"type": "text-generation", "name": "Python functions from descriptions"},
        "dataset": {"type": metrics.taskset, "name": metrics.taskset, "split": metrics.split},
        "metrics": [_metric(name, each, metrics.confidence, main.tests) for name, each in rates],
    }


def _metric(name: str, estimate: Estimate, confidence: float, tests: str) -> dict[str, Any]:
    return {
        "type": name,
        "name": f"{name} on {tests} tests",
        "value": round(estimate.value, 6),
        "args": {
            "low": round(estimate.low, 6),
            "high": round(estimate.high, 6),
            "confidence": confidence,
            "method": estimate.method,
        },
    }


def dataset_card(
    template: Path,
    manifest: Manifest,
    taskset: str,
    file: Artifact,
    tasks: Sequence[Task],
    splits: SplitManifest,
) -> str:
    """A task set's card."""
    settings = manifest.config["tasksets"][taskset]
    data = {
        "license": "mit" if settings["format"] == "families" else "other",
        "pretty_name": taskset,
        "language": ["en", "code"],
        "task_categories": ["text-generation"],
        "tags": ["code", "codeself"],
        "size_categories": [_size(len(tasks))],
        "configs": [{"config_name": "default", "data_files": Path(file.path).name}],
    }
    kinds = {kind: sum(len(task.tests(kind)) for task in tasks) for kind in ("public", "hidden", "locked")}
    return _filled(
        template,
        data,
        manifest=manifest,
        taskset=taskset,
        settings=settings,
        file=file,
        tasks=tasks,
        splits=splits,
        families=Counter(task.family for task in tasks),
        kinds=kinds,
    )


def _size(count: int) -> str:
    for bound, name in ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K")):
        if count < bound:
            return name
    return "n>100K"


def _filled(template: Path, data: dict[str, Any], **words: Any) -> str:
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    body = environment.from_string(read_text(template)).render(**words)
    return f"---\n{yaml.safe_dump(data, sort_keys=False, allow_unicode=True)}---\n\n{body}"
