"""The record of a real run: whole, the same bytes again, and true to the last row when somebody changes it."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from codeself.provenance.archive import left_out
from codeself.provenance.checking_bytes import check_bytes
from codeself.provenance.unpacking import unpack
from codeself.records.archiving import ArchiveConfig
from codeself.records.digests import sha256_file, sha256_json
from codeself.records.jsonl import read_record
from codeself.records.manifest import MANIFEST_FILE, HostFacts, Manifest
from codeself.records.verification import Verification
from tests.workflow.conftest import Project
from tests.workflow.forging import describe_again, files_of, forge

TAMPERINGS = 200


@pytest.fixture(scope="module")
def record(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked archive of the small experiment: to copy, not to change."""
    return unpack(finished.results / "archive" / "codeself.tar.gz", tmp_path_factory.mktemp("record"))


@pytest.fixture
def own(record: Path, tmp_path: Path) -> Path:
    """A record of the test's own."""
    return Path(shutil.copytree(record, tmp_path / "own"))


def verify(folder: Path, *arguments: str, trusted: bool = True) -> subprocess.CompletedProcess[str]:
    """The small experiment has families of its own, which run where they are trusted."""
    command = [
        sys.executable,
        "-m",
        "codeself",
        "verify",
        str(folder),
        *["--trust-code"] * trusted,
        *arguments,
    ]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_manifest_has_every_artifact_and_the_job_that_made_it(finished: Project) -> None:
    manifest = read_record(finished.results / "archive" / MANIFEST_FILE, Manifest)
    listed = {manifest.inside(each.path) for each in manifest.artifacts}
    made = {name for name in finished.artifacts() if not name.startswith("archive/")}
    assert {name for name in made if not name.endswith(".snakemake_timestamp")} == listed
    assert [each.path for each in manifest.artifacts if each.job is None] == []
    assert set(manifest.isolation) <= {"limits", "restricted", "strict"}


def test_all_that_a_run_made_is_packed_but_for_public_data(finished: Project) -> None:
    manifest = read_record(finished.results / "archive" / MANIFEST_FILE, Manifest)
    assert left_out(manifest, ArchiveConfig()) == set()


def test_what_the_run_cost_and_where_stands_beside_the_record(finished: Project) -> None:
    host = read_record(finished.results / "archive" / "host.json", HostFacts)
    assert {"train", "run_rollouts", "final_evaluation"} <= host.costs.keys()
    assert host.system["kernel"]
    assert host.cpu["flags"]
    text = (finished.results / "archive" / MANIFEST_FILE).read_text()
    assert "peak_mb" not in text
    assert host.system["kernel"] not in text


def test_an_archive_holds_to_the_last_tier(record: Path) -> None:
    # Slow: everything that the run made is made once more.
    done = verify(record, "--tier", "grade")
    assert done.returncode == 0, done.stdout + done.stderr
    for tier in ("bytes", "statistics", "grade"):
        assert f"{tier}: exact" in done.stdout
    assert done.stdout.rstrip().endswith("holds")
    for tier in ("generate", "train"):
        done = verify(record, "--tier", tier)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"{tier}: exact" in done.stdout


def test_what_could_not_be_tried_has_an_exit_code_of_its_own_and_is_written_down(
    own: Path, tmp_path: Path
) -> None:
    prompt = "resources/prompts/completion_v1.j2"
    with (own / prompt).open("a") as stream:
        stream.write("{# another #}")
    given = read_record(own / MANIFEST_FILE, Manifest).inputs
    changes = {"sha256": sha256_file(own / prompt), "bytes": (own / prompt).stat().st_size}
    forge(
        own, inputs=tuple(each.model_copy(update=changes) if each.path == prompt else each for each in given)
    )
    done = verify(own, "--tier", "train", "--json", str(tmp_path / "claims.json"), trusted=False)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "could not be checked" in done.stdout.splitlines()[-1]
    written = read_record(tmp_path / "claims.json", Verification)
    assert (written.outcome, written.exit_code) == ("not all checked", 3)
    assert {claim.state for claim in written.claims if claim.tier == "train"} == {"unchecked"}
    assert all(prompt in claim.place for claim in written.claims if claim.tier == "train")


def a_byte(folder: Path, name: str, draw: random.Random) -> str:
    data = bytearray((folder / name).read_bytes())
    at = draw.randrange(len(data))
    data[at] ^= 1 << draw.randrange(8)
    (folder / name).write_bytes(data)
    return name


def a_row(folder: Path, name: str, draw: random.Random) -> str:
    """One row taken out, doubled, or put elsewhere."""
    lines = (folder / name).read_bytes().splitlines(keepends=True)
    at = draw.randrange(len(lines))
    row = lines.pop(at)
    if draw.random() < 0.6:
        lines.insert(at, row)
        lines.insert(draw.randrange(len(lines)), row)
    (folder / name).write_bytes(b"".join(lines))
    return name


def a_verdict(folder: Path, name: str, draw: random.Random) -> str:
    lines = (folder / name).read_text().splitlines()
    at = draw.randrange(len(lines))
    row = json.loads(lines[at])
    row["correct"] = not row["correct"]
    lines[at] = json.dumps(row, separators=(",", ":"))
    (folder / name).write_text("\n".join(lines) + "\n")
    return f"{name}: line {at + 1} ({row['rollout_id']})"


