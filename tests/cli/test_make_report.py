"""make-report, from metrics files to pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from codeself.cli.evaluate_rollouts import command as evaluate
from codeself.cli.make_report import command
from codeself.records.digests import sha256_file
from codeself.records.errors import InputError
from tests.evaluations import made_up


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Metrics and per-task tables of two evaluations."""
    folder = tmp_path_factory.mktemp("report")
    for name, families in (("one", 4), ("two", 5)):
        made_up(families=families, variants=2, samples=3, taskset=name).write(folder / name, shards=1)
        evaluate(
            tasks=folder / name / "tasks.jsonl",
            rollouts=[folder / name / "rollouts.0.jsonl"],
            verdicts=[folder / name / "verdicts.0.jsonl"],
            splits=folder / name / "splits.json",
            split="test",
            output=folder / name / "metrics.json",
            per_task=folder / name / "tasks.csv",
            resamples=100,
        )
    return folder


def arguments(folder: Path, out: Path, **changes: Any) -> dict[str, Any]:
    return {
        "metrics": [folder / name / "metrics.json" for name in ("one", "two")],
        "per_task": [folder / name / "tasks.csv" for name in ("one", "two")],
        "splits": [folder / "one" / "splits.json"],
        "title": "Two evaluations",
        "output_md": out / "baseline.md",
        "output_html": out / "baseline.html",
        "figures": out / "figures",
    } | changes


def test_both_pages_and_every_figure_are_written(folder: Path, tmp_path: Path) -> None:
    command(**arguments(folder, tmp_path))
    text, page = (tmp_path / "baseline.md").read_text(), (tmp_path / "baseline.html").read_text()
    for name in ("one", "two"):
        assert f"\n## {name}, test split\n" in text
        assert f'<section id="{name}-test-split">' in page
        assert sha256_file(folder / name / "metrics.json") in text
    figures = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert len(figures) >= 10
    for name in figures:
        assert f"](figures/{name})" in text
    assert str(tmp_path) not in text + page
    assert str(folder) not in text + page


def test_a_table_of_another_evaluation_is_refused(folder: Path, tmp_path: Path) -> None:
    swapped = [folder / name / "tasks.csv" for name in ("two", "one")]
    with pytest.raises(InputError, match=r"tasks.csv: has 10 tasks, and .*metrics.json has 8"):
        command(**arguments(folder, tmp_path, per_task=swapped))
    with pytest.raises(InputError, match="--per-task: 1 given for 2 --metrics"):
        command(**arguments(folder, tmp_path, per_task=swapped[:1]))
    assert list(tmp_path.iterdir()) == []
