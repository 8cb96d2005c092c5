"""The graph makes everything once, makes anew what changed and nothing else, and survives being killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
import yaml

from codeself.provenance.comparing import compare_runs
from tests.workflow.conftest import Project

INDEX = {"index_reports", "make_manifest", "describe_record", "make_archive", "all"}
REPORTS = {"baseline_report"} | INDEX
# What is sampled from a policy, and all that follows from it.
AFTER_TRAINING = {
    *("run_rollouts", "open_locked_tests", "final_evaluation", "evaluate_rollouts"),
    *("compare_policies", "compare_training", "evidence_report"),
    *("run_agentic", "agentic_report", "trace_page"),
} | REPORTS
# The base's own rates are what the plan is made from.
EVALUATION = {"evaluate_rollouts", "plan", "plan_report", "train"} | AFTER_TRAINING
JUDGING = {"execute_rollouts"} | EVALUATION


def changed(text: str) -> str:
    return text + "\n_CHANGED = True\n"


def commented(text: str) -> str:
    docstring = '"""'
    assert text.startswith(docstring)
    return docstring + "In other words: " + text.removeprefix(docstring) + "\n# and a remark\n"


def test_one_run_makes_every_artifact_and_the_index_names_the_reports(finished: Project) -> None:
    made = set(finished.artifacts())
    assert {
        "tasks/families.jsonl",
        "tasks/families.validation.json",
        "tasks/families.audit.json",
        "splits/families.json",
        "rollouts/base/families.test.0.jsonl",
        "rollouts/base/families.test.1.jsonl",
        "verdicts/base/families.test.0.0.jsonl",
        "verdicts/base/families.test.1.1.jsonl",
        "metrics/base/families.test.json",
        "metrics/base/families.test.tasks.csv",
        "plan.json",
        "training/grpo-seed0/done.json",
        "training/grpo-seed0/metrics.jsonl",
        "training/random-reward-seed0/policy/model.json",
        "metrics/grpo-seed0/families.test.json",
        "comparisons/families.test.json",
        "reports/evidence.html",
        "reports/training.html",
        "reports/baseline.md",
        "reports/baseline.html",
        "reports/index.html",
        "reports/all",
    } <= made
    assert {name for name in made if name.startswith("models/")} == set()
    index = json.dumps(json.loads(finished.artifacts()["reports/all"]))
    assert "evidence.html" in index
    assert "baseline.html" in index
    assert "baseline.md" in index


def test_a_second_run_does_nothing(project: Project) -> None:
    before = project.artifacts()
    assert "Nothing to be done" in project.make_everything()
    assert project.artifacts() == before


@pytest.mark.parametrize(
    ("module", "stale"),
    [
        ("cli/index_reports.py", INDEX),
        ("reports/baseline.py", REPORTS),
        ("agents/episode.py", {"run_agentic", "agentic_report", "trace_page"} | INDEX),
        # Arms that answer once practise without it.
        ("agents/revising.py", {"run_agentic", "agentic_report", "trace_page"} | INDEX),
        ("reports/trace_page.py", {"trace_page"} | INDEX),
        ("analysis/pass_at_k.py", EVALUATION),
        ("learning/advantages.py", ({"train"} | AFTER_TRAINING) - {"baseline_report"}),
        ("sandbox/judge.py", {"audit_tasks"} | JUDGING),
        ("tasks/splits.py", {"split_tasks", "run_rollouts"} | JUDGING),
    ],
)
def test_an_edit_of_one_module_reruns_exactly_its_stages(
    project: Project, module: str, stale: set[str]
) -> None:
    project.edit(module, changed)
    assert project.stale_rules() == stale


def test_an_edit_of_words_or_of_code_that_no_stage_here_runs_reruns_nothing(project: Project) -> None:
    for module in ("records/jsonl.py", "sandbox/judge.py", "reports/baseline.py", "cli/run_rollouts.py"):
        project.edit(module, commented)
    for module in ("tasks/formats/mbpp.py", "policies/transformers.py", "learning/language_model.py"):
        project.edit(module, changed)
    assert project.stale_rules() == set()


def test_an_edit_of_a_prompt_reruns_what_follows_from_it(project: Project) -> None:
    with (project.folder / "resources" / "prompts" / "completion_v1.j2").open("a") as stream:
        stream.write("\n")
    assert project.stale_rules() == {"run_rollouts"} | JUDGING


def test_a_changed_setting_reruns_the_stages_that_it_is_for(project: Project) -> None:
    config = project.folder / "config" / "tiny.yaml"
    config.write_text(config.read_text().replace("resamples: 200", "resamples: 300"))
    assert project.stale_rules() == EVALUATION


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("plan", {"margin": 0.05}),
        ("practice", {"steps": 3}),
        ("reward", "codeself.rewards:reward_v0_correctness"),
    ],
)
def test_a_change_of_what_the_plan_declares_makes_training_and_the_final_evaluation_stale(
    project: Project, key: str, value: object
) -> None:
    project.configure(key, value)
    assert {
        "plan",
        "train",
        "open_locked_tests",
        "final_evaluation",
        "compare_policies",
    } <= project.stale_rules()


