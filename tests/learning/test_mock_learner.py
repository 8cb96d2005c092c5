"""The mock's arithmetic: its gradient is the analytic one, its optimizer AdamW, and it learns what it is paid for."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codeself.learning.learner import Texts
from codeself.learning.mock_learner import MockLearner
from codeself.learning.objective import Objective, Scores, Targets
from codeself.learning.update import learn
from codeself.policies.mock import MockPolicy
from codeself.records.errors import InputError
from codeself.records.practice import Arm, LossConfig, ValueConfig
from tests.learning.batches import answers_to, completion, paid, prompt, settings, targets
from tests.made_tasks import adding_task

TASKS = [adding_task(number) for number in range(1, 5)]
PLAIN = Objective("surrogate", LossConfig())
KINDS = ((1, 1), (1, 0), (0,))  # right, wrong, and no program


def made(critic: bool = False, **changes: Any) -> MockLearner:
    config = settings(**{"optimizer": {"learning_rate": 0.05}} | changes)
    return MockLearner(MockPolicy(TASKS, 0.4, 0.2, 1.0), config, critic)


def texts_of(learner: MockLearner) -> list[Texts]:
    """Each kind of answer to each task, with the chance that it has."""
    texts = []
    for task in TASKS:
        bare = Texts(task.task_id, prompt(), tuple(completion(kind) for kind in KINDS))
        (scores,) = learner.score([bare])
        written = [completion(k, s.logprobs.tolist()) for k, s in zip(KINDS, scores, strict=True)]
        texts.append(Texts(task.task_id, prompt(), tuple(written)))
    return texts


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_the_chances_of_the_three_kinds_add_up() -> None:
    learner = made()
    for each, group in zip(texts_of(learner), learner.score(texts_of(learner)), strict=True):
        chances = [math.exp(scores.logprobs.sum()) for scores in group]
        assert sum(chances) == pytest.approx(1.0)
        assert chances[2] == pytest.approx(0.2)
        assert chances[0] == pytest.approx(0.8 * learner.policy.chance(each.task_id))
        entropy = -sum(p * math.log(p) for p in (0.8, 0.2))
        assert group[2].entropy == pytest.approx([entropy])


def test_scores_are_the_chances_with_which_answers_were_drawn() -> None:
    from codeself.policies.backend import Request

    learner = made()
    task = TASKS[0]
    asked = [Request(task.task_id, prompt(), "sampled", n, n, 0.8, 1.0, 64) for n in range(30)]
    written = learner.policy.complete(asked, lambda count: None)
    (scores,) = learner.score([Texts(task.task_id, prompt(), tuple(written))])
    assert len({c.token_ids for c in written}) == 3
    for answer, found in zip(written, scores, strict=True):
        assert found.logprobs == pytest.approx(np.array(answer.logprobs))


def test_the_gradient_is_the_analytic_one() -> None:
    """Of a logistic decision d with log-odds x, log-probability has the slope d - logistic(x)."""
    learner = made()
    texts = texts_of(learner)
    advantages = [[1.0, -0.5, -2.0], [0.3, 0.1, 1.0], [-1.0, 2.0, 0.0], [1.0, 1.0, 1.0]]
    given = [targets(each.completions, row, 0.1) for each, row in zip(texts, advantages, strict=True)]
    expected = np.zeros(2)
    for each, row in zip(texts, advantages, strict=True):
        odds = (
            learner.policy.log_odds[0],
            learner.policy.log_odds[1] + learner.policy.difficulty(each.task_id),
        )
        for answer, advantage in zip(each.completions, row, strict=True):
            for place, decision in enumerate(answer.token_ids):
                expected[place] -= 0.1 * advantage * (decision - logistic(odds[place]))
    updated = learner.update(texts, given, PLAIN, 1.0)
    assert updated.gradient_norm == pytest.approx(float(np.linalg.norm(expected)), abs=1e-8)
    moments = learner.state()[1]["moments"]
    assert moments[0][:2] == pytest.approx((0.1 * expected).tolist(), abs=1e-8)
    assert moments[0][2] == 0.0


def test_the_value_has_the_analytic_gradient() -> None:
    learner = made(critic=True)
    texts = texts_of(learner)[:1]
    answer = texts[0].completions[2]
    bare = Targets(np.array(answer.logprobs), np.zeros(1), np.ones(1))
    full = Targets(bare.old_logprobs, bare.advantages, bare.weights, None, np.ones(1), np.full(1, 0.5))
    one = [Texts(texts[0].task_id, prompt(), (answer,))]
    learner.update(one, [[full]], Objective("surrogate", LossConfig(), ValueConfig(coefficient=2.0)), 1.0)
    # Half the squared error of logistic(0) = 1/2 from 1, twice: slope 2 x (1/2 - 1) x 1/4.
    assert learner.state()[1]["moments"][0] == pytest.approx([0, 0, 0.1 * -0.25], abs=1e-9)


def test_its_optimizer_is_torchs_adamw() -> None:
    torch = pytest.importorskip("torch")
    changes = {"learning_rate": 0.05, "weight_decay": 0.1, "beta1": 0.8, "beta2": 0.9, "max_grad_norm": 0.02}
    learner = made(critic=True, optimizer=changes, value={"learning_rate": 0.3})
    weights = torch.tensor([*learner.policy.log_odds, 0.0], dtype=torch.float64)
    policy, value = (torch.nn.Parameter(weights[part].clone()) for part in (slice(0, 2), slice(2, 3)))
    groups = [{"params": [policy], "lr": 0.05}, {"params": [value], "lr": 0.3, "weight_decay": 0.0}]
    theirs = torch.optim.AdamW(groups, betas=(0.8, 0.9), weight_decay=0.1)
    for gradient in ([0.3, -0.2, 0.1], [0.001, 0.0, -0.002], [-1.0, 2.0, 0.5]):
        ours = np.array(gradient)
        ours *= min(1.0, 0.02 / (np.linalg.norm(ours) + 1e-6))
        policy.grad, value.grad = torch.tensor(gradient[:2]).double(), torch.tensor(gradient[2:]).double()
        torch.nn.utils.clip_grad_norm_([policy, value], 0.02)
        theirs.step()
        learner._descend(ours, 1.0)
        found = torch.cat([policy, value]).detach().numpy()
        assert learner.state()[1]["weights"] == pytest.approx(found.tolist(), rel=1e-6)


@pytest.mark.parametrize("arm", ["grpo", "ppo", "rejection"])
def test_it_learns_what_it_is_paid_for(arm: Arm) -> None:
    learner = made(critic=arm == "ppo", optimizer={"learning_rate": 0.2})
    before = [learner.policy.chance(task.task_id) for task in TASKS]
    for _ in range(10):
        groups = [answers_to(each, paid([1, 0, 0])) for each in texts_of(learner)]
        learn(learner, groups, arm, learner._config, 1.0, 0)
    after = [learner.policy.chance(task.task_id) for task in TASKS]
    assert all(late > early + 0.1 for early, late in zip(before, after, strict=True))
    assert learner.policy.log_odds[0] > math.log(4)


def test_the_reference_is_what_it_began_as() -> None:
    learner = made(loss={"kl_coefficient": 0.1})
    texts = texts_of(learner)
    start = [scores.logprobs.tolist() for group in learner.score(texts) for scores in group]

    def reference() -> list[list[float]]:
        return [s.logprobs.tolist() for group in learner.score(texts, reference=True) for s in group]

    assert reference() == start
    learn(learner, [answers_to(each, paid([1, 0, 0])) for each in texts], "grpo", learner._config, 1.0, 0)
    assert reference() == start
    assert [s.logprobs.tolist() for group in learner.score(texts) for s in group] != start


def test_a_state_is_all_that_the_next_update_depends_on() -> None:
    def step(learner: MockLearner) -> list[float]:
        groups = [answers_to(each, paid([1, 0, 0])) for each in texts_of(learner)]
        learn(learner, groups, "ppo", learner._config, 1.0, 0)
        return [*learner.policy.log_odds, *learner.state()[1]["weights"]]

    first = made(critic=True)
    step(first)
    second = made(critic=True)
    second.restore(first.state())
    assert step(second) == step(first)


def test_what_is_saved_is_what_is_read(tmp_path: Path) -> None:
    learner = made()
    learn(
        learner, [answers_to(e, paid([1, 0, 0])) for e in texts_of(learner)], "grpo", learner._config, 1.0, 0
    )
    learner.save(tmp_path / "policy", "grpo, seed 0")
    read = MockPolicy.read(TASKS, tmp_path / "policy")
    assert read.log_odds == learner.policy.log_odds
    assert read.chance("made/add_1") == learner.policy.chance("made/add_1")
    assert "grpo, seed 0" in read.identity.source


@pytest.mark.parametrize(
    ("right", "unparsable"), [(1.0, 0.0), (0.0, 0.1), (0.5, 0.0), (0.9, 0.1), (0.0, 1.0)]
)
def test_certainty_has_no_gradient(right: float, unparsable: float) -> None:
    with pytest.raises(InputError, match="there is no gradient at certainty"):
        MockLearner(MockPolicy(TASKS, right, unparsable, 1.0), settings(), False)


@pytest.mark.parametrize("odds", [-800.0, -40.0, 40.0, 800.0])
def test_far_from_even_nothing_overflows(odds: float) -> None:
    learner = made()
    learner.restore(({}, {"weights": [odds, odds, 0.0], "moments": [[0.0] * 3] * 2, "updates": 0}))
    for group in learner.score([Texts("made/add_1", prompt(), tuple(completion(k) for k in KINDS))]):
        for scores in group:
            assert isinstance(scores, Scores)
            assert np.isfinite(scores.logprobs).all()
            assert np.isfinite(scores.entropy).all()
