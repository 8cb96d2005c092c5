"""A language model that learns: the same however its work is cut, and what is saved is what has learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from codeself.learning.adapters import check_targets
from codeself.learning.language_model import LanguageModelLearner
from codeself.learning.learner import Learner, Texts
from codeself.learning.objective import Objective
from codeself.learning.update import Group, learn
from codeself.policies.backend import Request
from codeself.policies.transformers import TransformersPolicy
from codeself.records.errors import CodeselfError, InputError
from codeself.records.practice import Arm, LoraConfig, LossConfig
from tests.learning.batches import answers_to, paid, prompt, settings, targets

LORA = {"rank": 4, "alpha": 8, "targets": ["q_proj", "v_proj", "down_proj"]}
# The learning rate is large: within a few updates the tiny model must have moved far.
FAST = {"learning_rate": 3e-3}
OPENINGS = ("def f(x):", "def longer(first, second):", "x", "class A: #")
PLAIN = Objective("surrogate", LossConfig())


def learner(
    folder: Path, *, critic: bool = False, dtype: str = "float32", seed: int = 0, **changes: Any
) -> LanguageModelLearner:
    config = settings(**{"optimizer": FAST} | changes)
    return LanguageModelLearner(
        folder, config, dtype=dtype, device="cpu", threads=1, batch_size=8, critic=critic, seed=seed
    )


def requests(samples: int = 4, tokens: int = 10, greedy: bool = False) -> list[Request]:
    """The temperature is that of the settings: what is scored is what was drawn."""
    decoding, temperature = ("greedy", 0.0) if greedy else ("sampled", settings().temperature)
    return [
        Request(f"t/{place}", prompt(text), decoding, n, 100 * place + n, temperature, 1.0, tokens)  # type: ignore[arg-type]
        for place, text in enumerate(OPENINGS)
        for n in range(samples)
    ]


def sampled(model: Learner, samples: int = 4, tokens: int = 10) -> list[Texts]:
    asked = requests(samples, tokens)
    written = model.policy.complete(asked, lambda count: None)
    return [
        Texts(asked[at].task_id, asked[at].prompt, tuple(written[at : at + samples]))
        for at in range(0, len(asked), samples)
    ]


def groups_of(texts: Sequence[Texts]) -> list[Group]:
    """Every other completion is paid."""
    return [answers_to(each, paid([float(n % 2) for n in range(len(each.completions))])) for each in texts]


def weights_of(model: Learner) -> torch.Tensor:
    arrays, _ = model.state()
    return torch.cat([array.flatten() for name, array in arrays.items() if name.startswith("weight.")])


def steps(model: LanguageModelLearner, arm: Arm = "grpo", count: int = 3) -> torch.Tensor:
    for step in range(count):
        learn(model, groups_of(sampled(model)), arm, model._config, 1.0, step)
    return weights_of(model)


def total_logprob(model: LanguageModelLearner, texts: Sequence[Texts]) -> list[list[float]]:
    return [[float(scores.logprobs.sum()) for scores in group] for group in model.score(texts)]


# Sampling and scoring


def test_scores_are_the_chances_with_which_tokens_were_drawn(tiny_model: Path) -> None:
    model = learner(tiny_model)
    texts = sampled(model)
    for each, group in zip(texts, model.score(texts), strict=True):
        for completion, scores in zip(each.completions, group, strict=True):
            assert scores.logprobs == pytest.approx(np.array(completion.logprobs), abs=1e-4)
            assert (scores.entropy > 0).all()
            assert scores.values is None


def test_entropy_is_that_of_the_next_token(tiny_model: Path) -> None:
    model = learner(tiny_model)
    (text, *_) = sampled(model)
    ids = model.policy.text.prompt_ids(text.prompt, text.task_id, 0) + list(text.completions[0].token_ids)
    with torch.no_grad():
        logits = model.policy.model(torch.tensor([ids])).logits[0]
    chances = torch.softmax(logits / settings().temperature, dim=-1).double()
    expected = -(chances * chances.log()).sum(dim=-1)[len(ids) - len(text.completions[0].token_ids) - 1 : -1]
    assert model.score([text])[0][0].entropy == pytest.approx(expected.numpy(), abs=1e-5)


# However the work is cut


@pytest.mark.parametrize("lora", [None, LORA])
@pytest.mark.parametrize("arm", ["grpo", "ppo"])
def test_groups_a_pass_do_not_change_the_result(
    tiny_model: Path, arm: Arm, lora: dict[str, Any] | None
) -> None:
    found = []
    for size in (1, 2, 4):
        model = learner(
            tiny_model,
            critic=arm == "ppo",
            lora=lora,
            groups_per_pass=size,
            loss={"kl_coefficient": 0.1},
            # Adam divides a gradient by its own size: where that is all but 0, rounding decides on a part of the rate.
            optimizer={"learning_rate": 1e-5},
            value={"learning_rate": 1e-5},
        )
        before = weights_of(model)
        found.append(steps(model, arm))
    assert float((found[0] - before).abs().max()) > 2e-5
    for other in found[1:]:
        assert float((other - found[0]).abs().max()) < 1e-6


def test_gradient_accumulation_does_not_change_the_gradient(tiny_model: Path) -> None:
    found = []
    for size in (1, 2, 4):
        model = learner(tiny_model, groups_per_pass=size)
        gradients = capture_gradient(model)
        report = learn(model, groups_of(sampled(model)), "grpo", model._config, 1.0, 0)
        ((updated, _),) = report.updates
        found.append((updated, torch.cat([g.flatten() for g in gradients])))
    first, gradient = found[0]
    for updated, other in found[1:]:
        assert updated.loss == pytest.approx(first.loss, abs=1e-6)
        assert updated.gradient_norm == pytest.approx(first.gradient_norm, rel=1e-5)
        assert float((other - gradient).norm()) < 1e-5 * float(gradient.norm())


def capture_gradient(model: LanguageModelLearner) -> list[torch.Tensor]:
    """Filled, at the next update, with the gradient that the optimizer is given."""
    found: list[torch.Tensor] = []
    step = model._optimizer.step

    def spied() -> None:
        found.extend(weight.grad.clone() for weight in model._trained() if weight.grad is not None)
        step()

    model._optimizer.step = spied  # type: ignore[method-assign]
    return found


def test_a_minibatchs_loss_is_the_sum_of_what_its_groups_add(tiny_model: Path) -> None:
    model = learner(tiny_model, optimizer={"learning_rate": 1e-30})
    texts = sampled(model)
    made = [targets(each.completions, [1.0, -1.0, 0.5, 2.0], weight=0.01) for each in texts]
    whole = model.update(texts, made, PLAIN, 1.0).loss
    parts = [model.update([each], [own], PLAIN, 1.0).loss for each, own in zip(texts, made, strict=True)]
    assert sum(parts) == pytest.approx(whole, abs=1e-6)


@pytest.mark.parametrize("autocast", ["none", "bfloat16"])
@pytest.mark.parametrize("lora", [None, LORA])
def test_computing_activations_twice_changes_nothing_but_the_work(
    tiny_model: Path, lora: dict[str, Any] | None, autocast: str
) -> None:
    found, calls = [], []
    for twice in (False, True):
        model = learner(tiny_model, gradient_checkpointing=twice, lora=lora, autocast=autocast)
        counted: list[int] = []
        layer = next(m for name, m in model._model.named_modules() if name.endswith("layers.0.mlp"))
        texts = sampled(model)
        made = [targets(each.completions, [1.0, -1.0, 0.5, 2.0]) for each in texts]
        layer.register_forward_pre_hook(lambda *_, counted=counted: counted.append(1))
        model.update(texts, made, PLAIN, 1.0)
        calls.append(len(counted))
        found.append(weights_of(model))
    assert torch.equal(*found)
    assert calls[1] == 2 * calls[0]


# Adapters


def test_adapters_begin_as_the_base(tiny_model: Path) -> None:
    base, adapted = learner(tiny_model), learner(tiny_model, lora=LORA)
    assert sampled(adapted) == sampled(base)
    texts = sampled(base)
    for one, other in zip(base.score(texts), adapted.score(texts), strict=True):
        for a, b in zip(one, other, strict=True):
            assert a.logprobs.tolist() == b.logprobs.tolist()


def test_adapters_learn_and_the_base_stays(tiny_model: Path) -> None:
    model = learner(tiny_model, lora=LORA, loss={"kl_coefficient": 0.1})
    texts = sampled(model)
    before = model.score(texts, reference=True)
    trained = len(weights_of(model))
    assert trained < 8000
    assert all(weight.requires_grad for weight in model._trained())
    steps(model)
    after = model.score(texts, reference=True)
    assert [s.logprobs.tolist() for g in after for s in g] == [s.logprobs.tolist() for g in before for s in g]
    assert total_logprob(model, texts) != [[float(s.logprobs.sum()) for s in g] for g in before]


def test_the_sampler_has_the_adapters_of_now(tiny_model: Path) -> None:
    model = learner(tiny_model, lora=LORA)
    first = sampled(model)
    steps(model)
    texts = sampled(model)
    assert texts != first
    for each, group in zip(texts, model.score(texts), strict=True):
        for completion, scores in zip(each.completions, group, strict=True):
            assert scores.logprobs == pytest.approx(np.array(completion.logprobs), abs=1e-4)


@pytest.mark.parametrize("others", [[], ["q_proj"]])
def test_a_layer_that_is_not_there_is_one_line(tiny_model: Path, others: list[str]) -> None:
    words = r"^practice\.lora\.targets: 'none_such' is no layer of this model; expected some of .*v_proj$"
    with pytest.raises(InputError, match=words):
        learner(tiny_model, lora={"targets": [*others, "none_such"]})


def test_a_layer_that_takes_no_adapter_is_one_line(tiny_model: Path) -> None:
    with pytest.raises(InputError, match=r"^practice\.lora\.targets: Target module .* is not supported"):
        learner(tiny_model, lora={"targets": ["q_proj", "input_layernorm"]})


@pytest.mark.parametrize("target", ["lm_head", "embed_tokens"])
def test_an_end_that_is_tied_to_the_other_takes_no_adapter(
    tiny_model: Path, tmp_path: Path, target: str
) -> None:
    config = AutoConfig.from_pretrained(tiny_model, tie_word_embeddings=True)
    tied = AutoModelForCausalLM.from_config(config)
    check_targets(tied, LoraConfig(targets=("q_proj",)))
    with pytest.raises(InputError, match=rf"^practice\.lora\.targets: '{target}' shares its weight"):
        check_targets(tied, LoraConfig(targets=("q_proj", target)))
    # Of its own in the tiny model, it takes one, and the policy that is written has it.
    model = learner(tiny_model, lora={"rank": 4, "targets": [target]})
    texts = sampled(model)
    steps(model)
    assert sampled(model) != texts
    model.save(tmp_path / "policy", "x")
    read = TransformersPolicy(tmp_path / "policy", "float32", "cpu", 1, 8)
    assert read.complete(requests(), lambda count: None) == model.policy.complete(
        requests(), lambda count: None
    )


# What is saved


@pytest.mark.parametrize("lora", [None, LORA])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_saved_policy_writes_what_the_learner_would(
    tiny_model: Path, tmp_path: Path, lora: dict[str, Any] | None, dtype: str
) -> None:
    model = learner(tiny_model, lora=lora, dtype=dtype)
    before = model.policy.complete(requests(2, 20, greedy=True), lambda count: None)
    steps(model)
    model.save(tmp_path / "policy", "grpo, seed 0")
    read = TransformersPolicy(tmp_path / "policy", dtype, "cpu", 1, 8)
    for greedy in (True, False):
        asked = requests(2, 20, greedy=greedy)
        assert read.complete(asked, lambda count: None) == model.policy.complete(asked, lambda count: None)
    assert read.complete(requests(2, 20, greedy=True), lambda count: None) != before
    assert "grpo, seed 0" in read.identity.source
    names = {path.name for path in tmp_path.joinpath("policy").iterdir()}
    assert names == {path.name for path in tiny_model.iterdir()}


def test_saved_weights_are_float32_and_have_the_bases_names(tiny_model: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    base = load_file(tiny_model / "model.safetensors")
    for lora in (None, LORA):
        model = learner(tiny_model, lora=lora, dtype="bfloat16")
        steps(model, count=1)
        model.save(tmp_path / "policy", "x")
        found = load_file(tmp_path / "policy" / "model.safetensors")
        assert {n: (w.shape, w.dtype) for n, w in found.items()} == {
            n: (w.shape, w.dtype) for n, w in base.items()
        }


def test_a_disk_that_takes_no_more_is_one_line_and_no_folder(tiny_model: Path, tmp_path: Path) -> None:
    import resource

    model = learner(tiny_model)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        with pytest.raises(CodeselfError, match=r"policy: cannot be written: .*File too large"):
            model.save(tmp_path / "policy", "x")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


# What it learns


@pytest.mark.parametrize("lora", [None, LORA])
def test_a_step_raises_what_was_paid_and_lowers_the_rest(
    tiny_model: Path, lora: dict[str, Any] | None
) -> None:
    model = learner(tiny_model, lora=lora, optimizer={"learning_rate": 1e-3 if lora is None else 1e-2})
    texts = sampled(model)
    before = np.array(total_logprob(model, texts))
    # An adapter's second matrix is 0 at first, so that its first gradient is small.
    for _ in range(1 if lora is None else 3):
        learn(model, groups_of(texts), "grpo", model._config, 1.0, 0)
    moved = np.array(total_logprob(model, texts)) - before
    assert moved[:, 1::2].mean() > 0
    assert moved[:, ::2].mean() < 0
    assert (moved[:, 1::2].mean(axis=1) > moved[:, ::2].mean(axis=1)).all()


def test_rejection_raises_what_passed(tiny_model: Path) -> None:
    model = learner(tiny_model)
    texts = sampled(model)
    before = np.array(total_logprob(model, texts))
    learn(model, groups_of(texts), "rejection", model._config, 1.0, 0)
    moved = np.array(total_logprob(model, texts)) - before
    assert (moved[:, 1::2] > 0).all()


def test_divergence_from_the_reference_begins_at_0_and_holds_the_policy_back(tiny_model: Path) -> None:
    distances = []
    for coefficient in (1e-9, 30.0):
        model = learner(tiny_model, loss={"kl_coefficient": coefficient})
        texts = sampled(model)
        reference = model.score(texts, reference=True)
        for one, other in zip(model.score(texts), reference, strict=True):
            for a, b in zip(one, other, strict=True):
                assert a.logprobs.tolist() == b.logprobs.tolist()
        steps(model, count=5)
        now = model.score(texts)
        assert model.score(texts, reference=True)[0][0].logprobs.tolist() == reference[0][0].logprobs.tolist()
        distances.append(
            sum(
                float(np.abs(a.logprobs - b.logprobs).sum())
                for one, other in zip(now, reference, strict=True)
                for a, b in zip(one, other, strict=True)
            )
        )
    assert distances[1] < distances[0]


def test_values_begin_at_0_and_come_near_the_returns(tiny_model: Path) -> None:
    value = {"learning_rate": 0.05, "coefficient": 1.0, "clip": 10.0}
    model = learner(tiny_model, critic=True, value=value)
    texts = sampled(model)
    for group in model.score(texts):
        for scores in group:
            assert scores.values is not None
            assert scores.values.tolist() == [0.0] * len(scores.logprobs)
    groups = [replace(group, paid=paid([1.0, 1.0, 1.0, 0.0])) for group in groups_of(texts)]
    for _ in range(15):
        learn(model, groups, "ppo", model._config, 1.0, 0)
    values = np.concatenate([s.values for g in model.score(texts) for s in g if s.values is not None])
    assert values.mean() == pytest.approx(0.75, abs=0.2)


def test_the_gradient_is_clipped_to_its_norm(tiny_model: Path) -> None:
    model = learner(tiny_model, optimizer=FAST | {"max_grad_norm": 0.01})
    found = capture_gradient(model)
    report = learn(model, groups_of(sampled(model)), "grpo", model._config, 1.0, 0)
    ((updated, _),) = report.updates
    assert updated.gradient_norm > 0.1
    assert float(torch.cat([g.flatten() for g in found]).norm()) == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("rate", [0.25, 1.0])
def test_a_rate_is_a_share_of_the_peaks(tiny_model: Path, rate: float) -> None:
    """Adam's first step is the rate, up or down."""
    model = learner(tiny_model, critic=True, value={"learning_rate": 0.5})
    before = weights_of(model)
    learn(model, groups_of(sampled(model)), "ppo", model._config, rate, 0)
    moved = (weights_of(model) - before).abs()
    head = 33  # the value head: a weight for each of 32 hidden numbers, and one more
    assert float(moved[:-head].max()) == pytest.approx(rate * 3e-3, rel=1e-3)
    assert float(moved[-head:].max()) == pytest.approx(rate * 0.5, rel=1e-3)


