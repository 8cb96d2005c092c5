"""run-rollouts from its command line, in processes of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from codeself.records.jsonl import read_records
from codeself.records.rollouts import Rollout
from tests.made_tasks import adding_task, write_task_set


def codeself(root: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "codeself", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    write_task_set(folder, [adding_task(n, starter=n % 2 == 0) for n in range(1, 9)])
    return folder


def words(made: Path, output: Path, **flags: object) -> list[object]:
    settings = {"split": "test", "policy": "base", "backend": "mock", "samples": 2} | flags
    given: list[object] = ["run-rollouts", "--tasks", made / "tasks.jsonl", "--splits", made / "splits.json"]
    for name, value in settings.items():
        given += [f"--{name.replace('_', '-')}", value]
    return [*given, "--output", output]


def test_a_mock_run_writes_the_same_bytes_twice_and_loads_no_torch(
    root: Path, made: Path, tmp_path: Path
) -> None:
    program = (
        "import sys; from codeself.cli import app; import codeself.cli.run_rollouts;"
        "assert 'torch' not in sys.modules;"
        "app(sys.argv[1:], standalone_mode=False);"
        "assert not {'torch', 'transformers', 'pandas', 'scipy'} & set(sys.modules)"
    )
    for name in ("a", "b"):
        given = list(map(str, words(made, tmp_path / name)))
        ran = subprocess.run(
            [sys.executable, "-c", program, *given], capture_output=True, text=True, cwd=root
        )
        assert ran.returncode == 0, ran.stderr
        assert "sampling: 24 of 24" in ran.stderr
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert len(read_records(tmp_path / "a", Rollout)) == 24
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_shards_together_are_the_whole_split(root: Path, made: Path, tmp_path: Path) -> None:
    ids = []
    for shard in range(3):
        assert codeself(root, *words(made, tmp_path / f"{shard}", shard=shard, shards=3)).returncode == 0
        ids += [rollout.rollout_id for rollout in read_records(tmp_path / f"{shard}", Rollout)]
    assert codeself(root, *words(made, tmp_path / "all")).returncode == 0
    assert sorted(ids) == sorted(rollout.rollout_id for rollout in read_records(tmp_path / "all", Rollout))


def test_reference_answers_in_chat_style(root: Path, made: Path, tmp_path: Path) -> None:
    flags = {"backend": "static", "prompt": "resources/prompts/chat_v1.j2", "samples": 0}
    assert codeself(root, *words(made, tmp_path / "r", **flags)).returncode == 0
    rollouts = read_records(tmp_path / "r", Rollout)
    assert {rollout.prompt_style for rollout in rollouts} == {"chat"}
    assert rollouts[1].completion == adding_task(2).reference_solution


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        ({"temperature": 0}, "--temperature: is 0.0; expected more than 0"),
        ({"top_p": 1.5}, "--top-p: is 1.5; expected more than 0 and at most 1"),
        ({"right": 0.9, "unparsable": 0.3}, "mock policy: right is 0.9, unparsable 0.3"),
        ({"backend": "transformers"}, "--model: is missing"),
        ({"prompt": "sonnet"}, "resources/prompts/sonnet.j2: cannot be read"),
        ({"split": "dev"}, "split 'dev' of task set 'made' has no task"),
        ({"shard": 2, "shards": 2}, "shard 2: expected one from 0 to 1"),
        ({"backend": "static", "answers": "nowhere.jsonl"}, "nowhere.jsonl: cannot be read"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    root: Path, made: Path, tmp_path: Path, flags: dict[str, object], line: str
) -> None:
    ran = codeself(root, *words(made, tmp_path / "r", **flags))
    assert ran.returncode == 2
    assert ran.stderr.startswith(f"codeself: {line}")
    assert ran.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_splits_of_another_task_file_are_refused(root: Path, made: Path, tmp_path: Path) -> None:
    tasks, _ = write_task_set(tmp_path, [adding_task(n) for n in range(1, 4)])
    ran = codeself(root, *words(made, tmp_path / "r"), "--tasks", tasks, "--splits", made / "splits.json")
    assert ran.returncode == 2
    assert "was made from another task file" in ran.stderr


@pytest.mark.slow  # a process of its own loads a language model, if a tiny one, and is killed
def test_a_model_run_that_is_killed_ends_as_if_it_had_not_been(
    root: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    from codeself.cli import app
    from codeself.policies.sources import fetch_model
    from codeself.records.sources import LocalModel
    from tests.tiny_models import make_tiny_model

    monkeypatch.chdir(root)
    model = tmp_path / "model"
    fetch_model(LocalModel(source="local", path=str(make_tiny_model(tmp_path / "tiny"))), model)
    flags = {"backend": "transformers", "model": model, "samples": 40, "batch_size": 16, "max_new_tokens": 6}
    output, partial = tmp_path / "r", tmp_path / "r.partial"
    given = list(map(str, words(made, output, **flags)))
    running = subprocess.Popen(
        [sys.executable, "-m", "codeself", *given], stderr=subprocess.DEVNULL, cwd=root
    )
    while not partial.exists() and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert partial.exists()
    assert not output.exists()
    app(given, standalone_mode=False)
    assert not partial.exists()
    app(list(map(str, words(made, tmp_path / "whole", **flags))), standalone_mode=False)
    assert output.read_bytes() == (tmp_path / "whole").read_bytes()
