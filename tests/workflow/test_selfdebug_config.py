"""The example that practises revising: which jobs read the template of revisions, and who attempts."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

TEMPLATE = "resources/prompts/revise_completion_v1.j2"


@pytest.fixture(scope="module")
def jobs(root: Path) -> dict[str, list[str]]:
    return jobs_of(root)


def jobs_of(root: Path, *options: str) -> dict[str, list[str]]:
    """What a dry run prints of each rule's jobs."""
    snakemake = str(Path(sys.executable).parent / "snakemake")
    words = [snakemake, "--configfile", "config/selfdebug.yaml", *options]
    words += ["--dry-run", "--forceall", "--nolock", "--printshellcmds"]
    ran = subprocess.run(words, cwd=root, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, list[str]] = {}
    for part in re.split(r"^(?:local)?rule ", ran.stdout, flags=re.MULTILINE)[1:]:
        found.setdefault(part.partition(":")[0], []).append(part)
    return found


def inputs(job: str) -> str:
    return job[job.index("input:") : job.index("output:")]


def test_the_plan_and_the_arm_that_revises_read_the_template_and_no_other_run_does(
    jobs: dict[str, list[str]],
) -> None:
    (plan,) = jobs["plan"]
    assert TEMPLATE in inputs(plan)
    assert f"--revision-prompt {TEMPLATE}" in plan
    training = {re.search(r"trained=(\S+)", job)[1]: job for job in jobs["train"]}  # type: ignore[index]
    assert set(training) == {"grpo-seed0", "grpo-selfdebug-seed0"}
    assert TEMPLATE in inputs(training["grpo-selfdebug-seed0"])
    assert f"--revision-prompt {TEMPLATE}" in training["grpo-selfdebug-seed0"]
    assert "revise" not in training["grpo-seed0"]


def test_base_and_both_arms_attempt_both_ways(jobs: dict[str, list[str]]) -> None:
    made = {
        (words[1], words[2])
        for job in jobs["run_agentic"]
        if (words := re.search(r"--policy (\S+) --strategy (\S+)", job))
    }
    policies = ("base", "grpo-seed0", "grpo-selfdebug-seed0")
    assert made == {(policy, strategy) for policy in policies for strategy in ("self-debug", "resample")}
    assert len(jobs["evaluate_rollouts"]) >= len(policies)


def test_the_record_holds_the_template_without_any_attempt_too(root: Path) -> None:
    (manifest,) = jobs_of(root, "--config", 'agentic={"policies": []}')["make_manifest"]
    assert TEMPLATE in inputs(manifest)
