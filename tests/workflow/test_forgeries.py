"""A record whose every digest fits is still found out where it does not tell the truth, and none of its code is run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codeself.provenance.checking_bytes import check_bytes
from codeself.provenance.checking_manifest import check_manifest
from codeself.provenance.checking_training import check_training
from codeself.provenance.claims import Claim, outcome_of
from codeself.provenance.graph import Graph, graph_of
from codeself.provenance.recomputing import COMMANDS, Workspace
from codeself.provenance.regrading import Rows, check_grades
from codeself.provenance.trusting import Trust
from codeself.provenance.unpacking import unpack
from codeself.provenance.within import DrawnTier, check_within
from codeself.records.config import parse_config
from codeself.records.digests import sha256_bytes, sha256_file
from codeself.records.errors import InputError
from codeself.records.jsonl import read_record
from codeself.records.manifest import MANIFEST_FILE, Artifact, Manifest
from codeself.records.models import ModelRecord
from codeself.records.sources import LocalModel
from tests.workflow.conftest import Project
from tests.workflow.forging import change_row, files_of, forge, sum_up

RESULTS = "results/tiny"
EVIDENCE = f"{RESULTS}/reports/evidence.md"


@pytest.fixture(scope="module")
def record(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(finished.results / "archive" / "codeself.tar.gz", tmp_path_factory.mktemp("record"))


@pytest.fixture(scope="module")
def graph(record: Path, tmp_path_factory: pytest.TempPathFactory) -> Graph:
    """What the rules make of the small experiment's config: the same in every test that does not change it."""
    manifest = read_record(record / MANIFEST_FILE, Manifest)
    return graph_of(manifest, record, tmp_path_factory.mktemp("graph"))


@pytest.fixture
def own(record: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(record, tmp_path / "own"))


def manifest_of(own: Path) -> Manifest:
    return read_record(own / MANIFEST_FILE, Manifest)


def looked_at(own: Path, graph: Graph) -> dict[str, Claim]:
    """What is found without any command: each claim that fails, by its subject."""
    assert all(claim.holds for claim in check_bytes(own)), "the forger left a trace"
    manifest = manifest_of(own)
    claims = [*check_manifest(own, manifest, graph)]
    claims += check_training(own, manifest, parse_config(manifest.config, MANIFEST_FILE))
    return {claim.subject: claim for claim in claims if not claim.holds}


def made_again(own: Path, graph: Graph, command: str, trusted: bool = True) -> list[Claim]:
    """What one command finds."""
    manifest = manifest_of(own)
    workspace = Workspace(own, manifest, graph, own.parent / "again", Trust(own, manifest, trusted))
    jobs = [job for job in graph.jobs_over(manifest) if job.command[1] == command]
    assert jobs
    return [claim for job in jobs for claim in workspace.make_again(job, "statistics")]


def a_digit(own: Path, name: str, before: str) -> None:
    """Change the digit that follows some words."""
    text = (own / name).read_text()
    at = text.index(before) + len(before)
    at += next(at for at, sign in enumerate(text[at:]) if sign in "0123456789")
    (own / name).write_text(text[:at] + ("7" if text[at] != "7" else "3") + text[at + 1 :])


def test_a_whole_record_is_as_it_says(own: Path, graph: Graph) -> None:
    assert looked_at(own, graph) == {}


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("cards/grpo-seed0.model.md", "value: "),
        ("cards/families.dataset.md", "| hidden | "),
        ("ro-crate-metadata.json", '"contentSize": "'),
        ("croissant/families.json", '"sha256": "'),
        ("checklist.md", "results/tiny/verdicts/base/families.dev."),
        ("sbom.cdx.json", '"version": "'),
    ],
)
def test_a_number_in_what_describes_the_record_is_found(
    own: Path, graph: Graph, name: str, before: str
) -> None:
    a_digit(own, name, before)
    sum_up(own)
    assert all(claim.holds for claim in check_bytes(own))
    assert [claim.subject for claim in made_again(own, graph, "describe-record") if not claim.holds] == [name]


