"""Made-up training runs with known counts, for tests of what describes practice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codeself.analysis.practice_curves import Run
from codeself.records.practice import Arm, PracticeConfig
from codeself.records.rollouts import PolicyIdentity
from codeself.records.training import (
    ADVANTAGE_EDGES,
    CriticStatistics,
    RatioStatistics,
    StepRecord,
    StepTiming,
    TrainingRecord,
)

BINS = len(ADVANTAGE_EDGES) - 1
BASE = PolicyIdentity(backend="mock", source="right 0.3", digest="ab" * 32)


def made_step(step: int, passed: int, completions: int = 8, **changes: Any) -> StepRecord:
    """A step of which this many completions passed; it learned from all but two of them."""
    failed = completions - passed
    learned = max(completions - 2, 0)
    values: dict[str, Any] = {
        "step": step,
        "groups": 2,
        "completions": completions,
        "reward": passed / completions if completions else None,
        "reward_deviation": 0.4,
        "pass_rate": passed / completions if completions else None,
        "informative": 0.5,
        "refills": 1,
        "wasted": completions - learned,
        "faulty_groups": 0,
        "parse_failures": 0.1,
        "truncated": 0.0,
        "mean_tokens": 5.0,
        "sampled_tokens": 5 * completions,
        "endings": {"hidden: passed": passed, "public: failed": failed},
        "position": 2 * step + 2,
        "learning_rate": 1e-5,
        "updates": 1,
        "learned_completions": learned,
        "learned_tokens": 5 * learned,
        "advantages": (0,) * 5 + (learned,) + (0,) * 6,
        "loss": -0.01,
        "gradient_norm": 0.2,
        "entropy": 0.5,
        "ratio": RatioStatistics(
            mean=1.0,
            deviation=0.1,
            least=0.7,
            greatest=1.4,
            clipped_low=0.02,
            clipped_high=0.01,
            divergence=0.003,
        ),
    }
    return StepRecord(**(values | changes))


def without_update(step: int, passed: int = 0) -> StepRecord:
    """A step in which nothing was learned, and which has no value that an update would give."""
    return made_step(
        step,
        passed,
        wasted=8,
        updates=0,
        learned_completions=0,
        learned_tokens=0,
        advantages=(0,) * BINS,
        loss=None,
        gradient_norm=None,
        entropy=None,
        ratio=None,
    )


def with_critic(step: StepRecord) -> StepRecord:
    critic = CriticStatistics(loss=0.2, explained_variance=-3.0, mean_value=0.4, mean_return=0.3)
    return step.model_copy(update={"critic": critic})


def made_run(
    arm: Arm,
    steps: Sequence[StepRecord],
    seed: int = 0,
    plan_sha256: str = "cd" * 32,
    **settings: Any,
) -> Run:
    """A run of these steps, its record telling their sums."""
    told = PracticeConfig(**settings)
    record = TrainingRecord(
        policy=f"{arm}-seed{seed}",
        arm=arm,
        seed=seed,
        plan_sha256=plan_sha256,
        settings=told.model_dump(mode="json", exclude={"arms", "seeds", "overrides", "writers"}),
        base=BASE,
        policy_sha256="ef" * 32,
        isolation="strict",
        tasks=40,
        steps=len(steps),
        samples=sum(step.completions for step in steps),
        wasted=sum(step.wasted for step in steps),
        sampled_tokens=sum(step.sampled_tokens for step in steps),
        learned_tokens=sum(step.learned_tokens for step in steps),
        inputs={},
    )
    return Run(record, told, tuple(steps))


def made_timings(steps: int, sampling: float = 2.0) -> list[StepTiming]:
    """sampling: seconds of every step; judging takes 1 and updating 3, but 5 in the first."""
    return [
        StepTiming(
            step=step,
            sampling=sampling,
            judging=1.0,
            updating=3.0 if step else 5.0,
            sampled_tokens_per_second=0.0,
            learned_tokens_per_second=0.0,
            peak_memory_mb=100.0 + step,
        )
        for step in range(steps)
    ]