def test_locked_tests_are_read_again_only_by_name_and_the_report_says_so(project: Project) -> None:
    # Slow: practice, sampling and judging twice over.
    seen = project.artifacts()
    project.configure("practice", {"steps": 3})
    refused = project.snakemake()
    assert refused.returncode != 0
    log = project.results / "logs" / "open_locked_tests" / "base" / "families.test.log"
    assert (
        "have been read with answers of policy 'base', and this plan was made after that" in log.read_text()
    )
    unread = [name for name in seen if name.startswith(("verdicts/", "locked_reads/")) and ".test." in name]
    assert {name: seen[name] for name in unread} == {name: project.artifacts()[name] for name in unread}
    project.configure("locked_reads", ["three steps"])
    project.make_everything()
    report = (project.results / "reports" / "evidence.md").read_text()
    for policy in ("base", "grpo-seed0", "random-reward-seed0"):
        assert f"with answers of `{policy}`, 2 times, the later reading asked for as “three steps”" in report
    host = json.loads((project.results / "archive" / "host.json").read_text())
    assert sorted({row["number"] for row in host["locked_reads"]}) == [1, 2]
    assert host["costs"]["final_evaluation"]["jobs"] == 12
    assert project.stale_rules() == set()


def test_a_gain_is_looked_for_on_variants_of_the_tasks(project: Project) -> None:
    # Slow: three task sets more are answered and judged.
    own = yaml.safe_load((project.folder / "config" / "tiny.yaml").read_text())["tasksets"]["families"]
    variants = {
        "families_renamed": {"renamed": True},
        "families_two": {"examples": 2},
        "families_permuted": {"examples": 2, "permuted": True},
    }
    project.configure(
        "tasksets", {name: {"format": "families", **own, **more} for name, more in variants.items()}
    )
    project.configure("evaluations", [{"taskset": name, "split": "test"} for name in ("families", *variants)])
    done = project.snakemake("results/tiny/reports/evidence.md")
    assert done.returncode == 0, done.stdout
    report = (project.results / "reports" / "evidence.md").read_text()
    rows = [line for line in report.splitlines() if line.startswith("| `grpo` | `families_")]
    assert [row.split(" | ")[1].strip("`") for row in rows] == list(variants)
    shown = {
        name: [
            json.loads(line)["starter_code"] for line in (project.results / "tasks" / f"{name}.jsonl").open()
        ]
        for name in ("families_two", "families_permuted")
    }
    for before, after in zip(*shown.values(), strict=True):
        assert before != after
        assert sorted(before.splitlines()) == sorted(after.splitlines())


def test_two_runs_in_different_places_give_the_same_bytes(finished: Project, fresh_project: Project) -> None:
    # Slow: a whole run. One core instead of all, so that jobs run in another order.
    done = fresh_project.snakemake("--cores", "1")
    assert done.returncode == 0, done.stdout
    first, second = finished.artifacts(), fresh_project.artifacts()
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    claims = list(compare_runs(finished.results, fresh_project.results))
    assert [str(claim) for claim in claims if not claim.holds] == []
    marks = {name for name in first if name.endswith(".snakemake_timestamp")}
    assert {claim.subject for claim in claims if claim.state == "exact"} == first.keys() - marks


@pytest.fixture
def killed(project: Project) -> Project:
    """A project whose run was killed without warning while it was judging."""
    for made in ("verdicts", "metrics", "reports"):
        shutil.rmtree(project.results / made)
    log = project.results / "logs" / "final_evaluation" / "base" / "families.test.0.0.log"
    log.unlink()
    process = subprocess.Popen(
        project.command("--cores", "2"),
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _wait_until(lambda: log.exists() or process.poll() is not None)
    assert process.poll() is None, "the run ended before it could be killed"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return project


def _wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def test_a_kill_in_the_middle_is_made_good_by_the_next_run(finished: Project, killed: Project) -> None:
    # As `make run` does: first the locks, then the run.
    subprocess.run(
        [sys.executable, "-m", "codeself.provenance.stale_locks"],
        cwd=killed.folder,
        env=killed.environment,
        check=True,
    )
    killed.make_everything()
    assert killed.artifacts() == finished.artifacts()
    assert killed.stale_rules() == set()


def test_after_a_kill_a_direct_run_says_what_to_do(killed: Project) -> None:
    refused = killed.snakemake()
    assert refused.returncode != 0
    assert "--unlock" in refused.stdout
