"""From paid groups to updates: who has a part, with which weight, in which order, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from codeself.learning.advantages import generalized_advantages, group_advantages
from codeself.learning.learner import State, Texts, Updated, joined
from codeself.learning.objective import Objective, Scores, Targets
from codeself.learning.update import Group, UpdateReport, learn
from codeself.policies.backend import Completion
from codeself.policies.mock import MockPolicy
from codeself.records.practice import Arm
from codeself.records.rollouts import FinishReason
from tests.learning.batches import answers_to, completion, paid, prompt, settings

Update = tuple[list[Texts], list[list[Targets]]]


class Listener:
    """A learner with fixed scores that writes down what it is given. value: expected at every token."""

    def __init__(self, value: float = 0.25, reference: float = -1.5) -> None:
        self.policy = MockPolicy([], 0.5, 0.1, 1.0)
        self.updates: list[Update] = []
        self.asked: list[bool] = []  # for the reference, or not
        self._value = value
        self._reference = reference

    def score(self, texts: Sequence[Texts], *, reference: bool = False) -> list[list[Scores]]:
        self.asked.append(reference)
        return [[self._scores(c, reference) for c in each.completions] for each in texts]

    def update(
        self, texts: Sequence[Texts], targets: Sequence[Sequence[Targets]], objective: Objective, rate: float
    ) -> Updated:
        self.updates.append((list(texts), [list(each) for each in targets]))
        every = [target for group in targets for target in group]
        assert [len(t.weights) for t in every] == [
            len(c.token_ids) for each in texts for c in each.completions
        ]
        scores = joined([self._scores(c, False) for each in texts for c in each.completions])
        return Updated(float(objective(scores, Targets.joined(every))), 1.0, scores)

    def state(self) -> State:
        return {}, {}

    def _scores(self, completion: Completion, reference: bool) -> Scores:
        size = len(completion.token_ids)
        logprobs = np.full(size, self._reference) if reference else np.array(completion.logprobs)
        return Scores(logprobs, np.ones(size), np.full(size, self._value))


def group(
    name: str,
    rewards: Sequence[float],
    lengths: Sequence[int] = (2, 3, 1, 4),
    cut: Sequence[int] = (),
    **more: Any,
) -> Group:
    """cut: places of the completions that the token budget cut off."""

    def finish(place: int) -> FinishReason:
        return "length" if place in cut else "stop"

    made = tuple(completion([7] * size, finish=finish(at)) for at, size in enumerate(lengths))
    return answers_to(Texts(name, prompt(name), made), paid(rewards, **more))


def run(
    groups: Sequence[Group], arm: Arm = "grpo", seed: int = 0, **changes: Any
) -> tuple[Listener, UpdateReport]:
    listener = Listener()
    report = learn(listener, groups, arm, settings(**changes), 1.0, seed)  # type: ignore[arg-type]
    return listener, report


def names(update: Update) -> list[str]:
    return [texts.task_id for texts in update[0]]


def test_groups_that_tell_nothing_have_no_part() -> None:
    groups = [group("a", [1, 0, 0, 0]), group("b", [1, 1, 1, 1]), group("c", [0, 0, 0, 0])]
    listener, report = run(groups)
    assert [names(update) for update in listener.updates] == [["a"]]
    assert (report.groups, report.completions, report.tokens) == (1, 4, 10)
    listener, report = run(groups, informative_only=False)
    assert [names(update) for update in listener.updates] == [["a", "b", "c"]]
    assert report.completions == 12


def test_shaped_rewards_make_no_group_informative() -> None:
    shaped = group("a", [0.1, 0.2, 0.3, 0.4], outcomes=[False] * 4)
    listener, report = run([shaped])
    assert listener.updates == []
    assert report.groups == 0


def test_advantages_and_weights_reach_every_token() -> None:
    listener, report = run([group("a", [1, 0, 0, 0]), group("b", [1, 1, 0, 0])])
    expected = group_advantages([[1, 0, 0, 0], [1, 1, 0, 0]])
    ((_, given),) = listener.updates
    for row, each in enumerate(given):
        for place, target in enumerate(each):
            assert target.advantages.tolist() == [expected[row, place]] * (2, 3, 1, 4)[place]
            assert target.weights == pytest.approx(np.full(len(target.weights), 1 / 20))
            assert target.reference is target.returns is target.old_values is None
    assert report.advantages == pytest.approx(expected.ravel())


def test_rejection_imitates_what_passed_and_nothing_else() -> None:
    listener, report = run([group("a", [0, 1, 0, 1]), group("b", [0, 0, 1, 0])], "rejection")
    ((texts, given),) = listener.updates
    assert [[len(c.token_ids) for c in each.completions] for each in texts] == [[3, 4], [1]]
    assert {float(x) for each in given for t in each for x in t.advantages} == {1.0}
    assert sum(t.weights.sum() for each in given for t in each) == pytest.approx(1.0)
    assert (report.completions, report.tokens) == (3, 8)


@pytest.mark.parametrize("arm", ["grpo", "ppo", "rejection"])
def test_what_was_cut_off_is_left_out_where_that_is_asked(arm: Arm) -> None:
    groups = [group("a", [1, 1, 0, 0], cut=(0, 3)), group("b", [1, 0, 0, 0], cut=(0, 1, 2, 3))]
    listener, report = run(groups, arm, loss={"mask_truncated": True})
    ((texts, given),) = listener.updates
    left = [1] if arm == "rejection" else [1, 2]
    assert [t.task_id for t in texts] == ["a"]
    assert [len(c.token_ids) for c in texts[0].completions] == [(2, 3, 1, 4)[place] for place in left]
    assert sum(t.weights.sum() for t in given[0]) == pytest.approx(1.0)
    assert report.completions == len(left)
    # A group's mean is over all that were paid, those cut off too.
    if arm == "grpo":
        mean = group_advantages([[1, 1, 0, 0]])[0]
        assert [float(t.advantages[0]) for t in given[0]] == pytest.approx([mean[1], mean[2]])
    whole, report = run(groups, arm)
    assert len(whole.updates[0][0]) == 2


def test_nothing_left_is_no_update() -> None:
    listener, report = run([group("a", [1, 0, 0, 0], cut=range(4))], loss={"mask_truncated": True})
    assert listener.updates == []
    assert (report.completions, len(report.advantages), report.updates) == (0, 0, ())
    assert run([])[1].groups == 0


def test_epochs_and_minibatches_share_the_groups_out() -> None:
    groups = [group(name, [1, 0, 0, 0]) for name in "abcde"]
    listener, report = run(groups, optimizer={"epochs": 3, "minibatches": 2}, prompts_per_step=5)
    met = [names(update) for update in listener.updates]
    assert met[:2] == [["a", "b"], ["c", "d", "e"]]
    for epoch in range(3):
        assert sorted(met[2 * epoch] + met[2 * epoch + 1]) == list("abcde")
    assert met[2:4] != met[:2]
    assert met[2:4] != met[4:]
    again, _ = run(groups, optimizer={"epochs": 3, "minibatches": 2}, prompts_per_step=5)
    other, _ = run(groups, optimizer={"epochs": 3, "minibatches": 2}, prompts_per_step=5, seed=9)
    assert [names(u) for u in again.updates] == met
    assert [names(u) for u in other.updates][2:] != met[2:]
    assert (report.completions, report.tokens) == (20, 150)
    # Each minibatch is a mean of its own.
    for _, given in listener.updates:
        assert sum(t.weights.sum() for each in given for t in each) == pytest.approx(1.0)


def test_more_minibatches_than_groups_are_no_empty_updates() -> None:
    listener, _ = run([group("a", [1, 0, 0, 0])], optimizer={"minibatches": 4})
    assert [names(update) for update in listener.updates] == [["a"]]


def test_the_reference_is_asked_for_only_where_it_counts() -> None:
    groups = [group("a", [1, 0, 0, 0])]
    assert run(groups)[0].asked == []
    listener, _ = run(groups, loss={"kl_coefficient": 0.1})
    assert listener.asked == [True]
    target = listener.updates[0][1][0][0]
    assert target.reference is not None
    assert target.reference.tolist() == [-1.5, -1.5]
    assert len(set(target.advantages)) == 1


def test_a_k1_term_is_paid_at_every_token() -> None:
    listener, _ = run([group("a", [1, 0, 0, 0])], loss={"kl_coefficient": 0.1, "kl_estimator": "k1"})
    plain = group_advantages([[1, 0, 0, 0]])[0]
    for place, target in enumerate(listener.updates[0][1][0]):
        # Written at -1.0 each, -1.5 under the reference: half a nat above it.
        assert target.advantages == pytest.approx(np.full(len(target.weights), plain[place] - 0.1 * 0.5))


def test_ppo_pays_at_the_last_token_and_expects_at_each() -> None:
    value = {"whiten": False, "trace": 0.9, "discount": 0.8}
    listener, report = run([group("a", [1, 0, 0, 0])], "ppo", value=value)
    assert listener.asked == [False]
    for place, target in enumerate(listener.updates[0][1][0]):
        size = (2, 3, 1, 4)[place]
        rewards = np.zeros(size)
        rewards[-1] = float(place == 0)
        advantages, returns = generalized_advantages(rewards, np.full(size, 0.25), discount=0.8, trace=0.9)
        assert target.advantages == pytest.approx(advantages)
        assert target.returns == pytest.approx(returns)
        assert target.old_values is not None
        assert target.old_values.tolist() == [0.25] * size
    assert report.completions == 4


def test_ppo_with_a_k1_term_pays_both() -> None:
    changes: dict[str, Any] = {
        "value": {"whiten": False},
        "loss": {"kl_coefficient": 0.1, "kl_estimator": "k1"},
    }
    listener, _ = run([group("a", [1, 0, 0, 0])], "ppo", **changes)
    first = listener.updates[0][1][0][0]
    expected, _ = generalized_advantages([-0.05, 0.95], [0.25, 0.25])
    assert first.advantages == pytest.approx(expected)


def test_whitening_is_over_the_tokens_that_are_learned_from() -> None:
    groups = [group("a", [1, 1, 0, 0], cut=(0,)), group("b", [1, 0, 0, 0])]
    listener, _ = run(groups, "ppo", loss={"mask_truncated": True})
    every = np.concatenate([t.advantages for each in listener.updates[0][1] for t in each])
    assert len(every) == 18
    assert every.mean() == pytest.approx(0, abs=1e-9)
    assert every.std() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("referenced", [True, False])
def test_the_reference_is_asked_where_no_term_wants_it_and_changes_nothing(referenced: bool) -> None:
    listener: Any = Listener()
    groups, config = [group("a", [1, 0, 0, 1])], settings()
    report = learn(listener, groups, "grpo", config, 1.0, 0, referenced=referenced)
    assert listener.asked == ([True] if referenced else [])
    ((_, targets),) = report.updates
    assert (targets.reference is not None) == referenced
    plain: Any = Listener()
    ((made, _),) = learn(plain, groups, "grpo", config, 1.0, 0).updates
    assert report.updates[0][0].loss == made.loss
