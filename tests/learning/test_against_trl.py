"""Advantages, loss and gradient of arm grpo, against those of TRL's own GRPOTrainer on the same batch.

Its trainer samples from a tiny model and is asked for its advantages and its loss; ours is given what it sampled.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("trl", reason="TRL is not installed: nothing to compare with")
pytest.importorskip("datasets", reason="TRL's trainer needs datasets")

import torch

from codeself.learning.advantages import group_advantages
from codeself.learning.losses import Aggregation, token_weights
from codeself.learning.objective import Objective, Scores, Targets
from codeself.records.practice import LossConfig
from tests.tiny_models import make_tiny_model

PROMPTS, SAMPLES, TOKENS = 4, 4, 24
AGGREGATION: dict[str, Aggregation] = {
    "grpo": "sequence",
    "bnpo": "token",
    "dapo": "token",
    "dr_grpo": "constant",
}


def reward(completion_ids: list[list[int]], **_: object) -> list[float]:
    """By length and first token: something that differs within groups, with a group where it does not."""
    return [
        0.5 if place < SAMPLES else len(ids) % 3 + ids[0] / 256 for place, ids in enumerate(completion_ids)
    ]


@pytest.fixture(scope="module")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    folder = tmp_path_factory.mktemp("trl")
    torch.set_num_threads(1)
    made = GRPOTrainer(
        model=str(make_tiny_model(folder / "made")),
        reward_funcs=reward,
        args=GRPOConfig(
            output_dir=str(folder / "out"),
            per_device_train_batch_size=PROMPTS * SAMPLES,
            num_generations=SAMPLES,
            max_completion_length=TOKENS,
            temperature=0.8,
            beta=0.05,
            # The term as DeepSeekMath has it: the k3 estimate alone, not weighted by the ratio.
            use_bias_correction_kl=False,
            epsilon=0.2,
            epsilon_high=0.28,
            bf16=False,
            use_cpu=True,
            report_to=[],
            seed=3,
        ),
        train_dataset=Dataset.from_list([{"prompt": f"def f{n}(x):"} for n in range(PROMPTS)]),
    )
    made.model.train()
    made.current_gradient_accumulation_steps = 1
    return made


@pytest.fixture(scope="module")
def batch(trainer: Any) -> dict[str, Any]:
    """TRL's samples, as it scored them, with old and reference log-probabilities somewhat away from the present."""
    rows = [row for row in trainer.train_dataset for _ in range(SAMPLES)]
    made = trainer._generate_and_score_completions(rows)
    with torch.no_grad():
        now = logprobs_of(trainer, made)
    noise = torch.Generator().manual_seed(1)
    for name in ("old_per_token_logps", "ref_per_token_logps"):
        made[name] = now + 0.3 * torch.randn(now.shape, generator=noise)
    return made


def logprobs_of(trainer: Any, batch: dict[str, Any]) -> torch.Tensor:
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], dim=1)
    mask = torch.cat([batch["prompt_mask"], batch["completion_mask"]], dim=1)
    kept = batch["completion_ids"].shape[1]
    return trainer._get_per_token_logps_and_entropies(trainer.model, ids, mask, kept)[0]


def lengths_of(batch: dict[str, Any]) -> list[int]:
    return batch["completion_mask"].sum(dim=1).tolist()


def flat(batch: dict[str, Any], rows: torch.Tensor) -> torch.Tensor:
    """(completions, tokens) to the (tokens,) of ours."""
    return rows[batch["completion_mask"].bool()]


def test_the_batch_is_worth_comparing(batch: dict[str, Any]) -> None:
    lengths = lengths_of(batch)
    assert len(set(lengths)) > 2
    assert max(lengths) == TOKENS
    assert (batch["advantages"][SAMPLES:] != 0).any()


@pytest.mark.parametrize("scale", ["group", "none"])
def test_advantages_are_trls(trainer: Any, scale: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "scale_rewards", scale)
    rows = [row for row in trainer.train_dataset for _ in range(SAMPLES)]
    theirs = trainer._generate_and_score_completions(rows)
    ids = [
        row[mask.bool()].tolist()
        for row, mask in zip(theirs["completion_ids"], theirs["completion_mask"], strict=True)
    ]
    rewards = np.array(reward(ids)).reshape(PROMPTS, SAMPLES)
    ours = group_advantages(rewards, scale="std" if scale == "group" else "none")
    assert theirs["advantages"].numpy() == pytest.approx(ours.ravel(), abs=1e-6)


@pytest.mark.parametrize("kl", [0.0, 0.05])
@pytest.mark.parametrize("kind", AGGREGATION)
def test_loss_and_gradient_are_trls(
    trainer: Any, batch: dict[str, Any], kind: str, kl: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "loss_type", kind)
    monkeypatch.setattr(trainer, "beta", kl)
    theirs = trainer._compute_loss(trainer.model, batch)
    lengths = lengths_of(batch)
    weights = token_weights(lengths, [True] * len(lengths), AGGREGATION[kind], TOKENS)
    now = flat(batch, logprobs_of(trainer, batch))
    objective = Objective("surrogate", LossConfig(clip_low=0.2, clip_high=0.28, kl_coefficient=kl))
    ours = objective(
        Scores(now, torch.zeros_like(now)),
        Targets(
            flat(batch, batch["old_per_token_logps"]),
            batch["advantages"].repeat_interleave(torch.tensor(lengths)),
            torch.tensor(np.repeat(weights, lengths), dtype=torch.float32),
            flat(batch, batch["ref_per_token_logps"]),
        ),
    )
    assert float(ours.detach()) == pytest.approx(float(theirs.detach()), abs=1e-6)
    gradients = [
        torch.autograd.grad(loss, list(trainer.model.parameters()), allow_unused=True)
        for loss in (theirs, ours)
    ]
    for one, other in zip(*gradients, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            assert float((one - other).norm()) <= 1e-5 * float(one.norm()) + 1e-7


def test_clipped_shares_are_trls(trainer: Any, batch: dict[str, Any]) -> None:
    from codeself.learning.diagnostics import _ratio
    from tests.learning.batches import settings

    trainer._compute_loss(trainer.model, batch)
    said = {side: trainer._metrics["train"][f"clip_ratio/{side}_mean"][-1] for side in ("low", "high")}
    with torch.no_grad():
        now = flat(batch, logprobs_of(trainer, batch)).double().numpy()
    old = flat(batch, batch["old_per_token_logps"]).double().numpy()
    advantages = np.repeat(batch["advantages"].double().numpy(), lengths_of(batch))
    found = _ratio(now, Targets(old, advantages, np.ones_like(old)), settings())
    assert found.clipped_low == pytest.approx(said["low"], abs=1e-6)
    assert found.clipped_high == pytest.approx(said["high"], abs=1e-6)
    assert min(said.values()) > 0
