"""What a run writes down as it goes: a row a step, a row a sample, and how long it took."""

from __future__ import annotations

import resource
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from codeself.learning.arms import Paid
from codeself.records.rollouts import FinishReason
from codeself.records.training import EarlierAnswer, PracticeSample, StepRecord, StepTiming
from codeself.records.verdicts import Verdict

Watch = Callable[[StepRecord, StepTiming], None]


@dataclass
class PracticeLog:
    """What a run has written down so far."""

    records: list[StepRecord] = field(default_factory=list)
    samples: list[PracticeSample] = field(default_factory=list)
    timings: list[StepTiming] = field(default_factory=list)

    def to_json_dict(self) -> dict[str, Any]:
        return {name: [row.to_json_dict() for row in rows] for name, rows in vars(self).items()}

    @staticmethod
    def from_json_dict(data: dict[str, Any]) -> PracticeLog:
        return PracticeLog(
            [StepRecord.model_validate(row) for row in data["records"]],
            [PracticeSample.model_validate(row) for row in data["samples"]],
            [StepTiming.model_validate(row) for row in data["timings"]],
        )


@dataclass(frozen=True)
class Answer:
    """What a sample submits. tokens: how many it has. seed: it was drawn from. earlier: the sample's answers before."""

    text: str
    tokens: int
    finish_reason: FinishReason
    seed: int
    earlier: tuple[EarlierAnswer, ...] = ()


def sample_rows(
    step: int,
    task_id: str,
    answers: Sequence[Answer],
    verdicts: Sequence[Verdict],
    paid: Paid | None,
    *,
    refill: bool = False,
) -> list[PracticeSample]:
    """The rows of one group. paid: None where the judge had a fault with one of them."""
    return [
        PracticeSample(
            step=step,
            task_id=task_id,
            sample=sample,
            seed=answer.seed,
            completion=answer.text,
            completion_tokens=answer.tokens,
            finish_reason=answer.finish_reason,
            parsed=verdict.candidate.status,
            decided_by=verdict.decided_by,
            status=verdict.status,
            correct=verdict.correct,
            reward=None if paid is None else float(paid.rewards[sample]),
            informative=paid is not None and paid.informative,
            refill=refill,
            earlier=answer.earlier,
        )
        for sample, (answer, verdict) in enumerate(zip(answers, verdicts, strict=True))
    ]


def step_timing(record: StepRecord, seconds: Mapping[str, float]) -> StepTiming:
    """seconds: of sampling, judging and updating."""
    sampling, updating = seconds["sampling"], seconds["updating"]
    return StepTiming(
        step=record.step,
        **{stage: round(spent, 3) for stage, spent in seconds.items()},
        sampled_tokens_per_second=round(record.sampled_tokens / sampling, 1) if sampling else 0.0,
        learned_tokens_per_second=round(record.learned_tokens / updating, 1) if updating else 0.0,
        # Linux counts in kilobytes.
        peak_memory_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    )
