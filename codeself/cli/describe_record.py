"""describe-record: the record in the words of others' tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    manifest: Annotated[
        Path, typer.Option(help="The run's manifest, in the folder 'archive' of its results (JSON).")
    ],
    model_template: Annotated[Path, typer.Option(help="Template of model cards.")],
    dataset_template: Annotated[Path, typer.Option(help="Template of data set cards.")],
) -> None:
    """Write, beside the manifest, what other tools read of it.

    ro-crate-metadata.json (Workflow Run RO-Crate), croissant/ (task sets), cards/ (models and data sets), sbom.cdx.json
    (CycloneDX), codemeta.json, and checklist.md, a reproducibility checklist answered from what is there.
    """
    import yaml

    from codeself.provenance.archive import left_out
    from codeself.provenance.cards import dataset_card, model_card
    from codeself.provenance.checklist import checklist, checklist_page
    from codeself.provenance.crate import CRATE_FILE, crate
    from codeself.provenance.croissant import croissant
    from codeself.provenance.software import bill_of_materials, codemeta
    from codeself.records.archiving import ArchiveConfig
    from codeself.records.files import read_text, write_text
    from codeself.records.jsonl import read_record
    from codeself.records.manifest import Manifest
    from codeself.records.metrics import Metrics
    from codeself.records.tasks import SplitManifest, read_tasks
    from codeself.records.training import TrainingRecord

    record, folder = read_record(manifest, Manifest), manifest.parent
    results = folder.parent
    inside = {record.inside(each.path): each for each in record.artifacts}
    written: dict[str, str] = {}
    for name in sorted(inside):
        part, _, rest = name.partition("/")
        if part == "splits":
            taskset = rest.removesuffix(".json")
            file, tasks = inside[f"tasks/{taskset}.jsonl"], read_tasks(results / "tasks" / f"{taskset}.jsonl")
            splits = read_record(results / name, SplitManifest)
            licenses = (
                ["https://spdx.org/licenses/MIT"]
                if record.config["tasksets"][taskset]["format"] == "families"
                else ["see its source"]
            )
            written[f"croissant/{taskset}.json"] = croissant(record, taskset, file, licenses)
            written[f"cards/{taskset}.dataset.md"] = dataset_card(
                dataset_template, record, taskset, file, tasks, splits
            )
    policies = sorted({name.split("/")[1] for name in inside if name.startswith("metrics/")})
    for policy in policies:
        own = [
            name
            for name in sorted(inside)
            if name.startswith(f"metrics/{policy}/") and name.endswith(".json")
        ]
        done = results / "training" / policy / "done.json"
        training = read_record(done, TrainingRecord) if f"training/{policy}/done.json" in inside else None
        metrics = [read_record(results / name, Metrics) for name in own]
        written[f"cards/{policy}.model.md"] = model_card(model_template, record, policy, metrics, training)
    written["sbom.cdx.json"] = bill_of_materials(
        record, {name: read_text(Path(name)) for name in record.environment.locks}
    )
    citation = yaml.safe_load(read_text(Path("CITATION.cff"))) if Path("CITATION.cff").is_file() else {}
    written["codemeta.json"] = codemeta(record, citation)
    archive = ArchiveConfig.model_validate(record.config["archive"])
    apart = left_out(record, archive)
    packed = {each.path: each for each in (*record.artifacts, *record.inputs) if each.path not in apart}
    host = ["host.json"] if archive.host else []
    written["checklist.md"] = checklist_page(checklist(record, {*packed, "manifest.json", *host, *written}))
    beside = dict.fromkeys(
        ["manifest.json", "manifest.md", "rows.json", "SHA256SUMS", *host, *written], "Part of the record."
    )
    written[CRATE_FILE] = crate(record, packed, beside)
    for name, text in written.items():
        write_text(folder / name, text if text.endswith("\n") else text + "\n")
