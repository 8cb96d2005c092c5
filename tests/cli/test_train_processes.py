"""train by several processes: started by the launcher, killed, resumed, and ended by the death of one of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("accelerate")
pytest.importorskip("peft")

import torch

from codeself.records.errors import InputError
from tests.learning.follower import environment, free_port
from tests.learning.runs import MOCK_SETTINGS, SETTINGS, Run, make_taught_model

# As in workflow/rules/config.smk.
LAUNCH = (
    "launch --multi_gpu --gpu_ids all --num_processes 2 --num_machines 1 --main_process_port 0"
    " --mixed_precision no --dynamo_backend no --no_python"
)
CHANGES: dict[str, Any] = {
    "processes": 2,
    "steps": 3,
    "checkpoint_every": 1,
    "informative_only": False,
    "lora": {"rank": 4, "alpha": 8, "targets": ["q_proj", "down_proj"]},
    "loss": {"kl_coefficient": 0.05},
}
START = "from codeself.cli import main\nmain()\n"


@pytest.fixture(scope="module")
def taught_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)  # on a busy machine two wait for each other
    return make_taught_model(tmp_path_factory.mktemp("taught"))


def run_of_two(folder: Path, model: Path, **changes: Any) -> Run:
    folder.mkdir(parents=True, exist_ok=True)
    return Run(folder, SETTINGS | CHANGES | changes, "ppo", 0, model)


@contextmanager
def one_of_two(rank: int, port: int) -> Iterator[None]:
    """Be one of two processes, as a launcher would have it."""
    before = dict(os.environ)
    os.environ.update(environment(rank, port))
    try:
        yield
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
        os.environ.clear()
        os.environ.update(before)


def make_together(run: Run) -> Run:
    """Run it to its end, led from here."""
    port, arguments = free_port(), run.arguments()
    words = [sys.executable, "-m", "codeself", *arguments]
    with subprocess.Popen(words, env=os.environ | environment(1, port)) as other:
        try:
            with one_of_two(0, port):
                run.make()
            assert other.wait(60) == 0
        finally:
            other.kill()
    return run


def launched(folder: Path, run: Run, before: str) -> subprocess.CompletedProcess[str]:
    """Run it by the launcher, to whatever end. before: what each process does first."""
    program = folder / "program.py"
    program.write_text(before + START)
    words = [
        str(Path(sys.executable).parent / "accelerate"),
        *LAUNCH.split(),
        sys.executable,
        str(program),
        *run.arguments(),
    ]
    return subprocess.run(words, capture_output=True, text=True, timeout=300)


def is_there(process: int) -> bool:
    """Whether a process is alive: one that has ended may wait for somebody to ask how."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


KILL_ALL = """
import os, signal, time
from pathlib import Path
from codeself.learning.checkpoints import Checkpoints
keep = Checkpoints.keep
def dying(self, checkpoint):
    keep(self, checkpoint)
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)
Checkpoints.keep = dying
(Path(__file__).parent / f"process.{os.environ['RANK']}").write_text(str(os.getpid()))
"""


# Three starts of torch, and the launcher's.
def test_a_run_whose_launcher_was_killed_leaves_no_process_and_goes_on_to_the_same_bytes(
    taught_model: Path, tmp_path: Path
) -> None:
    whole = make_together(run_of_two(tmp_path / "whole", taught_model))
    killed = run_of_two(tmp_path / "killed", taught_model)
    assert launched(tmp_path, killed, KILL_ALL).returncode == -9
    processes = [int((tmp_path / f"process.{rank}").read_text()) for rank in (0, 1)]
    until = time.monotonic() + 20
    while any(map(is_there, processes)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(is_there, processes))
    assert killed.states == ["step-000001"]
    assert make_together(killed).files == whole.files
    assert "policy/model.safetensors" in whole.files
    assert whole.done.settings["processes"] == 2
    assert whole.done.base.source.endswith(", 2 processes")
    assert all(step.updates for step in whole.steps)
    assert any(sample.correct for sample in whole.samples)


KILL_SECOND = """
import os, signal
if os.environ["RANK"] == "1":
    from codeself.learning.language_model import LanguageModelLearner
    def dying(self, *words):
        os.kill(os.getpid(), signal.SIGKILL)
    LanguageModelLearner.accumulate = dying
"""


def test_a_process_that_dies_ends_the_run_with_a_word(taught_model: Path, tmp_path: Path) -> None:
    run = run_of_two(tmp_path / "run", taught_model)
    ended = launched(tmp_path, run, KILL_SECOND)
    assert ended.returncode not in (0, -9)
    assert "codeself: another process of this run has ended" in ended.stderr or "Signal 9" in ended.stderr
    assert not (run.output / "done.json").exists()
    assert run.states == []


@pytest.mark.parametrize(
    ("practice", "started", "words"),
    [
        (
            MOCK_SETTINGS | {"processes": 2},
            None,
            r"practice\.processes: is 2, and 1 started; expected a command that",
        ),
        (MOCK_SETTINGS, "2", r"practice\.processes: is 1, and 2 started"),
        (
            MOCK_SETTINGS | {"processes": 2},
            "2",
            r"practice\.processes: is 2; expected 1 with .* backend mock",
        ),
    ],
)
def test_a_run_that_is_not_started_as_its_plan_says_is_refused(
    tmp_path: Path, practice: dict[str, Any], started: str | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if started is not None:
        monkeypatch.setenv("WORLD_SIZE", started)
    with pytest.raises(InputError, match=words):
        Run(tmp_path, practice).make()


def test_trl_is_refused_to_several_processes(
    taught_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice = SETTINGS | {"arms": ["grpo"], "trainer": "trl", "processes": 2, "refills": 0}
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match=r"expected 1 with trainer trl and backend transformers"):
        Run(tmp_path, practice, model=taught_model).make()
