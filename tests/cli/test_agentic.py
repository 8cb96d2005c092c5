"""run-agentic, report-agentic and view-agent-trace, as a user runs them, and what they say to bad input."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from codeself.records.jsonl import read_record, read_records, write_records
from codeself.records.strategies import StrategyReport
from codeself.records.traces import Trace
from tests.made_tasks import adding_task, write_task_set

SMALL = (
    "--revisions",
    "3",
    "--executions",
    "4",
    "--tokens",
    "128",
    "--max-new-tokens",
    "32",
    "--workers",
    "1",
)


def codeself(root: Path, *words: object, fails: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "codeself", *map(str, words)], cwd=root, capture_output=True, text=True
    )
    if fails:
        assert done.returncode == 2, done.stderr
        assert fails in done.stderr
        assert "Traceback" not in done.stderr
    else:
        assert done.returncode == 0, done.stderr
    return done.stdout


def attempt(root: Path, folder: Path, strategy: str, *words: object, fails: str = "") -> Path:
    output = folder / f"{strategy}.jsonl"
    codeself(
        root, "run-agentic", "--tasks", folder / "tasks.jsonl", "--splits", folder / "splits.json",
        "--split", "test", "--policy", "base", "--backend", "mock", "--strategy", strategy,
        "--output", output, *SMALL, *words, fails=fails,
    )  # fmt: skip
    return output


@pytest.fixture(scope="module")
def made(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("agentic")
    write_task_set(folder, [adding_task(number) for number in range(12)])
    for strategy in ("self-debug", "resample"):
        attempt(root, folder, strategy, "--repair", 0.8)
    return folder


def report(root: Path, folder: Path, *traces: Path, fails: str = "") -> None:
    codeself(
        root, "report-agentic", *(word for path in traces for word in ("--traces", path)),
        "--taskset", "made", "--resamples", 200, "--output", folder / "numbers.json",
        "--output-md", folder / "report.md", "--output-html", folder / "report.html",
        "--figures", folder / "figures", fails=fails,
    )  # fmt: skip


def test_traces_become_a_report(root: Path, made: Path, tmp_path: Path) -> None:
    paths = [made / "self-debug.jsonl", made / "resample.jsonl"]
    report(root, tmp_path, *paths)
    found = read_record(tmp_path / "numbers.json", StrategyReport)
    assert (found.tasks, found.families, found.attempts) == (12, 12, 2)
    traces = read_records(paths[0], Trace)
    (policy,) = found.policies
    assert policy.uses[0].rate.value == pytest.approx(sum(trace.right for trace in traces) / len(traces))
    text = (tmp_path / "report.md").read_text()
    assert "`base`, with at most 128 tokens written in an attempt: self-debug submits a right program" in text
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == [
        f"base-{name}.svg" for name in ("all-tokens", "answers", "executions", "revisions", "tokens")
    ]
    page = (tmp_path / "report.html").read_text()
    assert page.count("<svg") == 5
    assert "<script" not in page
    once = [(tmp_path / name).read_bytes() for name in ("report.md", "report.html", "numbers.json")]
    report(root, tmp_path, *paths)
    assert [(tmp_path / name).read_bytes() for name in ("report.md", "report.html", "numbers.json")] == once


@pytest.mark.parametrize("right", [0, 1], ids=["all wrong", "all right"])
def test_one_task_has_a_report(root: Path, tmp_path: Path, right: int) -> None:
    write_task_set(tmp_path, [adding_task(1)])
    flags = ("--right", right, "--repair", right, "--attempts", 1, "--unparsable", 0, "--spread", 0)
    report(
        root,
        tmp_path,
        *(attempt(root, tmp_path, strategy, *flags) for strategy in ("self-debug", "resample")),
    )
    (policy,) = read_record(tmp_path / "numbers.json", StrategyReport).policies
    for use in policy.uses:
        assert use.rate.value == right
        assert use.rate.low < use.rate.high
    text = (tmp_path / "report.md").read_text()
    assert re.findall(r"\b(nan|inf|None)\b", text) == []


def test_the_same_command_writes_the_same_bytes(root: Path, made: Path, tmp_path: Path) -> None:
    write_task_set(tmp_path, [adding_task(number) for number in range(12)])
    again = attempt(root, tmp_path, "self-debug", "--repair", 0.8)
    assert again.read_bytes() == (made / "self-debug.jsonl").read_bytes()


def test_shards_together_are_the_whole(root: Path, made: Path, tmp_path: Path) -> None:
    write_task_set(tmp_path, [adding_task(number) for number in range(12)])
    rows = []
    for shard in range(3):
        path = attempt(root, tmp_path, "self-debug", "--repair", 0.8, "--shard", shard, "--shards", 3)
        rows += path.read_text().splitlines()
    assert sorted(rows) == sorted((made / "self-debug.jsonl").read_text().splitlines())


def test_one_trace_is_read_in_the_terminal_and_as_markdown(root: Path, made: Path, tmp_path: Path) -> None:
    traces = made / "self-debug.jsonl"
    longest = max(read_records(traces, Trace), key=lambda trace: len(trace.steps))
    shown = codeself(root, "view-agent-trace", "--traces", traces, "--trace", longest.trace_id)
    assert f"Answer {len(longest.steps)}" in shown
    codeself(
        root, "view-agent-trace", "--traces", traces, "--trace", longest.trace_id,
        "--output-md", tmp_path / "trace.md",
    )  # fmt: skip
    text = (tmp_path / "trace.md").read_text()
    assert text.startswith(f"# {longest.trace_id}\n")
    assert text.count("\n## Answer ") == len(longest.steps)
    codeself(root, "view-agent-trace", "--traces", traces, "--output-html", tmp_path / "all.html")
    assert "24 attempts" in (tmp_path / "all.html").read_text()


@pytest.mark.parametrize(
    ("words", "fails"),
    [
        (("--tokens", 8), "a budget of 8 tokens does not hold one answer of 32"),
        (("--revision-prompt", "revise_chat_v1"), "'revise_chat_v1' is in chat style"),
        (("--revision-prompt", "no_such"), "no_such.j2: cannot be read"),
        (("--temperature", 0), "--temperature: is 0.0; expected more than 0"),
        (("--shard", 3, "--shards", 3), "shard 3: expected one from 0 to 2"),
    ],
    ids=["budget", "style", "no template", "temperature", "shard"],
)
def test_bad_settings_are_one_line(root: Path, made: Path, words: tuple[object, ...], fails: str) -> None:
    kept = (made / "self-debug.jsonl").read_bytes()
    attempt(root, made, "self-debug", *words, fails=fails)
    assert (made / "self-debug.jsonl").read_bytes() == kept


def edited(made: Path, folder: Path, **changes: object) -> Path:
    """The resampling traces, the first of them changed."""
    rows = [json.loads(line) for line in (made / "resample.jsonl").read_text().splitlines()]
    rows[0] |= changes
    write_records(folder / "edited.jsonl", [Trace.model_validate(row) for row in rows])
    return folder / "edited.jsonl"


def test_traces_that_do_not_belong_together_are_refused(root: Path, made: Path, tmp_path: Path) -> None:
    debugged = made / "self-debug.jsonl"
    report(root, tmp_path, debugged, fails="policy 'base', strategy resample: has 0 traces")
    report(root, tmp_path, debugged, edited(made, tmp_path, temperature=0.5), fails="temperature is 0.5")
    report(root, tmp_path, debugged, edited(made, tmp_path, rule="last"), fails="rule is last")
    twice = (debugged, made / "resample.jsonl", made / "resample.jsonl")
    report(root, tmp_path, *twice, fails="has 48 traces; expected the same attempts")
    (tmp_path / "bad.jsonl").write_text('{"trace_id": 1}\n')
    report(root, tmp_path, tmp_path / "bad.jsonl", fails="bad.jsonl, line 1: ")


def test_a_trace_that_is_not_there_is_said_to_be_so(root: Path, made: Path) -> None:
    words = ("view-agent-trace", "--traces", made / "self-debug.jsonl", "--trace")
    codeself(root, *words, "nothing", fails="'nothing' fits 0 traces; expected one, as base/made/add_0")
    codeself(root, *words, "add_1", fails="'add_1' fits 6 traces")