@pytest.mark.parametrize(
    ("name", "before"), [("manifest.md", "| seeds | seed "), ("rows.json", '"results/tiny/plan.json":["')]
)
def test_a_number_beside_the_manifest_is_found(own: Path, graph: Graph, name: str, before: str) -> None:
    a_digit(own, name, before)
    sum_up(own)
    assert looked_at(own, graph).keys() == {name}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seeds", {"seed": 7}),
        ("isolation", {"strict": 1_000_000}),
        ("training_isolation", {"grpo-seed0": "none"}),
        ("plan_sha256", "0" * 64),
        ("title", "Twice as good"),
    ],
)
def test_what_a_manifest_says_of_the_run_is_what_its_files_say(
    own: Path, graph: Graph, key: str, value: object
) -> None:
    forge(own, **{key: value})
    found = looked_at(own, graph)
    assert f"{MANIFEST_FILE}, {key}" in found
    assert key in found[f"{MANIFEST_FILE}, {key}"].place


def test_a_job_with_another_command_than_the_rules_make_of_the_config_is_found_and_not_run(
    own: Path, graph: Graph
) -> None:
    jobs = [
        job.model_copy(update={"command": ("sh", "-c", "touch escaped")}) if EVIDENCE in job.outputs else job
        for job in manifest_of(own).jobs
    ]
    forge(own, jobs=tuple(jobs))
    (found,) = looked_at(own, graph).values()
    assert found.subject == f"{MANIFEST_FILE}, jobs: {RESULTS}/reports/evidence.html"
    assert "command" in found.place
    assert all(claim.state == "exact" for claim in made_again(own, graph, "report-evidence"))
    assert not list(own.parent.rglob("escaped*"))


def test_a_report_of_which_the_record_tells_no_job_is_made_again_all_the_same(
    own: Path, graph: Graph
) -> None:
    a_digit(own, EVIDENCE, "+")
    manifest = manifest_of(own)
    number = next(at for at, job in enumerate(manifest.jobs) if EVIDENCE in job.outputs)
    jobs = tuple(job for at, job in enumerate(manifest.jobs) if at != number)
    places = {None: None, **{at: at - (at > number) for at in range(len(manifest.jobs))}, number: None}
    artifacts = [each.model_copy(update={"job": places[each.job]}) for each in manifest.artifacts]
    forge(own, EVIDENCE, jobs=jobs, artifacts=artifacts)
    assert looked_at(own, graph) == {}
    failing = [claim for claim in made_again(own, graph, "report-evidence") if not claim.holds]
    assert [(claim.subject, claim.state) for claim in failing] == [(EVIDENCE, "different")]


def test_a_report_is_not_let_off_by_an_input_that_is_said_to_be_kept_out(own: Path, graph: Graph) -> None:
    a_digit(own, EVIDENCE, "+")
    manifest = manifest_of(own)
    phantom = f"{RESULTS}/datasets/phantom.jsonl"
    jobs = [
        job.model_copy(update={"inputs": (*job.inputs, phantom)}) if EVIDENCE in job.outputs else job
        for job in manifest.jobs
    ]
    added = Artifact(path=phantom, sha256="0" * 64, bytes=1)
    forge(own, EVIDENCE, jobs=tuple(jobs), artifacts=[*manifest.artifacts, added])
    found = looked_at(own, graph)
    assert found[phantom].state == "added"
    assert f"{MANIFEST_FILE}, jobs: {RESULTS}/reports/evidence.html" in found
    assert any(claim.state == "different" for claim in made_again(own, graph, "report-evidence"))


def test_a_file_that_nothing_makes_is_found(own: Path, graph: Graph) -> None:
    (own / "award.md").write_text("best of all models\n")
    sum_up(own)
    (found,) = looked_at(own, graph).values()
    assert (found.subject, found.state) == ("award.md", "added")


def test_a_file_that_the_run_was_not_given_is_found_and_not_laid_where_commands_run(
    own: Path, graph: Graph
) -> None:
    (own / "matplotlibrc").write_text("figure.facecolor: red\n")
    manifest = manifest_of(own)
    settings = manifest.inputs[0].model_copy(
        update={
            "path": "matplotlibrc",
            "bytes": (own / "matplotlibrc").stat().st_size,
            "sha256": sha256_file(own / "matplotlibrc"),
        }
    )
    forge(own, inputs=(*manifest.inputs, settings))
    assert looked_at(own, graph)["matplotlibrc"].state == "added"
    assert all(claim.state == "exact" for claim in made_again(own, graph, "report-evidence"))


