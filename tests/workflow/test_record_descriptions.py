"""Other people's tools read the record: a validator of RO-Crates, one of Croissant, of CycloneDX, and of cards."""

from __future__ import annotations

import email.message
import io
import json
import urllib.request
import urllib.response
from collections.abc import Iterator
from pathlib import Path

import pytest

from codeself.provenance.checklist import checklist
from codeself.provenance.unpacking import unpack
from codeself.records.jsonl import read_record
from codeself.records.manifest import MANIFEST_FILE, Manifest
from codeself.records.metrics import Metrics
from tests.workflow.conftest import Project

# What the two contexts say of the terms that are used here, so that no network is needed.
TERMS = {
    "@vocab": "http://schema.org/",
    "File": "http://schema.org/MediaObject",
    "conformsTo": "http://purl.org/dc/terms/conformsTo",
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "sha256": "https://w3id.org/ro/terms/workflow-run#sha256",
}
CONTEXTS = {"https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"}
# These two checks fetch the contexts themselves.
NEED_A_NETWORK = ["ro-crate-1.1_3.1", "ro-crate-1.1_3.2"]


@pytest.fixture(scope="module")
def record(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(finished.results / "archive" / "codeself.tar.gz", tmp_path_factory.mktemp("record"))


@pytest.fixture
def _contexts() -> Iterator[None]:
    """Requests for the two contexts are answered here."""

    class Local(urllib.request.HTTPSHandler):
        def https_open(self, request: urllib.request.Request) -> urllib.response.addinfourl:
            assert request.full_url in CONTEXTS
            headers = email.message.Message()
            headers["Content-Type"] = "application/ld+json"
            body = io.BytesIO(json.dumps({"@context": TERMS}).encode())
            answer = urllib.response.addinfourl(body, headers, request.full_url, 200)
            answer.msg = "OK"  # type: ignore[attr-defined]
            return answer

    urllib.request.install_opener(urllib.request.build_opener(Local))
    yield
    urllib.request.install_opener(urllib.request.build_opener())


def problems(folder: Path) -> list[str]:
    """What the validator finds wanting that the profile requires."""
    models = pytest.importorskip("rocrate_validator.models")
    services = pytest.importorskip("rocrate_validator.services")
    settings = services.ValidationSettings(
        rocrate_uri=str(folder),
        profile_identifier="provenance-run-crate",
        requirement_severity=models.Severity.REQUIRED,
        skip_checks=NEED_A_NETWORK,
    )
    return [str(issue.message) for issue in services.validate(settings).get_issues()]


@pytest.mark.usefixtures("_contexts")
def test_the_record_is_a_valid_provenance_run_crate(record: Path) -> None:
    assert problems(record) == []
    crate = json.loads((record / "ro-crate-metadata.json").read_text())
    listed = {each["@id"] for each in crate["@graph"] if "File" in each["@type"]}
    found = {path.relative_to(record).as_posix() for path in record.rglob("*") if path.is_file()}
    assert listed == found - {"ro-crate-metadata.json"}


@pytest.mark.usefixtures("_contexts")
def test_the_validator_finds_a_crate_without_its_workflow_wanting(record: Path, tmp_path: Path) -> None:
    crate = json.loads((record / "ro-crate-metadata.json").read_text())
    crate["@graph"] = [each for each in crate["@graph"] if each["@id"] != "Snakefile"]
    (tmp_path / "ro-crate-metadata.json").write_text(json.dumps(crate))
    assert problems(tmp_path) != []


def test_a_task_set_loads_by_its_croissant_description(record: Path) -> None:
    croissant = pytest.importorskip("mlcroissant")
    dataset = croissant.Dataset(str(record / "croissant" / "families.json"))
    assert not dataset.metadata.issues.errors
    first = next(iter(dataset.records("task")))
    (row,) = (record / "results/tiny/tasks/families.jsonl").read_text().splitlines()[:1]
    assert first["task/prompt"].decode() == json.loads(row)["prompt"]


def test_the_bill_of_materials_is_cyclonedx(record: Path) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema")
    text = (record / "sbom.cdx.json").read_text()
    assert validation.JsonStrictValidator(schema.SchemaVersion.V1_6).validate_str(text) is None


def test_the_cards_hold_the_metrics_with_their_intervals(record: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    card = hub.ModelCard.load(record / "cards" / "grpo-seed0.model.md")
    metrics = read_record(record / "results/tiny/metrics/grpo-seed0/families.test.json", Metrics)
    estimate = metrics.main.pass_at_k[0].estimate
    result = next(each for each in card.data.eval_results if each.metric_type == "pass@1")
    assert result.metric_value == pytest.approx(estimate.value, abs=1e-6)
    assert result.metric_args["low"] == pytest.approx(estimate.low, abs=1e-6)
    assert result.metric_args["high"] == pytest.approx(estimate.high, abs=1e-6)
    assert hub.DatasetCard.load(record / "cards" / "families.dataset.md").data.pretty_name == "families"


def test_an_answer_of_the_checklist_turns_to_no_without_its_artifact(record: Path) -> None:
    manifest = read_record(record / MANIFEST_FILE, Manifest)
    files = {path.relative_to(record).as_posix() for path in record.rglob("*") if path.is_file()}
    whole = {item.name: item for item in checklist(manifest, {*files, "host.json"})}
    assert whole["Claims"].answer == whole["Compute"].answer == whole["Reproducibility"].answer == "yes"
    for name, start in (
        ("Claims", "results/tiny/reports/evidence.md"),
        ("Experimental setting", "results/tiny/splits/"),
        ("Statistical significance", "results/tiny/comparisons/"),
        ("Compute", "host.json"),
        ("New assets", "cards/"),
    ):
        left = {path for path in {*files, "host.json"} if not path.startswith(start)}
        assert next(item for item in checklist(manifest, left) if item.name == name).answer == "no", name
    for item in whole.values():
        assert set(item.evidence) <= {*files, "host.json"}
