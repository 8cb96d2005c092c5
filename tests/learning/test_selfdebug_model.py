"""A language model that learns from episodes: the gradient of one is the sum of its answers' own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from codeself.learning.language_model import LanguageModelLearner
from codeself.learning.learner import Texts
from codeself.learning.update import grouped, learn
from codeself.policies.backend import Completion, Prompt, Request
from tests.learning.batches import answers_to, paid, prompt, settings

# Of an episode: what it is asked first, and what then.
TURNS = ("def f(x):", "def f(x):\n    return x\n# f(1) returned 1, expected 2\ndef f(x):")


def learner(folder: Path, **changes: Any) -> LanguageModelLearner:
    # A step in which nothing moves: what is looked at is the gradient.
    still: dict[str, Any] = {"learning_rate": 1e-30, "max_grad_norm": 1e9}
    config = settings(
        **{"optimizer": still, "informative_only": False, "samples": 2, "revisions": 1} | changes
    )
    return LanguageModelLearner(
        folder, config, dtype="float32", device="cpu", threads=1, batch_size=8, critic=False, seed=0
    )


def episodes(model: LanguageModelLearner, samples: int = 2) -> list[list[tuple[Prompt, Completion]]]:
    """What each sample was asked and wrote, in two turns."""
    asked = [
        Request("t", prompt(text), "sampled", n, 10 * turn + n, settings().temperature, 1.0, 6 + 2 * n)
        for turn, text in enumerate(TURNS)
        for n in range(samples)
    ]
    written = model.policy.complete(asked, lambda count: None)
    turns = [(request.prompt, answer) for request, answer in zip(asked, written, strict=True)]
    return [[turns[n], turns[samples + n]] for n in range(samples)]


def gradient(model: LanguageModelLearner, groups: list[Any], arm: str = "grpo-selfdebug") -> torch.Tensor:
    """Of one update, unclipped."""
    found: list[torch.Tensor] = []
    step = model._optimizer.step

    def spied() -> None:
        found.extend(weight.grad.clone().flatten() for weight in model._trained() if weight.grad is not None)
        step()

    model._optimizer.step = spied  # type: ignore[method-assign]
    learn(model, groups, arm, model._config, 1.0, 0)  # type: ignore[arg-type]
    return torch.cat(found)


@pytest.mark.parametrize("size", [1, 3])
def test_the_gradient_of_an_episode_is_the_sum_of_its_answers(tiny_model: Path, size: int) -> None:
    """With the constant aggregation, whose weights do not depend on what else is in the batch."""
    changes: dict[str, Any] = {"loss": {"aggregation": "constant"}, "groups_per_pass": size}
    model = learner(tiny_model, **changes)
    both, pay = episodes(model), paid([1, 0])
    whole = gradient(learner(tiny_model, **changes), [grouped("t", both, pay)])
    parts = []
    for turn in range(2):
        one = Texts("t", both[0][turn][0], tuple(each[turn][1] for each in both))
        parts.append(gradient(learner(tiny_model, **changes), [answers_to(one, pay)]))
    assert float(whole.norm()) > 0
    assert all(float(part.norm()) > 0.05 * float(whole.norm()) for part in parts)
    assert float((whole - sum(parts)).norm()) < 1e-5 * float(whole.norm())


def test_an_episode_of_one_answer_is_a_plain_arms_sample(tiny_model: Path) -> None:
    first = [each[:1] for each in episodes(learner(tiny_model))]
    group = grouped("t", first, paid([1, 0]))
    one = Texts("t", first[0][0][0], tuple(each[0][1] for each in first))
    assert group == answers_to(one, group.paid)
    found = [gradient(learner(tiny_model), [group], arm) for arm in ("grpo", "grpo-selfdebug")]
    assert torch.equal(*found)


def test_the_chances_of_a_later_answer_are_those_it_was_drawn_with(tiny_model: Path) -> None:
    model = learner(tiny_model)
    report = learn(
        model, [grouped("t", episodes(model), paid([1, 0]))], "grpo-selfdebug", model._config, 1.0, 0
    )
    ((updated, targets),) = report.updates
    assert updated.scores.logprobs == pytest.approx(targets.old_logprobs, abs=1e-4)
    assert report.tokens == len(targets.old_logprobs) > 20
