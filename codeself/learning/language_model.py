"""A language model that learns in place: the module that samples is the one whose weights move.

Master weights and optimizer are float32; products may run in bfloat16 (autocast), and so may sampling, from a copy
that is renewed after each update. On one thread everything is bit for bit the same when run again.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import log_softmax

from codeself.learning.adapters import with_adapters
from codeself.learning.learner import State, Texts, Updated, joined
from codeself.learning.modules import ValueHead, compute_twice
from codeself.learning.objective import Objective, Scores, Targets
from codeself.learning.packing import Packed, pack
from codeself.learning.tensors import split, to_numpy, to_tensors
from codeself.learning.trained_model import plain_weights, write_trained
from codeself.policies.precision import uses_bfloat16
from codeself.policies.transformers import TransformersPolicy
from codeself.records.digests import seed_from
from codeself.records.practice import PracticeConfig

# Rows of logits at a time: 256 of a vocabulary of 49,152 take 50 MB.
_ROWS = 256


class LanguageModelLearner:
    """folder: the base's model folder. dtype: of sampling, as TransformersPolicy takes it."""

    def __init__(
        self,
        folder: Path,
        config: PracticeConfig,
        *,
        dtype: str,
        device: str,
        threads: int,
        batch_size: int,
        critic: bool,
        seed: int,
    ) -> None:
        torch.manual_seed(seed_from("learner", seed))
        self._folder = folder
        self._config = config
        self.policy = TransformersPolicy(folder, dtype, device, threads, batch_size)
        self._device = self.policy.model.device
        # The sampler's own module where both work in float32, so that no copy is needed.
        shared = self.policy.model.dtype == torch.float32 and config.lora is None
        self._model: Any = self.policy.model if shared else self.policy.load(torch.float32)
        self._shared = shared
        compared = any(map(config.measures_divergence, range(config.steps)))
        keeps_reference = compared and config.lora is None
        self._reference = copy.deepcopy(self._model).requires_grad_(False) if keeps_reference else None
        if config.lora is not None:
            self._model = with_adapters(self._model, config.lora)
        if config.gradient_checkpointing:
            compute_twice(self._model)
        # Dropout, where a model has any, would make the chances of a token differ from those it was drawn with.
        self._model.eval()
        self._critic = ValueHead(self._model.config.hidden_size).to(self._device) if critic else None
        self._last_hidden: torch.Tensor | None = None
        self._model.get_output_embeddings().register_forward_pre_hook(self._remember)
        self._precision = partial(
            torch.autocast,
            self._device.type,
            torch.bfloat16,
            enabled=uses_bfloat16(config.autocast, self._device),
        )
        self._optimizer = self._make_optimizer()

    def _make_optimizer(self) -> torch.optim.AdamW:
        config = self._config.optimizer
        weights = [weight for weight in self._model.parameters() if weight.requires_grad]
        groups: list[dict[str, Any]] = [{"params": weights, "lr": config.learning_rate}]
        if self._critic is not None:
            rate = self._config.value.learning_rate
            groups.append({"params": list(self._critic.parameters()), "lr": rate, "weight_decay": 0.0})
        self._peaks = [group["lr"] for group in groups]
        return torch.optim.AdamW(
            groups, betas=(config.beta1, config.beta2), weight_decay=config.weight_decay, fused=True
        )

    def score(self, texts: Sequence[Texts], *, reference: bool = False) -> list[list[Scores]]:
        found: list[list[Scores]] = []
        with torch.no_grad():
            for part in self._passes(texts):
                packed = self._pack(part)
                scores = to_numpy(self._forward(packed, reference=reference))
                rows = iter(split(scores, packed.lengths))
                found += [[next(rows) for _ in each.completions] for each in part]
        return found

    def update(
        self, texts: Sequence[Texts], targets: Sequence[Sequence[Targets]], objective: Objective, rate: float
    ) -> Updated:
        loss, scores = self.accumulate(texts, targets, objective)
        return Updated(loss, self.descend(rate), joined(scores))

    def accumulate(
        self, texts: Sequence[Texts], targets: Sequence[Sequence[Targets]], objective: Objective
    ) -> tuple[float, list[Scores]]:
        """Add the gradient of these texts to that which waits for `descend`. Returns what they add to the loss, and
        the scores of each completion, text after text."""
        total: float = 0.0
        seen: list[Scores] = []
        start = 0
        for part in self._passes(texts):
            rows = [row for group in targets[start : start + len(part)] for row in group]
            start += len(part)
            packed = self._pack(part)
            scores = self._forward(packed)
            loss = objective(scores, to_tensors(Targets.joined(rows), self._device))
            loss.backward()
            total += float(loss.detach())
            seen += split(to_numpy(scores), packed.lengths)
        return total, seen

    def gradients(self) -> list[torch.Tensor]:
        """What waits for `descend`, of each weight that is trained: zeros where nothing has been added."""
        for weight in self._trained():
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
        return [weight.grad for weight in self._trained() if weight.grad is not None]

    def descend(self, rate: float) -> float:
        """Follow the gradient that has been added up. rate: of the peak. Returns the gradient's norm, unclipped."""
        for group, peak in zip(self._optimizer.param_groups, self._peaks, strict=True):
            group["lr"] = peak * rate
        norm = torch.nn.utils.clip_grad_norm_(self._trained(), self._config.optimizer.max_grad_norm)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._renew_sampler()
        return float(norm)

    def state(self) -> State:
        arrays: dict[str, Any] = {}
        for place, weight in enumerate(self._trained()):
            arrays[f"weight.{place}"] = weight.detach().contiguous()
            for name, value in self._optimizer.state.get(weight, {}).items():
                arrays[f"optimizer.{place}.{name}"] = value.contiguous()
        arrays["rng.cpu"] = torch.get_rng_state()
        if self._device.type == "cuda":
            arrays["rng.cuda"] = torch.cuda.get_rng_state(self._device)
        return arrays, {}

    def restore(self, state: State) -> None:
        arrays, _ = state
        with torch.no_grad():
            for place, weight in enumerate(self._trained()):
                weight.copy_(arrays[f"weight.{place}"])
                kept = {
                    name.rpartition(".")[2]: value
                    for name, value in arrays.items()
                    if name.startswith(f"optimizer.{place}.")
                }
                for name, value in kept.items():
                    # AdamW wants its count of steps on the weights' device only when fused there.
                    self._optimizer.state[weight][name] = value.to(weight.device)
        torch.set_rng_state(arrays["rng.cpu"])
        if self._device.type == "cuda":
            torch.cuda.set_rng_state(arrays["rng.cuda"], self._device)
        self._renew_sampler()

    def save(self, folder: Path, name: str) -> None:
        write_trained(self._model, self._folder, folder, name)

    def _trained(self) -> list[torch.nn.Parameter]:
        return [weight for group in self._optimizer.param_groups for weight in group["params"]]

    def _renew_sampler(self) -> None:
        """Give the sampler the weights of now, adapters added in."""
        if self._shared:
            return
        renewed = self.policy.model.state_dict()
        for name, weight in plain_weights(self._model):
            renewed[name].copy_(weight)

    def _remember(self, _: object, inputs: tuple[torch.Tensor, ...]) -> None:
        self._last_hidden = inputs[0]

    def _passes(self, texts: Sequence[Texts]) -> Iterator[Sequence[Texts]]:
        size = self._config.groups_per_pass
        for start in range(0, len(texts), size):
            yield texts[start : start + size]

    def _pack(self, texts: Sequence[Texts]) -> Packed:
        groups = [
            (
                self.policy.text.prompt_ids(each.prompt, each.task_id, 0),
                [completion.token_ids for completion in each.completions],
            )
            for each in texts
        ]
        return pack(groups, self._device)

    def _forward(self, packed: Packed, *, reference: bool = False) -> Scores:
        """Scores of the completions' tokens at the temperature they were drawn at, (targets,) float32 tensors."""
        model, adapters = self._model, self._config.lora is not None
        if reference and not adapters:
            model = self._reference
        with model.disable_adapter() if reference and adapters else nullcontext(), self._precision():
            logits = model(
                packed.tokens,
                attention_mask=packed.mask,
                position_ids=packed.positions,
                logits_to_keep=packed.predicting,
                use_cache=False,
            ).logits[0]
        logprobs, entropies = [], []
        for start in range(0, len(logits), _ROWS):
            part = logits[start : start + _ROWS].float() / self._config.temperature
            every = log_softmax(part, dim=-1)
            logprobs.append(every.gather(1, packed.targets[start : start + _ROWS, None])[:, 0])
            with torch.no_grad():
                entropies.append(-(every.exp() * every).sum(dim=-1))
        values = None
        if self._critic is not None and not reference:
            assert self._last_hidden is not None
            values = self._critic(self._last_hidden[0].float())
        self._last_hidden = None
        return Scores(torch.cat(logprobs), torch.cat(entropies), values)
