"""Two runs side by side: what differs is named, what is exempt has its reason, and nothing else is let off."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codeself.provenance.comparing import compare_runs
from codeself.records.errors import InputError

FILES = {
    "archive/manifest.json": "{}",
    "archive/host.json": '{"memory_mb": 1}',
    "benchmarks/train/a.tsv": "1.5",
    "logs/train/a.log": "at nine",
    "metrics/base/a.json": '{"main": [{"value": 0.5}]}',
    "reports/figures/.snakemake_timestamp": "",
    "models/a/model.safetensors": "weights",
}


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    for name, text in FILES.items():
        (tmp_path / "one" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "one" / name).write_text(text)
    shutil.copytree(tmp_path / "one", tmp_path / "other")
    return tmp_path / "one", tmp_path / "other"


def states(one: Path, other: Path) -> dict[str, tuple[str, str]]:
    return {claim.subject: (claim.state, claim.place) for claim in compare_runs(one, other)}


def test_times_and_the_host_are_exempt_and_nothing_else_is(runs: tuple[Path, Path]) -> None:
    one, other = runs
    for name in FILES:
        with (other / name).open("a") as stream:
            stream.write(" ")
    found = states(one, other)
    exempt = {name for name, (state, _) in found.items() if state == "exempt"}
    assert exempt == {
        "archive/host.json",
        "benchmarks/train/a.tsv",
        "logs/train/a.log",
        "reports/figures/.snakemake_timestamp",
    }
    assert all(found[name][1] for name in exempt)
    assert {state for name, (state, _) in found.items() if name not in exempt} == {"different"}


def test_a_value_is_named_by_its_path_and_a_file_by_the_run_that_lacks_it(runs: tuple[Path, Path]) -> None:
    one, other = runs
    (other / "metrics/base/a.json").write_text('{"main": [{"value": 0.25}]}')
    (other / "models/a/model.safetensors").unlink()
    (other / "extra.md").write_text("")
    found = states(one, other)
    assert found["metrics/base/a.json"] == ("different", "main[0].value is 0.25, and was 0.5")
    assert found["models/a/model.safetensors"][0] == "missing"
    assert found["extra.md"][0] == "added"


def test_a_folder_without_a_record_is_refused(runs: tuple[Path, Path]) -> None:
    (runs[1] / "archive" / "manifest.json").unlink()
    with pytest.raises(InputError, match="has no record in it"):
        list(compare_runs(*runs))


def test_the_exit_code_and_the_written_claims_say_what_was_found(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    one, other = runs
    output = tmp_path / "claims.json"

    def compared() -> tuple[int, str, dict[str, object]]:
        command = [sys.executable, "-m", "codeself", "compare-records", str(one), str(other)]
        done = subprocess.run([*command, "--json", str(output)], capture_output=True, text=True)
        return done.returncode, done.stdout, json.loads(output.read_text())

    code, words, written = compared()
    assert (code, written["outcome"], written["exit_code"]) == (0, "holds", 0)
    assert "1  exempt: the machine, and what the run cost on it" in words
    (other / "metrics/base/a.json").write_text('{"main": [{"value": 0.25}]}')
    code, words, written = compared()
    assert (code, written["outcome"], written["counts"]) == (
        1,
        "differs",
        {"against": {"exact": 2, "exempt": 4, "different": 1}},
    )
    assert "metrics/base/a.json: main[0].value is 0.25, and was 0.5" in words