@pytest.mark.parametrize(
    ("name", "change", "subject"),
    [
        ("done.json", lambda row: row.update(samples=row["samples"] + 1), "done.json, totals"),
        ("done.json", lambda row: row.update(policy_sha256="0" * 64), "done.json, digests"),
        ("metrics.jsonl", lambda row: row.update(pass_rate=0.99), "metrics.jsonl, rates"),
        ("samples.jsonl", lambda row: row.update(reward=1.0 - row["reward"]), "samples.jsonl, reward"),
    ],
)
def test_what_practice_left_behind_follows_from_its_samples(
    own: Path, graph: Graph, name: str, change: Callable[[dict[str, object]], None], subject: str
) -> None:
    path = f"{RESULTS}/training/grpo-seed0/{name}"
    if name.endswith(".json"):
        data = json.loads((own / path).read_text())
        change(data)
        (own / path).write_text(json.dumps(data, indent=2) + "\n")
    else:
        change_row(own / path, change)
    forge(own, path)
    assert f"{RESULTS}/training/grpo-seed0/{subject}" in looked_at(own, graph)


def graded(own: Path, part: str) -> Iterator[Claim]:
    manifest = manifest_of(own)
    config = parse_config(manifest.config, MANIFEST_FILE)
    files = [each for each in Rows(own, manifest, config).to_check() if f"/{part}/" in each.path]
    trust = Trust(own, manifest, everything=True)
    yield from check_grades(files, config.judge, "limits", trust, workers=2, advance=lambda _: None)


def test_a_forged_verdict_in_practice_or_of_an_agents_answer_is_found_by_judging_again(own: Path) -> None:
    samples = f"{RESULTS}/training/grpo-seed0/samples.jsonl"
    change_row(own / samples, lambda row: row.update(correct=not row["correct"]), line=3)
    traces = f"{RESULTS}/agentic/base/families.test.resample.0.jsonl"
    change_row(
        own / traces, lambda row: row["steps"][0].update(correct=not row["steps"][0]["correct"]), line=2
    )
    forge(own, samples, traces)
    for part, path, place in (("training", samples, "line 3"), ("agentic", traces, "line 2")):
        failing = [claim for claim in graded(own, part) if not claim.holds]
        assert [(claim.subject, claim.state) for claim in failing] == [(path, "different")]
        assert place in failing[0].place
        assert "correct is" in failing[0].place


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("prepare-datasets", "tiny_families/strings.yaml"),
        ("run-rollouts", "resources/prompts/completion_v1.j2"),
    ],
)
def test_programs_that_come_with_a_record_are_run_only_where_they_are_trusted(
    own: Path, graph: Graph, command: str, name: str
) -> None:
    with (own / name).open("a") as stream:
        stream.write("# changed\n" if name.endswith("yaml") else "{# changed #}")
    manifest = manifest_of(own)
    inputs = [
        each.model_copy(update={"sha256": sha256_file(own / name), "bytes": (own / name).stat().st_size})
        if each.path == name
        else each
        for each in manifest.inputs
    ]
    forge(own, inputs=tuple(inputs))
    claims = made_again(own, graph, command, trusted=False)
    assert {claim.state for claim in claims} == {"unchecked"}
    assert all("--trust-code" in claim.place for claim in claims)
    assert outcome_of(claims) == "not all checked"


def test_a_config_that_leads_out_of_the_record_is_refused(own: Path, tmp_path: Path) -> None:
    manifest = manifest_of(own)
    config = json.loads(json.dumps(manifest.config))
    config["tasksets"]["families"]["definitions"] = "../../home"
    changed = manifest.model_copy(update={"config": config})
    with pytest.raises(InputError, match=r"tasksets\.families\.definitions: names '../../home'"):
        graph_of(changed, own, tmp_path / "graph")


def test_words_of_a_config_slip_no_job_into_the_graph(own: Path, graph: Graph, tmp_path: Path) -> None:
    manifest = manifest_of(own)
    title = "x\n\nrule award:\n    output: results/tiny/award.md\n    shell:\n        touch escaped\n"
    changed = manifest.model_copy(update={"config": {**manifest.config, "title": title}})
    again = graph_of(changed, own, tmp_path / "graph")
    assert {job.rule for job in again.jobs} == {job.rule for job in graph.jobs}
    assert "escaped" not in {word for job in again.jobs for word in job.command}
    assert not files_of(tmp_path, end="escaped")