def a_number(folder: Path, name: str, draw: random.Random) -> str:
    """One digit of a report; its line is named."""
    text = (folder / name).read_text()
    at = draw.choice([at for at, sign in enumerate(text) if sign in "0123456789"])
    changed = draw.choice([digit for digit in "0123456789" if digit != text[at]])
    (folder / name).write_text(text[:at] + changed + text[at + 1 :])
    return f"{name}: line {text.count(chr(10), 0, at) + 1}"


def a_swap(folder: Path, name: str, draw: random.Random) -> str:
    others = [
        each for each in files_of(folder, "results") if each != name and each.endswith(Path(name).suffix)
    ]
    others = [each for each in others if (folder / each).read_bytes() != (folder / name).read_bytes()]
    other = draw.choice(others)
    one, two = (folder / name).read_bytes(), (folder / other).read_bytes()
    (folder / name).write_bytes(two)
    (folder / other).write_bytes(one)
    return name


def a_file_more(folder: Path, name: str, draw: random.Random) -> str:
    new = str(Path(name).with_name(f"added-{draw.randrange(1000)}.jsonl"))
    shutil.copy(folder / name, folder / new)
    return new


def a_file_less(folder: Path, name: str, draw: random.Random) -> str:
    (folder / name).unlink()
    return name


KINDS: list[tuple[Callable[[Path, str, random.Random], str], str, str]] = [
    (a_byte, "", ""),
    (a_row, "results/tiny/rollouts/", ".jsonl"),
    (a_row, "results/tiny/tasks/", ".jsonl"),
    (a_verdict, "results/tiny/verdicts/", ".jsonl"),
    (a_number, "results/tiny/reports/", ".md"),
    (a_number, "results/tiny/metrics/", ".json"),
    (a_swap, "results/tiny/", ".jsonl"),
    (a_file_more, "", ""),
    (a_file_less, "", ""),
]


def test_two_hundred_tamperings_are_found_and_each_is_named_by_its_place(
    record: Path, tmp_path: Path
) -> None:
    assert all(claim.holds for claim in check_bytes(record))
    own, draw = tmp_path / "own", random.Random(7)
    for number in range(TAMPERINGS):
        tamper, start, end = KINDS[number % len(KINDS)]
        shutil.rmtree(own, ignore_errors=True)
        shutil.copytree(record, own)
        name = draw.choice(files_of(own, start, end))
        place = tamper(own, name, draw)
        if sha256_of(own) == sha256_of(record):
            pytest.fail(f"{tamper.__name__} of {name} changed nothing")
        found = [f"{claim.subject}: {claim.place}" for claim in check_bytes(own) if not claim.holds]
        assert any(place in each for each in found), (tamper.__name__, place, found)


def sha256_of(folder: Path) -> dict[str, str]:
    return {name: sha256_file(folder / name) for name in files_of(folder)}


def test_a_forged_number_whose_digests_fit_is_found_by_making_it_again(own: Path) -> None:
    name = "results/tiny/metrics/grpo-seed0/families.test.json"
    metrics = json.loads((own / name).read_text())
    metrics["outcomes"][0]["pass_at_k"][0]["estimate"]["value"] = 0.99
    (own / name).write_text(json.dumps(metrics, indent=2) + "\n")
    forge(own, name)
    assert all(claim.holds for claim in check_bytes(own))
    done = verify(own)
    assert done.returncode == 1
    assert f"{name}: outcomes[0].pass_at_k[0].estimate.value is" in done.stdout
    assert "and was 0.99" in done.stdout


def test_a_forged_verdict_whose_digests_fit_is_found_by_judging_again(own: Path) -> None:
    name = "results/tiny/verdicts/base/families.test.0.0.jsonl"
    place = a_verdict(own, name, random.Random(1))
    forge(own, name)
    done = verify(own, "--tier", "grade")
    assert done.returncode == 1
    assert f"{place}: correct is" in done.stdout


def test_what_an_archives_own_config_keeps_out_is_said_and_no_fault(own: Path) -> None:
    manifest = read_record(own / MANIFEST_FILE, Manifest)
    contents = [part for part in manifest.config["archive"]["contents"] if part != "plan"]
    config = {**manifest.config, "archive": {**manifest.config["archive"], "contents": contents}}
    (own / "results/tiny/plan.json").unlink()
    forge(own, config=config, config_sha256=sha256_json(config))
    describe_again(own)
    done = verify(own, "--every")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "left out        results/tiny/plan.json: the archive's own config keeps it out" in done.stdout
    assert (
        "results/tiny/reports/plan.md: made from results/tiny/plan.json, which the archive's own"
        in done.stdout
    )
    assert "statistics exact           results/tiny/metrics/base/families.test.json" in done.stdout
    assert "claims that were left out" in done.stdout.splitlines()[-1]


def test_an_archive_is_refused_that_has_another_digest_than_was_published(finished: Project) -> None:
    done = verify(finished.results / "archive" / "codeself.tar.gz", "--sha256", "0" * 64, "--tier", "bytes")
    assert done.returncode == 2
    assert "expected a file with 000" in done.stderr
