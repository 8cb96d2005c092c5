"""A config that cannot be meant stops the run with one clear line, before any job."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.workflow.conftest import CONFIG, Project


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sampling": {"sampels": 2}}, ["sampling.sampels", "not a known key"]),
        ({"sampling": {"samples": "many"}}, ["sampling.samples", "'many'"]),
        ({"evaluations": [{"taskset": "mpbb"}]}, ["'mpbb'", "tasksets"]),
    ],
    ids=["unknown key", "wrong type", "no such task set"],
)
def test_a_wrong_config_is_one_line(fresh_project: Project, change: dict, words: list[str]) -> None:
    (fresh_project.folder / "config" / "tiny.yaml").write_text(yaml.safe_dump(CONFIG | change))
    refused = fresh_project.snakemake("--dry-run")
    assert refused.returncode != 0
    (line,) = [line for line in refused.stdout.splitlines() if line.startswith("codeself: ")]
    assert all(word in line for word in ["config/tiny.yaml", *words]), line
    assert "Traceback" not in refused.stdout


def test_make_names_a_config_that_does_not_exist(root: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    environment.mkdir()
    for stamp in (".core", ".train", ".dev"):  # an environment that is taken to stand
        (environment / stamp).touch()
    refused = subprocess.run(
        ["make", "--no-print-directory", "run", f"VENV={environment}", "CONFIG=config/mpbb.yaml"],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert refused.returncode != 0
    assert "config/mpbb.yaml" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