# The same again


@pytest.mark.parametrize(
    ("arm", "lora", "dtype"),
    [
        ("grpo", None, "float32"),
        ("ppo", None, "float32"),
        ("grpo", LORA, "float32"),
        ("ppo", LORA, "bfloat16"),
    ],
)
def test_twice_the_same_and_as_well_from_a_state_in_between(
    tiny_model: Path, arm: Arm, lora: dict[str, Any] | None, dtype: str
) -> None:
    from safetensors.torch import load, save

    def made(seed: int = 0) -> LanguageModelLearner:
        return learner(tiny_model, critic=arm == "ppo", lora=lora, dtype=dtype, seed=seed)

    whole = made()
    texts = steps(whole, arm, 2), sampled(whole)
    arrays, plain = whole.state()
    kept = save(dict(arrays))
    end = steps(whole, arm, 2)

    resumed = made(seed=1)  # of another seed: everything that counts is in the state
    resumed.restore((load(kept), plain))
    assert torch.equal(weights_of(resumed), texts[0])
    assert sampled(resumed) == texts[1]
    assert torch.equal(steps(resumed, arm, 2), end)

    again = made()
    assert torch.equal(steps(again, arm, 4), end)


def test_adapters_differ_by_seed_and_are_the_same_for_one(tiny_model: Path) -> None:
    first, again, other = (learner(tiny_model, lora=LORA, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(weights_of(first), weights_of(again))
    assert not torch.equal(weights_of(first), weights_of(other))


def test_products_in_bfloat16_leave_the_weights_in_float32(tiny_model: Path) -> None:
    model = learner(tiny_model, autocast="bfloat16", dtype="bfloat16")
    texts = sampled(model)
    rough, exact = (total_logprob(m, texts) for m in (model, learner(tiny_model)))
    assert rough != exact
    assert np.array(rough) == pytest.approx(np.array(exact), rel=0.05)
    steps(model)
    assert {weight.dtype for weight in model._trained()} == {torch.float32}
    assert model.policy.model.dtype == torch.bfloat16


def test_an_empty_minibatch_makes_no_update(tiny_model: Path) -> None:
    model = learner(tiny_model)
    before = weights_of(model)
    texts = sampled(model)
    dull = [answers_to(each, paid([1.0] * 4)) for each in texts]
    report = learn(model, dull, "grpo", model._config, 1.0, 0)
    assert (report.updates, report.completions, report.tokens) == ((), 0, 0)
    assert torch.equal(weights_of(model), before)
