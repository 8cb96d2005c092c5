"""A learner that two processes share: what they make of a batch together is what one makes of it alone.

Two real processes and gloo, on the CPU.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from codeself.learning.language_model import LanguageModelLearner
from codeself.learning.ranks import Ranks, joined
from codeself.learning.shared_learner import SharedLearner, dealt
from codeself.learning.update import learn
from codeself.policies.backend import Completion
from codeself.records.errors import InfrastructureError, InputError
from codeself.records.practice import Arm
from tests.learning.batches import settings
from tests.learning.follower import following, made, shared
from tests.learning.test_language_model import LORA, groups_of, requests, sampled, weights_of

# Adam divides a gradient by its own size: where that is all but 0, rounding decides on a part of the rate.
SLOW = {"optimizer": {"learning_rate": 1e-5}, "value": {"learning_rate": 1e-5}}


@pytest.fixture(scope="module")
def ranks() -> Iterator[Ranks]:
    with following(), joined("cpu") as ranks:
        yield ranks
        ranks.broadcast(None)


def three_updates(learner: Any, groups: Any, arm: Arm, changes: dict[str, Any]) -> list[Any]:
    config = settings(**changes)
    return [learn(learner, groups, arm, config, 1.0, step) for step in range(3)]


@pytest.mark.parametrize(
    ("arm", "changes"),
    [
        ("grpo", SLOW | {"loss": {"kl_coefficient": 0.1}}),
        ("ppo", SLOW | {"lora": LORA, "groups_per_pass": 2}),
        ("grpo", {"optimizer": {"learning_rate": 1e-5, "minibatches": 3}}),
    ],
)
def test_updates_are_those_of_one_process_up_to_rounding(
    ranks: Ranks, tiny_model: Path, arm: Arm, changes: dict[str, Any]
) -> None:
    """Three minibatches of four groups: in two of them, a process has nothing to add."""
    critic = arm == "ppo"
    alone = made(tiny_model, critic=critic, **changes)
    before = weights_of(alone)
    groups = groups_of(sampled(alone))
    expected = three_updates(alone, groups, arm, changes)
    after = weights_of(alone)
    assert float((after - before).abs().max()) > 2e-5
    with shared(ranks, tiny_model, critic=critic, **changes) as learner:
        found = three_updates(learner, groups, arm, changes)
        # In float32: sums of some hundred terms in another order.
        assert float((weights_of(learner) - after).abs().max()) < 1e-6
    for one, other in zip(expected, found, strict=True):
        for (updated, targets), (shared_one, shared_targets) in zip(one.updates, other.updates, strict=True):
            assert shared_one.loss == pytest.approx(updated.loss, abs=1e-5)
            assert shared_one.gradient_norm == pytest.approx(updated.gradient_norm, rel=1e-4)
            for name in ("logprobs", "entropy"):
                ours, theirs = getattr(updated.scores, name), getattr(shared_one.scores, name)
                assert theirs == pytest.approx(ours, abs=1e-4)
            assert np.array_equal(targets.weights, shared_targets.weights)


def assert_alike(ours: Sequence[Completion], theirs: Sequence[Completion]) -> None:
    """The same words, with the same chances but for the rounding of another batch."""
    for one, other in zip(ours, theirs, strict=True):
        assert replace(one, logprobs=()) == replace(other, logprobs=())
        assert other.logprobs == pytest.approx(one.logprobs, abs=1e-5)


def test_it_draws_the_same_tokens_and_scores_them_alike(ranks: Ranks, tiny_model: Path) -> None:
    alone = made(tiny_model)
    texts = sampled(alone)
    counted: list[int] = []
    with shared(ranks, tiny_model) as learner:
        # The last one leaves a process without a request.
        for asked in (requests(4), requests(3), requests(1)[:1]):
            written = learner.policy.complete(asked, counted.append)
            assert sum(counted) == len(asked)
            assert_alike(alone.policy.complete(asked, lambda count: None), written)
            counted.clear()
        for ours, theirs in zip(alone.score(texts), learner.score(texts), strict=True):
            for one, other in zip(ours, theirs, strict=True):
                assert other.logprobs == pytest.approx(one.logprobs, abs=1e-5)
        assert learner.policy.identity.source == f"{alone.policy.identity.source}, 2 processes"


def test_twice_the_same_bits_and_as_well_from_a_state_in_between(ranks: Ranks, tiny_model: Path) -> None:
    from safetensors.torch import load, save

    def steps(learner: SharedLearner, count: int) -> list[float]:
        for step in range(count):
            learn(learner, groups_of(sampled(learner)), "grpo", settings(**fast), 1.0, step)
        return weights_of(learner).tolist()

    fast = {"optimizer": {"learning_rate": 3e-3}, "lora": LORA}
    with shared(ranks, tiny_model, **fast) as learner:
        steps(learner, 2)
        arrays, plain = learner.state()
        kept = save(dict(arrays))
        end = steps(learner, 2)
    with shared(ranks, tiny_model, **fast) as again:
        assert steps(again, 4) == end
    # Of another seed: everything that counts is in the state, and the leader alone has read it.
    with shared(ranks, tiny_model, seed=1, **fast) as resumed:
        resumed.restore((load(kept), plain))
        assert steps(resumed, 2) == end


def test_processes_that_did_not_make_the_same_update_end_the_run(
    ranks: Ranks, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    descend = LanguageModelLearner.descend
    with shared(ranks, tiny_model) as learner:
        groups = groups_of(sampled(learner))
        with monkeypatch.context() as patch:
            patch.setattr(
                LanguageModelLearner, "descend", lambda self, rate: descend(self, rate) * (1 + 1e-7)
            )
            with pytest.raises(
                InfrastructureError, match=r"have updated their weights by different gradients"
            ):
                learn(learner, groups, "grpo", settings(), 1.0, 0)


def test_a_process_without_a_gpu_of_its_own_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with one cannot be had here."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setenv("LOCAL_RANK", "1")
    with (
        pytest.raises(InputError, match=r"number 2 on this machine, and 1 GPU\(s\) can be seen"),
        joined("cuda"),
    ):
        pass


@given(st.lists(st.integers(0, 1000), max_size=30), st.integers(1, 8))
def test_work_is_dealt_out_whole_and_evenly(costs: list[int], parts: int) -> None:
    shares = dealt(costs, parts)
    assert len(shares) == parts
    assert sorted(place for share in shares for place in share) == list(range(len(costs)))
    assert all(share == sorted(share) for share in shares)
    loads = [sum(costs[place] for place in share) for share in shares]
    # Each part's last place was given to the part that had least then.
    assert max(loads) - min(loads) <= max(costs, default=0)
