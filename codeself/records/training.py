"""What training leaves behind: a row a step, a row a sample, how long it took, and the record of the run."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from codeself.records.base import Record
from codeself.records.practice import Arm
from codeself.records.rollouts import Decoding, FinishReason, PolicyIdentity
from codeself.records.traces import PublicResult
from codeself.records.verdicts import IsolationLevel, ParseStatus, Phase, Status

# Edges of the advantage histogram; what lies beyond the outer ones is counted in the outer bins.
ADVANTAGE_EDGES = tuple(edge / 2 for edge in range(-6, 7))


class RatioStatistics(Record):
    """Of the chance of a token at its update to its chance when it was written, over all tokens and updates.

    clipped_low, clipped_high: share of tokens whose term the clip cut off, below and above. divergence: mean of
    the k3 estimate of the divergence between the two policies.
    """

    mean: float
    deviation: float
    least: float
    greatest: float
    clipped_low: float
    clipped_high: float
    divergence: float


class CriticStatistics(Record):
    """Of the value head, before its update. explained_variance: 1 less the share of the returns' variance missed."""

    loss: float
    explained_variance: float | None
    mean_value: float
    mean_return: float


class RevisionStatistics(Record):
    """Of samples with several answers. answers: a sample, on average. revised: share of samples with more than one.

    repaired: share of those whose last answer is right. unchanged: share of revisions that repeat the answer before.
    """

    answers: float
    revised: float
    repaired: float
    unchanged: float


class StepRecord(Record):
    """One step of practice. Rates are over the step's samples, those of refilled groups included.

    A sample is one completion, or an episode of several (arm grpo-selfdebug), which counts as one: completions,
    learned_completions and wasted are samples, and what is said of how they ended is of their last answers.
    Tokens are those of all answers.

    reward: mean of what was paid. pass_rate: share that passed every public and hidden test, whatever was paid
    for; groups in which the judge had a fault are left out of both.
    informative: share of groups whose outcomes differ, in the arm's eyes; refills: groups drawn in place of others.
    wasted: completions that nothing was learned from. faulty_groups: left out because the judge had a
    fault. endings: how many completions each phase decided, and how. advantages: counts between ADVANTAGE_EDGES.
    position: of the curriculum after the step. ratio, entropy and what follows: None in a step without an update.
    revisions: None in a step without one.
    learned_tokens: with repetition, where a step passes over its completions more than once.
    """

    step: int = Field(ge=0)
    groups: int
    completions: int
    reward: float | None
    reward_deviation: float | None
    pass_rate: float | None
    informative: float | None
    refills: int
    wasted: int
    faulty_groups: int
    parse_failures: float | None
    truncated: float | None
    mean_tokens: float | None
    sampled_tokens: int
    endings: dict[str, int]
    position: int
    learning_rate: float
    updates: int
    learned_completions: int
    learned_tokens: int
    advantages: tuple[int, ...]
    loss: float | None
    gradient_norm: float | None
    entropy: float | None
    ratio: RatioStatistics | None
    reference_divergence: float | None = None
    critic: CriticStatistics | None = None
    revisions: RevisionStatistics | None = None


class StepTiming(Record):
    """Wall seconds of a step's stages on the machine at hand: a host fact, no part of the record."""

    step: int
    sampling: float
    judging: float
    updating: float
    sampled_tokens_per_second: float
    learned_tokens_per_second: float
    peak_memory_mb: float


class EarlierAnswer(Record):
    """An answer before the one that a sample submitted. public: what the policy was told of it."""

    seed: int
    completion: str
    completion_tokens: int
    finish_reason: FinishReason
    public: PublicResult


class PracticeSample(Record):
    """One sample of practice, with what it was paid: its completion, and the answers before it where it is an episode.

    reward: None in a group where the judge had a fault. informative: of its group.
    """

    step: int
    task_id: str
    sample: int
    seed: int
    decoding: Decoding = "sampled"
    completion: str
    completion_tokens: int
    finish_reason: FinishReason
    parsed: ParseStatus
    decided_by: Phase
    status: Status
    correct: bool
    reward: float | None
    informative: bool
    refill: bool
    earlier: tuple[EarlierAnswer, ...] = ()

    @property
    def tokens(self) -> int:
        """Written in all of its answers."""
        return self.completion_tokens + sum(answer.completion_tokens for answer in self.earlier)


class TrainingRecord(Record):
    """The record of a finished run, written last: done.json.

    plan_sha256: of the plan that the run had. settings: what this arm was told. base: the policy it began with.
    policy_sha256: of the record of the trained policy. samples: drawn in all; wasted: those of them
    that nothing was learned from.
    """

    policy: str
    arm: Arm
    seed: int
    plan_sha256: str
    settings: dict[str, Any]
    base: PolicyIdentity
    policy_sha256: str
    isolation: IsolationLevel
    tasks: int
    steps: int
    samples: int
    wasted: int
    sampled_tokens: int
    learned_tokens: int
    inputs: dict[str, str]
