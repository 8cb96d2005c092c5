"""What is said of one step: from what was drawn, paid and learned to the row in metrics.jsonl."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codeself.learning.losses import kl_divergence, value_loss
from codeself.learning.objective import Targets
from codeself.learning.update import UpdateReport
from codeself.records.practice import PracticeConfig
from codeself.records.training import (
    ADVANTAGE_EDGES,
    CriticStatistics,
    PracticeSample,
    RatioStatistics,
    RevisionStatistics,
    StepRecord,
)

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """What a step drew. groups: all of them, faulty ones too. position: of the curriculum, afterwards."""

    samples: Sequence[PracticeSample]
    groups: int
    informative_groups: int
    faulty_groups: int
    refills: int
    position: int


def step_record(
    step: int, drawn: Drawn, report: UpdateReport, rate: float, config: PracticeConfig
) -> StepRecord:
    """rate: share of the peak learning rate."""
    samples = drawn.samples
    paid = [sample.reward for sample in samples if sample.reward is not None]
    whole = drawn.groups - drawn.faulty_groups
    norms = [updated.gradient_norm for updated, _ in report.updates]
    losses = [updated.loss for updated, _ in report.updates]
    return StepRecord(
        step=step,
        groups=drawn.groups,
        completions=len(samples),
        reward=_mean(paid),
        reward_deviation=float(np.std(paid)) if paid else None,
        # Only of groups that were paid: a fault of the judge is no wrong answer.
        pass_rate=_mean([sample.correct for sample in samples if sample.reward is not None]),
        informative=drawn.informative_groups / whole if whole else None,
        refills=drawn.refills,
        wasted=len(samples) - report.completions,
        faulty_groups=drawn.faulty_groups,
        parse_failures=_mean([sample.parsed != "parsed" for sample in samples]),
        truncated=_mean([sample.finish_reason == "length" for sample in samples]),
        mean_tokens=_mean([sample.tokens for sample in samples]),
        sampled_tokens=sum(sample.tokens for sample in samples),
        endings=dict(sorted(Counter(f"{s.decided_by}: {s.status}" for s in samples).items())),
        position=drawn.position,
        learning_rate=config.optimizer.learning_rate * rate,
        updates=len(report.updates),
        learned_completions=report.completions,
        learned_tokens=report.tokens,
        advantages=_histogram(report.advantages),
        loss=_mean(losses),
        gradient_norm=_mean(norms),
        revisions=_revisions(samples),
        **_of_tokens(report, config),
    )


def _of_tokens(report: UpdateReport, config: PracticeConfig) -> dict[str, Any]:
    if not report.updates:
        return {"entropy": None, "ratio": None}
    targets = Targets.joined([targets for _, targets in report.updates])
    logprobs = np.concatenate([updated.scores.logprobs for updated, _ in report.updates])
    entropy = np.concatenate([updated.scores.entropy for updated, _ in report.updates])
    found: dict[str, Any] = {"entropy": float(entropy.mean()), "ratio": _ratio(logprobs, targets, config)}
    if targets.reference is not None:
        found["reference_divergence"] = float(
            kl_divergence(logprobs, targets.reference, config.loss.kl_estimator).mean()
        )
    if targets.returns is not None and targets.old_values is not None:
        values = np.concatenate([updated.scores.values for updated, _ in report.updates])
        found["critic"] = _critic(values, targets, config)
    return found


def _ratio(logprobs: Numbers, targets: Targets, config: PracticeConfig) -> RatioStatistics:
    ratio = np.exp(logprobs - targets.old_logprobs)
    low = (ratio < 1 - config.loss.clip_low) & (targets.advantages < 0)
    high = (ratio > 1 + config.loss.clip_high) & (targets.advantages > 0)
    return RatioStatistics(
        mean=float(ratio.mean()),
        deviation=float(ratio.std()),
        least=float(ratio.min()),
        greatest=float(ratio.max()),
        clipped_low=float(low.mean()),
        clipped_high=float(high.mean()),
        # The tokens were drawn from the old policy: the estimate is of its divergence from the new one.
        divergence=float(kl_divergence(targets.old_logprobs, logprobs, "k3").mean()),
    )


def _critic(values: Numbers, targets: Targets, config: PracticeConfig) -> CriticStatistics:
    returns = np.asarray(targets.returns)
    spread = float(returns.var())
    return CriticStatistics(
        loss=float(value_loss(values, targets.old_values, returns, clip=config.value.clip).mean()),
        explained_variance=1 - float((returns - values).var()) / spread if spread > 0 else None,
        mean_value=float(values.mean()),
        mean_return=float(returns.mean()),
    )


def _revisions(samples: Sequence[PracticeSample]) -> RevisionStatistics | None:
    revised = [sample for sample in samples if sample.earlier]
    if not revised:
        return None
    texts = [[*(answer.completion for answer in each.earlier), each.completion] for each in revised]
    repeated = [after == before for each in texts for before, after in pairwise(each)]
    return RevisionStatistics(
        answers=1 + len(repeated) / len(samples),
        revised=len(revised) / len(samples),
        repaired=float(np.mean([sample.correct for sample in revised])),
        unchanged=float(np.mean(repeated)),
    )


def _histogram(advantages: Numbers) -> tuple[int, ...]:
    edges = np.array(ADVANTAGE_EDGES)
    counts, _ = np.histogram(np.clip(advantages, edges[0], edges[-1]), bins=edges)
    return tuple(int(count) for count in counts)


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if len(values) else None
