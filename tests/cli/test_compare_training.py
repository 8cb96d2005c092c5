"""compare-training, from the files of training runs to pages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from codeself.cli.compare_training import command
from codeself.records.digests import sha256_file
from codeself.records.errors import InputError
from codeself.records.jsonl import write_record, write_records
from tests.analysis.made_runs import made_run, made_step, made_timings, with_critic
from tests.experiments import experiment

RUNS = ("grpo-seed0", "grpo-seed1", "ppo-seed0")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan, and three training runs that had it."""
    folder = tmp_path_factory.mktemp("training")
    made = experiment(folder, {"grpo": 0.0, "ppo": 0.0}, families=6, variants=1, samples=2)
    made.declare()
    digest = sha256_file(made.plan)
    steps = [made_step(place, 2 * place + 1) for place in range(4)]
    for run in (
        made_run("grpo", steps, 0, digest),
        made_run("grpo", [made_step(place, 3) for place in range(4)], 1, digest),
        made_run("ppo", [with_critic(step) for step in steps], 0, digest),
    ):
        own = folder / "training" / run.name
        write_record(own / "done.json", run.record)
        write_records(own / "metrics.jsonl", run.steps)
        write_records(folder / "benchmarks" / f"{run.name}.steps.jsonl", made_timings(4))
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """An experiment of the test's own."""
    shutil.copytree(finished, tmp_path / "made")
    return tmp_path / "made"


def arguments(folder: Path, runs: Sequence[str] = RUNS, **changes: Any) -> dict[str, Any]:
    out = folder / "out"
    return {
        "plan": folder / "plan.json",
        "training": [folder / "training" / run / "done.json" for run in runs],
        "metrics": [folder / "training" / run / "metrics.jsonl" for run in runs],
        "timings": [folder / "benchmarks" / f"{run}.steps.jsonl" for run in runs],
        "output_md": out / "reports" / "training.md",
        "output_html": out / "reports" / "training.html",
        "figures": out / "reports" / "training_figures",
        "output_costs": out / "benchmarks" / "training.md",
        "title": "Made up",
    } | changes


def written(folder: Path) -> dict[str, bytes]:
    out = folder / "out"
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def test_pages_figures_and_costs_are_written(folder: Path) -> None:
    command(**arguments(folder))
    files = written(folder)
    text, page = files["reports/training.md"].decode(), files["reports/training.html"].decode()
    assert text.startswith("# Made up: how the arms practised\n")
    for run in RUNS:
        for name in ("done.json", "metrics.jsonl"):
            digest = sha256_file(folder / "training" / run / name)
            assert f"| `{run}/{name}` | `{digest}` |" in text
            assert digest in page
    figures = [name for name in files if name.startswith("reports/training_figures/")]
    assert len(figures) >= 20
    for name in figures:
        assert f"]({name.removeprefix('reports/')})" in text
    assert "[`benchmarks/training.md`](../benchmarks/training.md)" in text
    assert '<a href="../benchmarks/training.md">' in page
    assert "[`reports/evidence`](evidence.md)" in text
    assert '<a href="evidence.html">' in page
    assert str(folder) not in text + page + files["benchmarks/training.md"].decode()


def test_the_report_is_the_same_bytes_whatever_the_seconds(folder: Path) -> None:
    command(**arguments(folder))
    before = written(folder)
    shutil.rmtree(folder / "out")
    write_records(folder / "benchmarks" / "ppo-seed0.steps.jsonl", made_timings(4, sampling=77.0))
    command(**arguments(folder))
    after = written(folder)
    assert before.keys() == after.keys()
    assert [name for name in before if before[name] != after[name]] == ["benchmarks/training.md"]
    assert b"77.00" in after["benchmarks/training.md"]


def test_asked_rates_and_window_are_used(folder: Path) -> None:
    command(**arguments(folder, rate=[0.9, 0.5], window=1))
    text = (folder / "out" / "reports" / "training.md").read_text()
    assert "| run | to 50\u00a0% | to 90\u00a0% |" in text
    # 1, 3, 5 and 7 of 8 right.
    assert "| `ppo-seed0` | 24 (step 2) | not reached |" in text


def test_runs_of_different_plans_are_refused(folder: Path) -> None:
    done = folder / "training" / "ppo-seed0" / "done.json"
    done.write_text(json.dumps(json.loads(done.read_text()) | {"plan_sha256": "00" * 32}))
    with pytest.raises(InputError, match=r"ppo-seed0/done\.json: was trained under another plan \(0{12}…"):
        command(**arguments(folder))
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    "name",
    [
        "plan.json",
        "training/grpo-seed1/done.json",
        "training/grpo-seed1/metrics.jsonl",
        "benchmarks/grpo-seed1.steps.jsonl",
    ],
)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InputError, match=rf"{name}: cannot be read: No such file"):
        command(**arguments(folder))
    assert not (folder / "out").exists()


def test_a_run_without_a_step_is_refused(folder: Path) -> None:
    (folder / "training" / "grpo-seed0" / "metrics.jsonl").write_text("")
    with pytest.raises(InputError, match=r"grpo-seed0/metrics\.jsonl: has no step; expected one row a step"):
        command(**arguments(folder))


def test_a_line_that_is_no_step_is_named(folder: Path) -> None:
    rows = folder / "training" / "grpo-seed0" / "metrics.jsonl"
    first, second, *rest = rows.read_text().splitlines()
    rows.write_text("\n".join([first, second.replace('"completions":8', '"completions":"x"'), *rest]))
    with pytest.raises(InputError, match=r"grpo-seed0/metrics\.jsonl, line 2: completions"):
        command(**arguments(folder))


def test_rows_of_another_run_are_refused(folder: Path) -> None:
    rows = folder / "training" / "ppo-seed0" / "metrics.jsonl"
    lines = rows.read_text().splitlines()
    rows.write_text("\n".join(lines[:-1]))
    with pytest.raises(InputError, match=r"metrics\.jsonl: its rows make steps 3, and .*done\.json says 4"):
        command(**arguments(folder))
    rows.write_text("\n".join([lines[0], *lines[:-1]]))
    with pytest.raises(InputError, match=r"metrics\.jsonl: row 2 is of step 0; expected step 1"):
        command(**arguments(folder))
    rows.write_text("\n".join([lines[0].replace('"wasted":2', '"wasted":3'), *lines[1:]]))
    with pytest.raises(InputError, match=r"metrics\.jsonl: its rows make wasted 9, and .*done\.json says 8"):
        command(**arguments(folder))


def test_settings_that_no_config_has_are_named(folder: Path) -> None:
    done = folder / "training" / "ppo-seed0" / "done.json"
    record = json.loads(done.read_text())
    record["settings"]["loss"]["clip_low"] = 4
    done.write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"ppo-seed0/done\.json: settings\.loss\.clip_low"):
        command(**arguments(folder))


def test_seconds_of_other_steps_are_refused(folder: Path) -> None:
    write_records(folder / "benchmarks" / "ppo-seed0.steps.jsonl", made_timings(3))
    with pytest.raises(
        InputError, match=r"ppo-seed0\.steps\.jsonl: has 3 rows; expected one for each of the 4"
    ):
        command(**arguments(folder))


def test_each_run_enters_once_with_all_its_files(folder: Path) -> None:
    with pytest.raises(InputError, match=r"done\.json: is of run ppo-seed0, as .*done\.json is"):
        command(**arguments(folder, ["ppo-seed0", "ppo-seed0"]))
    with pytest.raises(InputError, match="--metrics: 2 given for 3 --training; expected one each"):
        command(**arguments(folder, metrics=arguments(folder)["metrics"][:2]))
