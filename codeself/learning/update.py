"""From a step's paid groups to updates of the policy, and to what is said of them.

Groups in, one report out. What a token's terms are made from is settled once, before the first update of the step.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from codeself.learning.advantages import generalized_advantages, whitened
from codeself.learning.arms import Paid, advantages_of, answers_of, objective_of
from codeself.learning.learner import Learner, Texts, Updated
from codeself.learning.losses import Aggregation, kl_divergence, token_weights
from codeself.learning.objective import Objective, Scores, Targets
from codeself.policies.backend import Completion, Prompt
from codeself.records.practice import Arm, PracticeConfig

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """The samples of one task in one step, each of one completion or of several, and what they were paid.

    texts: what they wrote, by prompt. authors: of each text, which sample wrote each of its completions.
    """

    texts: tuple[Texts, ...]
    authors: tuple[tuple[int, ...], ...]
    paid: Paid


def grouped(task_id: str, samples: Sequence[Sequence[tuple[Prompt, Completion]]], paid: Paid) -> Group:
    """samples: what each was asked and wrote, turn after turn. Completions of equal prompts come together."""
    written: dict[Prompt, list[tuple[int, Completion]]] = {}
    for turn in zip_longest(*samples):
        for author, asked in enumerate(turn):
            if asked is not None:
                written.setdefault(asked[0], []).append((author, asked[1]))
    texts = (Texts(task_id, prompt, tuple(each for _, each in own)) for prompt, own in written.items())
    authors = (tuple(author for author, _ in own) for own in written.values())
    return Group(tuple(texts), tuple(authors), paid)


@dataclass(frozen=True)
class UpdateReport:
    """updates: each with the targets of all its tokens. completions, advantages: of samples that were learned from."""

    groups: int
    completions: int
    updates: tuple[tuple[Updated, Targets], ...]
    advantages: Numbers

    @property
    def tokens(self) -> int:
        return sum(len(targets.weights) for _, targets in self.updates)


@dataclass(frozen=True)
class _Row:
    """A completion with its targets, whose weights are still to come; kept: whether it has a part in the loss."""

    author: int
    completion: Completion
    targets: Targets
    kept: bool


# A group, text by text.
_Prepared = list[tuple[Texts, list[_Row]]]


def learn(
    learner: Learner,
    groups: Sequence[Group],
    arm: Arm,
    config: PracticeConfig,
    rate: float,
    seed: int,
    *,
    referenced: bool = False,
) -> UpdateReport:
    """Make the updates of one step. rate: share of the peak learning rate. seed: of the order of minibatches.

    referenced: score the completions under the reference too; a KL term asks for it by itself.
    """
    chosen = [group for group in groups if group.paid.informative or not config.informative_only]
    prepared = _prepare(learner, chosen, arm, config, referenced or config.loss.kl_coefficient > 0)
    objective = Objective(objective_of(arm), config.loss, config.value if arm == "ppo" else None)
    budget = config.max_new_tokens * answers_of(arm, config)
    updates = []
    for epoch in range(config.optimizer.epochs):
        order = list(prepared)
        if epoch:
            random.Random(seed + epoch).shuffle(order)
        for minibatch in _parts(order, config.optimizer.minibatches):
            texts, targets = _weighted(minibatch, config.loss.aggregation, budget)
            if texts:
                made = learner.update(texts, targets, objective, rate)
                updates.append((made, Targets.joined([each for group in targets for each in group])))
    samples = [rows for group in prepared for rows in _by_author(group).values()]
    advantages = [float(np.concatenate([row.targets.advantages for row in rows]).mean()) for rows in samples]
    return UpdateReport(len(prepared), len(samples), tuple(updates), np.array(advantages))


def _by_author(group: _Prepared) -> dict[int, list[_Row]]:
    """Of each sample that has a part in the loss, the rows that have it."""
    found: dict[int, list[_Row]] = {}
    for _, rows in group:
        for row in rows:
            if row.kept:
                found.setdefault(row.author, []).append(row)
    return dict(sorted(found.items()))


def _prepare(
    learner: Learner, groups: Sequence[Group], arm: Arm, config: PracticeConfig, referenced: bool
) -> list[_Prepared]:
    if not groups:
        return []
    texts = [each for group in groups for each in group.texts]
    references = iter(learner.score(texts, reference=True)) if referenced else None
    critic = iter(learner.score(texts)) if arm == "ppo" else None
    flat = advantages_of(arm, [group.paid for group in groups], config.advantage)
    prepared: list[_Prepared] = []
    for group, advantages in zip(groups, flat, strict=True):
        prepared.append([])
        for text, authors in zip(group.texts, group.authors, strict=True):
            reference = next(references) if references else [None] * len(authors)
            values = next(critic) if critic else [None] * len(authors)
            rows = []
            for author, completion, base, worth in zip(
                authors, text.completions, reference, values, strict=True
            ):
                reward, right = group.paid.rewards[author], group.paid.outcomes[author]
                targets = _targets(completion, advantages[author], reward, base, worth, config)
                kept = _is_kept(arm, completion.finish_reason == "length", right, config)
                rows.append(_Row(author, completion, targets, kept))
            prepared[-1].append((text, rows))
    return _whitened(prepared) if critic and config.value.whiten else prepared


def _targets(
    completion: Completion,
    advantage: float,
    reward: float,
    reference: Scores | None,
    values: Scores | None,
    config: PracticeConfig,
) -> Targets:
    """reference, values: None where no reference and no critic is asked for. With a critic, the reward is paid instead
    of the advantage."""
    old = np.array(completion.logprobs, dtype=np.float64)
    earned = np.zeros_like(old)
    if reference is not None and config.loss.kl_estimator == "k1":
        earned = -config.loss.kl_coefficient * kl_divergence(old, reference.logprobs, "k1")
    if values is not None:
        targets = _with_values(old, values, earned, reward, config)
    else:
        targets = Targets(old, advantage + earned, np.zeros_like(old))
    return targets if reference is None else replace(targets, reference=reference.logprobs)


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
    learned = [row.targets.advantages for group in prepared for _, rows in group for row in rows if row.kept]
    if not learned:
        return list(prepared)
    scaled = iter(
        np.split(whitened(np.concatenate(learned)), np.cumsum([len(each) for each in learned])[:-1])
    )

    def brought(row: _Row) -> _Row:
        return replace(row, targets=replace(row.targets, advantages=next(scaled))) if row.kept else row

    return [[(text, [brought(row) for row in rows]) for text, rows in group] for group in prepared]


def _parts(groups: Sequence[_Prepared], count: int) -> Iterator[Sequence[_Prepared]]:
    """Contiguous parts that are about equal, none of them empty."""
    for part in range(count):
        first, last = (len(groups) * edge // count for edge in (part, part + 1))
        if first < last:
            yield groups[first:last]


def _weighted(
    minibatch: Sequence[_Prepared], aggregation: Aggregation, budget: int
) -> tuple[list[Texts], list[list[Targets]]]:
    """What is left of a minibatch when completions without a part in the loss are dropped, each with its weight.

    A sample's tokens weigh the same in all its answers. budget: tokens that a sample may have.
    """
    samples = [(place, author) for place, group in enumerate(minibatch) for author in _by_author(group)]
    sizes = [
        sum(len(row.targets.old_logprobs) for row in rows)
        for group in minibatch
        for rows in _by_author(group).values()
    ]
    weights = dict(zip(samples, token_weights(sizes, [True] * len(sizes), aggregation, budget), strict=True))
    texts, targets = [], []
    for place, group in enumerate(minibatch):
        for text, rows in group:
            chosen = [row for row in rows if row.kept and len(row.targets.old_logprobs)]
            if chosen:
                texts.append(replace(text, completions=tuple(row.completion for row in chosen)))
                targets.append([_with_weight(row.targets, weights[place, row.author]) for row in chosen])
    return texts, targets


def _with_weight(targets: Targets, weight: float) -> Targets:
    return replace(targets, weights=np.full_like(targets.old_logprobs, weight))
