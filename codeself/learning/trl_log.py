"""What a run by TRL writes down, step by step: the same rows as our trainer's, as far as TRL says so much.

A step's numbers that TRL does not give are None. Advantages are those of its formula for the rewards it was paid.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import transformers

from codeself.learning.arms import Paid, advantages_of
from codeself.learning.diagnostics import Drawn, step_record
from codeself.learning.practice_log import Answer, PracticeLog, Watch, sample_rows, step_timing
from codeself.learning.schedule import rate_at
from codeself.learning.trl_settings import updates_of
from codeself.learning.update import UpdateReport
from codeself.records.files import write_text
from codeself.records.jsonl import dumps
from codeself.records.practice import PracticeConfig
from codeself.records.tasks import Task
from codeself.records.training import StepRecord, StepTiming
from codeself.records.verdicts import Verdict

# Beside TRL's own files in a checkpoint, and written last: what the run had written down by then.
_LOG = "practice.json"
# TRL's names for what a step's record has too.
_SAID = {"loss": "loss", "grad_norm": "gradient_norm", "entropy": "entropy", "kl": "reference_divergence"}


class TRLLog:
    """state: TRL's folder of checkpoints. digest: of the run that they belong to."""

    def __init__(self, config: PracticeConfig, state: Path, digest: str) -> None:
        self._config = config
        self._state = state
        self._digest = digest
        self._paid: list[Paid | None] = []
        self._seconds = {"sampling": 0.0, "judging": 0.0}
        self.practice = PracticeLog()

    def resume(self) -> Path | None:
        """The last whole checkpoint of this very run, its log taken over. What else there is goes away."""
        for path in sorted(self._state.glob("checkpoint-*"), key=lambda path: -int(path.name.split("-")[1])):
            try:
                kept = json.loads((path / _LOG).read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            if kept["digest"] == self._digest:
                self.practice = PracticeLog.from_json_dict(kept["log"])
                return path
        shutil.rmtree(self._state, ignore_errors=True)
        return None

    def keep(self, step: int) -> None:
        """Add the log to the checkpoint that TRL has just written."""
        kept = {"digest": self._digest, "log": self.practice.to_json_dict()}
        write_text(self._state / f"checkpoint-{step}" / _LOG, dumps(kept))

    def add_seconds(self, stage: str, since: float) -> None:
        self._seconds[stage] += time.perf_counter() - since

    def add_group(
        self,
        step: int,
        task: Task,
        answers: Sequence[Answer],
        verdicts: Sequence[Verdict],
        paid: Paid | None,
    ) -> None:
        """One task's completions. paid: None where the judge had a fault with one of them."""
        self._paid.append(paid)
        self.practice.samples += sample_rows(step, task.task_id, answers, verdicts, paid)

    def finish_step(self, said: Mapping[str, float | None], seconds: float) -> tuple[StepRecord, StepTiming]:
        """said: what TRL logs of the step, by the names of _SAID. seconds: that it took in all."""
        step, config = len(self.practice.records), self._config
        samples = [sample for sample in self.practice.samples if sample.step == step]
        whole = [paid for paid in self._paid if paid is not None]
        taught = [paid for paid in whole if np.ptp(paid.rewards) > 0]
        drawn = Drawn(
            samples=samples,
            groups=len(self._paid),
            informative_groups=sum(paid.informative for paid in whole),
            faulty_groups=len(self._paid) - len(whole),
            refills=0,
            position=(step + 1) * config.prompts_per_step,
        )
        advantages = advantages_of("grpo", taught, config.advantage).ravel() if taught else np.zeros(0)
        report = UpdateReport(len(taught), len(advantages), (), advantages)
        rate = rate_at(step, config.steps, config.optimizer)
        record = step_record(step, drawn, report, rate, config).model_copy(
            update={
                "updates": updates_of(config),
                "learned_tokens": config.optimizer.epochs * sum(each.completion_tokens for each in samples),
                **{field: said[name] for name, field in _SAID.items()},
            }
        )
        updating = seconds - sum(self._seconds.values())
        timing = step_timing(record, {**self._seconds, "updating": updating})
        self.practice.records.append(record)
        self.practice.timings.append(timing)
        self._paid = []
        self._seconds = dict.fromkeys(self._seconds, 0.0)
        return record, timing


class Steps(transformers.TrainerCallback):
    """Tells the log when a step of practice is done, after so many updates, and when TRL has written a checkpoint.

    What TRL says of several updates is brought to its mean. A checkpoint after the last step would be of no use.
    """

    def __init__(self, log: TRLLog, watch: Watch, updates: int) -> None:
        self._log = log
        self._watch = watch
        self._updates = updates
        self._said: list[Mapping[str, float]] = []
        self._began = self._took = 0.0

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._began = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._took += time.perf_counter() - self._began
        if state.global_step >= state.max_steps:
            control.should_save = False

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, float], **_: Any) -> None:
        if "grad_norm" not in logs:  # TRL's summary at the end
            return
        self._said.append(dict(logs))
        if state.global_step % self._updates == 0:
            means = {name: _mean([each.get(name) for each in self._said]) for name in _SAID}
            self._watch(*self._log.finish_step(means, self._took))
            self._said, self._took = [], 0.0

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._log.keep(state.global_step)


def _mean(values: Sequence[float | None]) -> float | None:
    """None where TRL did not say so of each."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None
