"""The bigger run, as far as a machine without a GPU can say: what its config asks of each job."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def jobs(root: Path) -> dict[str, str]:
    return jobs_of(root)


def jobs_of(root: Path, *options: str) -> dict[str, str]:
    """What a dry run prints of each job, by rule and number."""
    snakemake = str(Path(sys.executable).parent / "snakemake")
    words = ["--workflow-profile", "profiles/gpu", "--dry-run", "--nolock", "--printshellcmds"]
    ran = subprocess.run([snakemake, *words, *options], cwd=root, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    parts = re.split(r"^(?:local)?rule ", ran.stdout, flags=re.MULTILINE)[1:]
    return {f"{part.partition(':')[0]} {number}": part for number, part in enumerate(parts)}


def test_vllm_writes_rollouts_and_transformers_learns_from_the_same_weights(jobs: dict[str, str]) -> None:
    sampling = [text for name, text in jobs.items() if name.startswith("run_rollouts")]
    training = [text for name, text in jobs.items() if name.startswith("train ")]
    assert sampling
    assert training
    for text in sampling:
        assert "--backend vllm" in text
        assert "--gpu-memory 0.85" in text
    for text in training:
        assert "--backend transformers" in text
        assert "--device cuda" in text
        assert "--gpu-memory" not in text
        assert "--model results/gpu/models/qwen " in text


def test_jobs_that_run_the_model_take_turns_on_the_gpu(jobs: dict[str, str]) -> None:
    taking = {name.partition(" ")[0] for name, text in jobs.items() if re.search(r"\bgpu=1\b", text)}
    assert taking == {"run_rollouts", "run_agentic", "train"}


def test_a_run_of_several_processes_is_launched_and_asks_for_as_many_gpus(
    root: Path, jobs: dict[str, str]
) -> None:
    options = ["--config", 'practice={"processes": 2}', "--resources", "gpu=2"]
    several = [text for name, text in jobs_of(root, *options).items() if name.startswith("train ")]
    alone = [text for name, text in jobs.items() if name.startswith("train ")]
    assert len(several) == len(alone) > 0
    for one, two in zip(alone, several, strict=True):
        assert re.search(r"(?:^|Shell command: )codeself train ", one, flags=re.MULTILINE)
        assert re.search(
            r"(?:^|Shell command: )accelerate launch .*--num_processes 2 .* --no_python codeself train ",
            two,
            flags=re.MULTILINE,
        )
        assert re.search(r"\bgpu=2\b", two)
        memory, twice = (int(re.search(r"\bmem_mb=(\d+)", text)[1]) for text in (one, two))  # type: ignore[index]
        assert twice == 2 * memory


def test_the_model_is_fetched_at_a_revision(jobs: dict[str, str]) -> None:
    (text,) = [text for name, text in jobs.items() if name.startswith("fetch_model")]
    assert re.search(r"--id Qwen/Qwen2\.5-Coder-0\.5B-Instruct --revision [0-9a-f]{40}\b", text)