def drawn_again(own: Path, graph: Graph, name: str, tier: DrawnTier) -> dict[str, Claim]:
    """What comes of making one file again: the graph without the tier's other jobs."""
    manifest = manifest_of(own)
    workspace = Workspace(own, manifest, graph, own.parent / "again", Trust(own, manifest, everything=True))
    jobs = [
        job
        for job in graph.jobs_over(manifest)
        if name in job.outputs or job.command[1] not in COMMANDS[tier]
    ]
    claims = check_within(workspace, jobs, tier, None, lambda some, _: some)
    return {claim.subject: claim for claim in claims if claim.state != "exact"}


def test_other_completions_are_within_interval_while_their_numbers_are(own: Path, graph: Graph) -> None:
    name = f"{RESULTS}/rollouts/base/families.test.0.jsonl"
    change_row(own / name, lambda row: row.update(completion=row["completion"] + "\n# other"))
    forge(own, name)
    found = drawn_again(own, graph, name, "generate")
    assert found.keys() == {name}
    assert found[name].state == "within interval"
    assert found[name].place.startswith("line 1: completion is")
    assert outcome_of(found.values()) == "holds"


def test_other_completions_are_different_once_a_number_leaves_its_interval(own: Path, graph: Graph) -> None:
    name, metrics = (
        f"{RESULTS}/rollouts/base/families.test.0.jsonl",
        f"{RESULTS}/metrics/base/families.test.json",
    )
    change_row(own / name, lambda row: row.update(completion=row["completion"] + "\n# other"))
    data = json.loads((own / metrics).read_text())
    data["outcomes"][0]["pass_at_k"][0]["estimate"].update(value=0.99, low=0.98, high=1.0)
    (own / metrics).write_text(json.dumps(data, indent=2) + "\n")
    forge(own, name, metrics)
    found = drawn_again(own, graph, name, "generate")
    number = f"{metrics}: outcomes.0.pass_at_k.0.estimate.value"
    assert found.keys() == {name, number}
    assert {claim.state for claim in found.values()} == {"different"}
    assert "and was 0.99 in 0.98 to 1" in found[number].place
    assert number in found[name].place


def test_a_policy_that_was_trained_again_is_held_against_the_recorded_gains(own: Path, graph: Graph) -> None:
    name = f"{RESULTS}/training/grpo-seed0/policy/model.json"
    data = json.loads((own / name).read_text())
    data["parsable"] += 1e-9
    (own / name).write_text(json.dumps(data, indent=2) + "\n")
    forge(own, name)
    found = drawn_again(own, graph, name, "train")
    assert found.keys() == {name}
    assert found[name].state == "within interval"
    assert "numbers that follow stay inside" in found[name].place


def test_weights_in_an_archive_are_those_that_the_record_of_the_model_names(own: Path) -> None:
    path = f"{RESULTS}/models/tiny/model.json"
    model = ModelRecord(
        name="tiny",
        source=LocalModel(source="local", path="tiny"),
        architecture="none",
        parameters=1,
        weights_sha256=sha256_bytes(b"right"),
        tokenizer_sha256="0" * 64,
        files={"model.safetensors": sha256_bytes(b"right")},
    )
    weights = own / RESULTS / "models/tiny/model.safetensors"
    weights.parent.mkdir(parents=True)
    for content, states in ((b"right", set()), (b"wrong", {"different"})):
        weights.write_bytes(content)
        forge(own, models={path: model})
        assert {claim.state for claim in check_bytes(own) if not claim.holds} == states


@pytest.mark.parametrize(
    "place", ["../outside/model.json", "/etc/model.json", "a/./model.json", "a\x1b[2J.json"]
)
def test_a_manifest_names_no_place_outside_its_record(own: Path, place: str) -> None:
    data = json.loads((own / MANIFEST_FILE).read_text())
    for change in ({"artifacts": [{**data["artifacts"][0], "path": place}]}, {"results": place}):
        (own / MANIFEST_FILE).write_text(json.dumps({**data, **change}))
        claims = [claim for claim in check_bytes(own) if claim.subject == MANIFEST_FILE]
        assert [claim.state for claim in claims] == ["different", "different"]
        assert "no plain path inside the record" in claims[0].place
