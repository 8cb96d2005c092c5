"""The mock policy as a learner: a few numbers in place of weights, and the same arithmetic around them.

A completion is two tokens: whether it can be parsed, and, if so, whether it is right. Their chances are logistic in
two learned numbers, the second added to the task's own difficulty. A third is the value that arm ppo expects; a fourth
stands for the second in revisions, where the mock has a skill of its own in them. The gradient is taken by central
differences of the very loss that a language model would descend, so that every objective and every diagnostic is at
work within milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codeself.learning.learner import State, Texts, Updated, joined
from codeself.learning.objective import Objective, Scores, Targets
from codeself.policies.backend import Completion
from codeself.policies.mock import MockPolicy, is_revision
from codeself.records.errors import InputError
from codeself.records.practice import PracticeConfig

Numbers = NDArray[np.float64]
# Of the central differences: at the cube root of the precision the two errors are about equal.
_STEP = 6e-6


class MockLearner:
    def __init__(self, policy: MockPolicy, config: PracticeConfig, critic: bool) -> None:
        skill = [] if policy.repair_odds is None else [policy.repair_odds]
        if not all(math.isfinite(number) for number in (*policy.log_odds, *skill)):
            raise InputError(
                "practice with a mock policy: its shares of right and unparsable answers must be above 0, and"
                " below 1 together, and so its chance of a right revision, as there is no gradient at certainty"
            )
        self.policy = policy
        self._config = config
        self._critic = critic
        self._weights: Numbers = np.array([*policy.log_odds, 0.0, *skill])
        self._start = self._weights
        self._moments = np.zeros((2, len(self._weights)))
        self._updates = 0

    def score(self, texts: Sequence[Texts], *, reference: bool = False) -> list[list[Scores]]:
        weights = self._start if reference else self._weights
        return [[self._scores(weights, each, c) for c in each.completions] for each in texts]

    def update(
        self, texts: Sequence[Texts], targets: Sequence[Sequence[Targets]], objective: Objective, rate: float
    ) -> Updated:
        every = Targets.joined([target for group in targets for target in group])

        def scores(weights: Numbers) -> Scores:
            return joined([self._scores(weights, each, c) for each in texts for c in each.completions])

        def loss(weights: Numbers) -> float:
            return float(objective(scores(weights), every))

        before, seen = loss(self._weights), scores(self._weights)
        nudges = np.eye(len(self._weights)) * _STEP
        gradient = np.array(
            [(loss(self._weights + n) - loss(self._weights - n)) / (2 * _STEP) for n in nudges]
        )
        norm = float(np.linalg.norm(gradient))
        gradient *= min(1.0, self._config.optimizer.max_grad_norm / (norm + 1e-6))
        self._descend(gradient, rate)
        self._renew_policy()
        return Updated(before, norm, seen)

    def _descend(self, gradient: Numbers, rate: float) -> None:
        """AdamW (Loshchilov and Hutter 2019), algorithm 2."""
        config = self._config.optimizer
        betas = np.array([config.beta1, config.beta2])
        self._updates += 1
        self._moments = betas[:, None] * self._moments + (1 - betas)[:, None] * np.array(
            [gradient, gradient**2]
        )
        mean, square = self._moments / (1 - betas**self._updates)[:, None]
        peaks = np.full(len(self._weights), config.learning_rate)
        decay = np.full(len(self._weights), config.weight_decay)
        peaks[2], decay[2] = self._config.value.learning_rate, 0.0
        self._weights = self._weights - rate * peaks * (
            mean / (np.sqrt(square) + 1e-8) + decay * self._weights
        )

    def state(self) -> State:
        return {}, {
            "weights": self._weights.tolist(),
            "moments": self._moments.tolist(),
            "updates": self._updates,
        }

    def restore(self, state: State) -> None:
        _, plain = state
        self._weights = np.array(plain["weights"])
        self._moments = np.array(plain["moments"])
        self._updates = plain["updates"]
        self._renew_policy()

    def save(self, folder: Path, name: str) -> None:
        self.policy.save(folder, name)

    def _renew_policy(self) -> None:
        parsable, right, _, *skill = self._weights.tolist()
        self.policy.log_odds = (parsable, right)
        if skill:
            (self.policy.repair_odds,) = skill

    def _scores(self, weights: Numbers, text: Texts, completion: Completion) -> Scores:
        parsable, right = weights[0], weights[1] + self.policy.difficulty(text.task_id)
        if len(weights) > 3 and is_revision(text.prompt):
            right = weights[3]
        odds = [parsable, right][: len(completion.token_ids)]
        logprobs = [
            _log_chance(x if token else -x) for x, token in zip(odds, completion.token_ids, strict=True)
        ]
        values = np.full(len(odds), 1 / (1 + math.exp(-weights[2]))) if self._critic else None
        return Scores(np.array(logprobs), np.array([_entropy(x) for x in odds]), values)


def _log_chance(x: float) -> float:
    """log of the logistic function, without overflow."""
    return -math.log1p(math.exp(-x)) if x > 0 else x - math.log1p(math.exp(x))


def _entropy(x: float) -> float:
    chance = math.exp(_log_chance(x))
    return -(chance * _log_chance(x) + (1 - chance) * _log_chance(-x))
