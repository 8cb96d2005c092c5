"""write-schemas: publish the JSON schema of every record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def command(
    output: Annotated[Path, typer.Option(help="Folder that receives one file a record.")] = Path(
        "workflow/schemas"
    ),
) -> None:
    """Write the JSON schemas of the config and of every record, generated from the code's own types."""
    from codeself.records.audits import AuditReport
    from codeself.records.comparisons import Comparisons
    from codeself.records.config import Config
    from codeself.records.files import write_text
    from codeself.records.locked_reads import LockedReads
    from codeself.records.manifest import Manifest
    from codeself.records.metrics import Metrics
    from codeself.records.plan import Plan
    from codeself.records.rollouts import Rollout
    from codeself.records.strategies import StrategyReport
    from codeself.records.tasks import SplitManifest, Task
    from codeself.records.traces import Trace
    from codeself.records.training import PracticeSample, StepRecord, TrainingRecord
    from codeself.records.verdicts import Verdict
    from codeself.records.verification import Verification

    for name, kind in (
        ("config", Config),
        ("task", Task),
        ("audit", AuditReport),
        ("split", SplitManifest),
        ("rollout", Rollout),
        ("verdict", Verdict),
        ("manifest", Manifest),
        ("metrics", Metrics),
        ("plan", Plan),
        ("training", TrainingRecord),
        ("training_step", StepRecord),
        ("practice_sample", PracticeSample),
        ("comparisons", Comparisons),
        ("locked_reads", LockedReads),
        ("trace", Trace),
        ("strategies", StrategyReport),
        ("verification", Verification),
    ):
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **kind.model_json_schema()}
        write_text(output / f"{name}.schema.json", json.dumps(schema, indent=2) + "\n")
