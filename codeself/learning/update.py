"""From a step's paid groups to updates of the policy, and to what is said of them.

Groups in, one report out. What a token's terms are made from is settled once, before the first update of the step.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from codeself.learning.advantages import generalized_advantages, whitened
from codeself.learning.arms import Paid, advantages_of, objective_of
from codeself.learning.learner import Learner, Texts, Updated
from codeself.learning.losses import kl_divergence, token_weights
from codeself.learning.objective import Objective, Scores, Targets
from codeself.records.practice import Arm, PracticeConfig

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """The completions of one task in one step, and what they were paid."""

    texts: Texts
    paid: Paid


@dataclass(frozen=True)
class UpdateReport:
    """updates: each with the targets of all its tokens. advantages: one a completion that was learned from."""

    groups: int
    completions: int
    updates: tuple[tuple[Updated, Targets], ...]
    advantages: Numbers

    @property
    def tokens(self) -> int:
        return sum(len(targets.weights) for _, targets in self.updates)


@dataclass(frozen=True)
class _Prepared:
    """A group with its targets, whose weights are still to come; kept: which completions have a part in the loss."""

    texts: Texts
    targets: list[Targets]
    kept: list[bool]


def learn(
    learner: Learner, groups: Sequence[Group], arm: Arm, config: PracticeConfig, rate: float, seed: int
) -> UpdateReport:
    """Make the updates of one step. rate: share of the peak learning rate. seed: of the order of minibatches."""
    chosen = [group for group in groups if group.paid.informative or not config.informative_only]
    prepared = _prepare(learner, chosen, arm, config)
    objective = Objective(objective_of(arm), config.loss, config.value if arm == "ppo" else None)
    updates = []
    for epoch in range(config.optimizer.epochs):
        order = list(prepared)
        if epoch:
            random.Random(seed + epoch).shuffle(order)
        for minibatch in _parts(order, config.optimizer.minibatches):
            texts, targets = _weighted(minibatch, config)
            if texts:
                made = learner.update(texts, targets, objective, rate)
                updates.append((made, Targets.joined([each for group in targets for each in group])))
    kept = [
        float(each.advantages.mean())
        for group in prepared
        for each, keep in zip(group.targets, group.kept, strict=True)
        if keep
    ]
    return UpdateReport(len(prepared), len(kept), tuple(updates), np.array(kept))


def _prepare(learner: Learner, groups: Sequence[Group], arm: Arm, config: PracticeConfig) -> list[_Prepared]:
    if not groups:
        return []
    texts = [group.texts for group in groups]
    divergence = config.loss.kl_coefficient > 0
    references = learner.score(texts, reference=True) if divergence else None
    critic = learner.score(texts) if arm == "ppo" else None
    flat = advantages_of(arm, [group.paid for group in groups], config.advantage)
    prepared = []
    for place, group in enumerate(groups):
        targets, kept = [], []
        for row, completion in enumerate(group.texts.completions):
            old = np.array(completion.logprobs, dtype=np.float64)
            reference = references[place][row].logprobs if references else None
            earned = np.zeros_like(old)
            if reference is not None and config.loss.kl_estimator == "k1":
                earned = -config.loss.kl_coefficient * kl_divergence(old, reference, "k1")
            if critic:
                target = _with_values(old, critic[place][row], earned, group.paid.rewards[row], config)
            else:
                target = Targets(old, flat[place, row] + earned, np.zeros_like(old))
            targets.append(replace(target, reference=reference))
            kept.append(_is_kept(arm, completion.finish_reason == "length", group.paid.outcomes[row], config))
        prepared.append(_Prepared(group.texts, targets, kept))
    return _whitened(prepared) if critic and config.value.whiten else prepared


def _with_values(
    old: Numbers, critic: Scores, earned: Numbers, reward: float, config: PracticeConfig
) -> Targets:
    """The reward is paid at a completion's last token."""
    assert critic.values is not None, "a learner that is to have a value head has none"
    paid = earned.copy()
    paid[-1:] += reward
    advantages, returns = generalized_advantages(
        paid, critic.values, discount=config.value.discount, trace=config.value.trace
    )
    return Targets(old, advantages, np.zeros_like(old), returns=returns, old_values=critic.values)


def _is_kept(arm: Arm, truncated: bool, right: bool, config: PracticeConfig) -> bool:
    return not (config.loss.mask_truncated and truncated) and (right or arm != "rejection")


def _whitened(prepared: Sequence[_Prepared]) -> list[_Prepared]:
    """Advantages brought to one scale over all tokens that are learned from."""
    places = [
        (group, row) for group, each in enumerate(prepared) for row, keep in enumerate(each.kept) if keep
    ]
    if not places:
        return list(prepared)
    scaled = whitened(np.concatenate([prepared[group].targets[row].advantages for group, row in places]))
    start = 0
    for group, row in places:
        targets = prepared[group].targets
        end = start + len(targets[row].advantages)
        targets[row] = replace(targets[row], advantages=scaled[start:end])
        start = end
    return list(prepared)


def _parts(groups: Sequence[_Prepared], count: int) -> Iterator[Sequence[_Prepared]]:
    """Contiguous parts that are about equal, none of them empty."""
    for part in range(count):
        first, last = (len(groups) * edge // count for edge in (part, part + 1))
        if first < last:
            yield groups[first:last]


def _weighted(
    minibatch: Sequence[_Prepared], config: PracticeConfig
) -> tuple[list[Texts], list[list[Targets]]]:
    """What is left of a minibatch when completions without a part in the loss are dropped, each with its weight."""
    rows = [
        (len(target.old_logprobs), keep)
        for group in minibatch
        for target, keep in zip(group.targets, group.kept, strict=True)
    ]
    weights = iter(
        token_weights(
            [length for length, _ in rows],
            [keep for _, keep in rows],
            config.loss.aggregation,
            config.max_new_tokens,
        )
    )
    texts, targets = [], []
    for group in minibatch:
        chosen = [
            (completion, replace(target, weights=np.full_like(target.old_logprobs, weight)))
            for completion, target, weight in zip(
                group.texts.completions, group.targets, weights, strict=False
            )
            if weight > 0
        ]
        if chosen:
            texts.append(replace(group.texts, completions=tuple(completion for completion, _ in chosen)))
            targets.append([target for _, target in chosen])
    return texts, targets
