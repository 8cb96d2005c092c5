"""The arms: what each one pays for, and what it does with the pay. Everything else is the same for all.

grpo, ppo and rejection pay the config's reward, and so does grpo-selfdebug, in which a sample is an episode of several
answers: the last one is paid for, and all of them learn from that. Two placebos practise as grpo does and are told
nothing true, or too little: random-reward hands the rewards of each group around within the group, so that what is
paid is the same and tells nothing; format-reward pays for a program that can be parsed, whether it is right or wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codeself.learning.advantages import group_advantages
from codeself.learning.objective import Kind
from codeself.records.digests import seed_from
from codeself.records.practice import REVISING, AdvantageConfig, Arm, PracticeConfig
from codeself.records.verdicts import Verdict
from codeself.rewards import RewardFunction, is_infrastructure


@dataclass(frozen=True)
class Paid:
    """One group. rewards: (samples,), what is maximised. outcomes: (samples,), right or wrong in the arm's eyes."""

    rewards: NDArray[np.float64]
    outcomes: NDArray[np.bool_]

    @property
    def informative(self) -> bool:
        """Whether outcomes differ. Never asked of the rewards: their other terms would only teach those terms."""
        return bool(self.outcomes.any() and not self.outcomes.all())


def pay(
    arm: Arm, verdicts: Sequence[Verdict], reward: RewardFunction, seed: int, step: int, task_id: str
) -> Paid | None:
    """The pay of one group's verdicts; None where a fault of the judge left one of them without a result."""
    if any(is_infrastructure(verdict) for verdict in verdicts):
        return None
    if arm == "format-reward":
        parsed = np.array([verdict.candidate.status == "parsed" for verdict in verdicts])
        return Paid(parsed.astype(np.float64), parsed)
    rewards = np.array([reward(verdict).value for verdict in verdicts], dtype=np.float64)
    outcomes = np.array([verdict.correct for verdict in verdicts])
    if arm == "random-reward":
        draw = np.random.Generator(np.random.PCG64(seed_from("random-reward", seed, step, task_id)))
        order = draw.permutation(len(verdicts))
        return Paid(rewards[order], outcomes[order])
    return Paid(rewards, outcomes)


def answers_of(arm: Arm, config: PracticeConfig) -> int:
    """How many answers a sample may have."""
    return 1 + config.revisions if arm == REVISING else 1


def objective_of(arm: Arm) -> Kind:
    return "likelihood" if arm == "rejection" else "surrogate"


def advantages_of(arm: Arm, paid: Sequence[Paid], config: AdvantageConfig) -> NDArray[np.float64]:
    """Of each sample, the same for all of its tokens: (groups, samples). Arm ppo has one a token instead.

    Rejection imitates what passed and forgets the rest: 1 and 0.
    """
    if arm == "rejection":
        return np.array([group.outcomes for group in paid], dtype=np.float64)
    rewards = np.array([group.rewards for group in paid])
    return group_advantages(rewards, baseline=config.baseline, scale=config.scale)
