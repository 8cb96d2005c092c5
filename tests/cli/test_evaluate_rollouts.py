"""evaluate-rollouts, from files to files."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from codeself.cli.evaluate_rollouts import command
from codeself.cli.make_report import command as report
from codeself.records.errors import InfrastructureError, InputError
from codeself.records.jsonl import read_record, read_records, write_records
from codeself.records.metrics import Metrics
from codeself.records.verdicts import PhaseResult, Verdict
from codeself.reports.tables import read_rows
from tests.evaluations import made_up


@pytest.fixture
def files(tmp_path: Path) -> Path:
    made_up(families=5, variants=2, samples=3).write(tmp_path / "in")
    return tmp_path


def arguments(folder: Path, **changes: Any) -> dict[str, Any]:
    source = folder / "in"
    return {
        "tasks": source / "tasks.jsonl",
        "rollouts": [source / "rollouts.0.jsonl", source / "rollouts.1.jsonl"],
        "verdicts": [source / "verdicts.0.jsonl", source / "verdicts.1.jsonl"],
        "splits": source / "splits.json",
        "split": "test",
        "output": folder / "metrics.json",
        "per_task": folder / "tasks.csv",
        "k": [1, 3],
        "resamples": 200,
    } | changes


def test_two_runs_write_the_same_bytes(files: Path) -> None:
    source = files / "in"
    line = [sys.executable, "-m", "codeself", "evaluate-rollouts", "--resamples=200", "--k=1", "--k=3"]
    line += [f"--tasks={source / 'tasks.jsonl'}", f"--splits={source / 'splits.json'}", "--split=test"]
    line += [
        f"--{kind}={source / f'{kind}.{shard}.jsonl'}"
        for kind in ("rollouts", "verdicts")
        for shard in (0, 1)
    ]
    for run in ("a", "b"):
        outputs = [f"--output={files / run / 'metrics.json'}", f"--per-task={files / run / 'tasks.csv'}"]
        subprocess.run([*line, *outputs], check=True, timeout=120)
    for name in ("metrics.json", "tasks.csv"):
        assert (files / "a" / name).read_bytes() == (files / "b" / name).read_bytes()
    metrics = read_record(files / "a" / "metrics.json", Metrics)
    assert (metrics.taskset, metrics.split, metrics.tasks, metrics.completions) == (
        "families",
        "test",
        10,
        40,
    )
    rows = read_rows(files / "a" / "tasks.csv")
    assert sum(row.right_hidden for row in rows) / 30 == pytest.approx(
        next(o for o in metrics.outcomes if o.tests == "hidden").pass_at_k[0].estimate.value
    )


def test_a_missing_shard_is_an_error_that_writes_nothing(files: Path) -> None:
    kept = files / "in" / "verdicts.0.jsonl"
    with pytest.raises(InputError, match="20 of 40 rollouts have no verdict"):
        command(**arguments(files, verdicts=[kept]))
    assert not (files / "metrics.json").exists()
    assert not (files / "tasks.csv").exists()


def spoil(files: Path) -> str:
    """Turns one verdict into an infrastructure fault; returns its rollout's id."""
    path = files / "in" / "verdicts.1.jsonl"
    verdicts = read_records(path, Verdict)
    fault = {"phases": {"import": PhaseResult(status="infrastructure")}, "decided_by": "import"}
    fault |= {"status": "infrastructure", "correct": False, "correct_locked": False}
    write_records(path, [verdicts[0].model_copy(update=fault), *verdicts[1:]])
    return verdicts[0].rollout_id


def test_an_infrastructure_fault_is_an_error_unless_it_is_allowed(files: Path) -> None:
    spoilt = spoil(files)
    with pytest.raises(
        InfrastructureError, match=f"1 of 40 .*first rollout '{spoilt}'; at most 0 are accepted"
    ):
        command(**arguments(files))
    assert not (files / "metrics.json").exists()
    command(**arguments(files, allow_infrastructure=1, k=[1]))
    metrics = read_record(files / "metrics.json", Metrics)
    assert metrics.infrastructure == 1
    assert metrics.reward.candidates == 39


def test_a_split_that_was_not_sampled_whole_is_refused(files: Path) -> None:
    made_up(families=6, variants=2, samples=3).write(files / "larger")
    larger = {
        name: files / "larger" / f"{name}.{end}" for name, end in (("tasks", "jsonl"), ("splits", "json"))
    }
    with pytest.raises(InputError, match="2 of the 12 tasks of split 'test' have no rollout"):
        command(**arguments(files, **larger))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"k": [0]}, "--k: is 0; expected at least 1"),
        ({"confidence": 95.0}, "--confidence: is 95.0; expected a number between 0 and 1"),
        ({"resamples": 10}, "--resamples: is 10"),
        ({"hoped_for_gain": 0.0}, "--hoped-for-gain: is 0.0"),
        ({"split": "validation"}, "--split: 'validation' is none of train, dev, test"),
        ({"split": ""}, "give both, or neither"),
        ({"reward": "reward_v7"}, "reward 'reward_v7'"),
        ({"k": [1, 9]}, "--k 9"),
    ],
)
def test_a_setting_that_makes_no_sense_is_one_line(
    files: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        command(**arguments(files, **changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("families", "variants", "samples", "right"),
    [(1, 1, 1, 0.5), (1, 3, 2, 0.5), (3, 1, 4, 1e-12), (3, 1, 4, 1 - 1e-12)],
    ids=["one task, one sample", "one family", "all wrong", "all right"],
)
def test_extreme_evaluations_have_numbers_and_a_report(
    tmp_path: Path, families: int, variants: int, samples: int, right: float
) -> None:
    made_up(families=families, variants=variants, samples=samples, right=right).write(tmp_path / "in")
    command(**arguments(tmp_path, k=[1]))
    metrics = read_record(tmp_path / "metrics.json", Metrics)
    rate = metrics.main.pass_at_k[0].estimate
    assert 0 <= rate.low <= rate.value <= rate.high <= 1
    assert rate.low < rate.high
    report(
        metrics=[tmp_path / "metrics.json"],
        per_task=[tmp_path / "tasks.csv"],
        output_md=tmp_path / "baseline.md",
        output_html=tmp_path / "baseline.html",
        figures=tmp_path / "figures",
    )
    for name in ("baseline.md", "baseline.html"):
        assert re.findall(r"\b(nan|inf|None)\b", (tmp_path / name).read_text()) == []


def test_a_metric_that_is_no_number_is_named(files: Path) -> None:
    command(**arguments(files))
    path = files / "metrics.json"
    path.write_text(path.read_text().replace('"confidence": 0.95', '"confidence": NaN'))
    with pytest.raises(InputError, match=r"metrics\.json: confidence: .*finite number"):
        read_record(path, Metrics)
