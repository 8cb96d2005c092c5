"""Whole runs of train, as a command: a task set, a plan, and a tiny model that is right now and then."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from codeself.cli import app
from codeself.records.digests import sha256_file
from codeself.records.jsonl import read_record, read_records, write_record, write_records
from codeself.records.plan import Plan
from codeself.records.tasks import SplitManifest
from codeself.records.training import PracticeSample, StepRecord, TrainingRecord
from tests.experiments import experiment
from tests.made_tasks import adding_task
from tests.tiny_models import make_tiny_model, teach

TASKS = [adding_task(number) for number in range(1, 7)]
TEMPLATE = "{# style: completion #}{{ task.opening }}"
REVISION = "{# style: completion #}{{ attempt }}\n# {{ result.said }}\n{{ task.opening }}"
SETTINGS: dict[str, Any] = {
    "arms": ["grpo", "grpo-selfdebug", "ppo", "rejection", "random-reward", "format-reward"],
    "steps": 4,
    "prompts_per_step": 4,
    "samples": 4,
    "refills": 2,
    "max_new_tokens": 24,
    "checkpoint_every": 2,
    "autocast": "none",
    "optimizer": {"learning_rate": 1e-3},
    "value": {"learning_rate": 1e-2},
}
MOCK_SETTINGS = SETTINGS | {"optimizer": {"learning_rate": 0.2}}


def make_taught_model(folder: Path) -> Path:
    """Taught each answer to each task, so that one completion in six is right, or about so."""
    from codeself.policies.sources import fetch_model
    from codeself.records.sources import LocalModel

    made = make_tiny_model(folder / "made")
    openings = [task.starter_code.rstrip() for task in TASKS]
    numbers = range(1, len(TASKS) + 1)
    teach(made, [f"{text}\n    return x + {number}\n#" for text in openings for number in numbers])
    fetch_model(LocalModel(source="local", path=str(made)), folder / "model")
    return folder / "model"


@dataclass(frozen=True)
class Run:
    """One run of train in a folder of its own. practice: the config that the plan keeps."""

    folder: Path
    practice: dict[str, Any] = field(default_factory=lambda: SETTINGS)
    arm: str = "grpo"
    seed: int = 0
    model: Path | None = None  # None: a mock
    options: tuple[str, ...] = ()

    @property
    def output(self) -> Path:
        return self.folder / "trained"

    def arguments(self) -> list[str]:
        """Of the command, its input files made first."""
        if not (self.folder / "tasks.jsonl").exists():
            self._write_inputs()
        self._write_plan()
        how = ["--backend", "mock", "--right", "0.4"]
        if self.model is not None:
            how = ["--backend", "transformers", "--model", str(self.model), "--batch-size", "8"]
        return [
            *("train", "--plan", str(self.folder / "plan.json")),
            *("--tasks", str(self.folder / "tasks.jsonl"), "--splits", str(self.folder / "splits.json")),
            *("--prompt", str(self.folder / "prompt.j2"), "--arm", self.arm, "--seed", str(self.seed)),
            *("--revision-prompt", str(self.folder / "revise.j2")),
            *("--output", str(self.output), "--timings", str(self.folder / "timings.jsonl")),
            *(*how, "--cpu-seconds", "1", "--workers", "1", *self.options),
        ]

    def make(self) -> Run:
        """Run it here, to its end. Raises what the command raises."""
        app(self.arguments(), standalone_mode=False)
        return self

    def make_and_kill(self, step: int) -> None:
        """Run it in a process of its own, which is killed once the state of this step has been written."""
        program = (
            "import os, signal, sys\n"
            "from codeself.learning.checkpoints import Checkpoints\n"
            "keep = Checkpoints.keep\n"
            "def dying(self, checkpoint):\n"
            "    keep(self, checkpoint)\n"
            f"    if checkpoint.step == {step}:\n"
            "        os.kill(os.getpid(), signal.SIGKILL)\n"
            "Checkpoints.keep = dying\n"
            "from codeself.cli import main\n"
            "main()\n"
        )
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        words = [sys.executable, "-c", program, *self.arguments()]
        ended = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
        assert ended.returncode == -signal.SIGKILL, ended.stderr

    @property
    def states(self) -> list[str]:
        folder = self.output / "state"
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    @property
    def files(self) -> dict[str, bytes]:
        """Everything that the run left, by its path."""
        return {
            str(path.relative_to(self.output)): path.read_bytes()
            for path in sorted(self.output.rglob("*"))
            if path.is_file()
        }

    @property
    def done(self) -> TrainingRecord:
        return read_record(self.output / "done.json", TrainingRecord)

    @property
    def steps(self) -> list[StepRecord]:
        return read_records(self.output / "metrics.jsonl", StepRecord)

    @property
    def samples(self) -> list[PracticeSample]:
        return read_records(self.output / "samples.jsonl", PracticeSample)

    def _write_inputs(self) -> None:
        write_records(self.folder / "tasks.jsonl", TASKS)
        (self.folder / "prompt.j2").write_text(TEMPLATE)
        (self.folder / "revise.j2").write_text(REVISION)
        parts = {"train": TASKS[:5], "dev": [], "test": TASKS[5:]}
        manifest = SplitManifest(
            taskset="made",
            tasks_sha256=sha256_file(self.folder / "tasks.jsonl"),
            seed=0,
            fractions={"train": 0.8, "dev": 0.0, "test": 0.2},
            families={name: tuple(t.family for t in tasks) for name, tasks in parts.items()},  # type: ignore[misc]
            task_ids={name: tuple(t.task_id for t in tasks) for name, tasks in parts.items()},  # type: ignore[misc]
        )
        write_record(self.folder / "splits.json", manifest)

    def _write_plan(self) -> None:
        plan = _declared()
        files = {"tasks": "tasks.jsonl", "revision": "revise.j2"}
        made = {name: sha256_file(self.folder / path) for name, path in files.items()}
        digests = plan.digests.model_copy(update=made)
        changed = plan.model_copy(update={"practice": self.practice, "digests": digests})
        write_record(self.folder / "plan.json", changed)


@cache
def _declared() -> Plan:
    """A plan from made-up rates of other tasks: they are nothing to training."""
    with tempfile.TemporaryDirectory() as folder:
        arms = dict.fromkeys(SETTINGS["arms"], 1.0)
        made = experiment(Path(folder), arms, families=4, variants=2, samples=2)
        return made.declare(train_seed=[0, 1], revision_prompt=made.folder / "prompt.j2")
