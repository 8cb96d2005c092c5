"""A language model that learns in place: the module that samples is the one whose weights move.

Master weights and optimizer are float32; products may run in bfloat16 (autocast), and so may sampling, from a copy
that is renewed after each update. On one thread everything is bit for bit the same when run again.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import log_softmax
from torch.utils.checkpoint import checkpoint
from transformers.modeling_layers import GradientCheckpointingLayer

from codeself.learning.learner import State, Texts, Updated, joined
from codeself.learning.objective import Objective, Scores, Targets
from codeself.learning.packing import Packed, pack
from codeself.learning.trained_model import plain_weights, write_trained
from codeself.policies.precision import has_bfloat16
from codeself.policies.transformers import TransformersPolicy
from codeself.records.digests import seed_from
from codeself.records.errors import InputError
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
        keeps_reference = config.loss.kl_coefficient > 0 and config.lora is None
        self._reference = copy.deepcopy(self._model).requires_grad_(False) if keeps_reference else None
        if config.lora is not None:
            self._model = _with_adapters(self._model, config)
        if config.gradient_checkpointing:
            _compute_twice(self._model)
        # Dropout, where a model has any, would make the chances of a token differ from those it was drawn with.
        self._model.eval()
        self._critic = _ValueHead(self._model.config.hidden_size).to(self._device) if critic else None
        self._last_hidden: torch.Tensor | None = None
        self._model.get_output_embeddings().register_forward_pre_hook(self._remember)
        self._autocast = _autocast_dtype(config.autocast, self._device)
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
                scores = _to_numpy(self._forward(packed, reference=reference))
                rows = iter(_split(scores, packed.lengths))
                found += [[next(rows) for _ in each.completions] for each in part]
        return found

    def update(
        self, texts: Sequence[Texts], targets: Sequence[Sequence[Targets]], objective: Objective, rate: float
    ) -> Updated:
        total, seen = 0.0, []
        start = 0
        for part in self._passes(texts):
            rows = [row for group in targets[start : start + len(part)] for row in group]
            start += len(part)
            scores = self._forward(self._pack(part))
            loss = objective(scores, _to_tensors(Targets.joined(rows), self._device))
            loss.backward()
            total += float(loss.detach())
            seen.append(_to_numpy(scores))
        for group, peak in zip(self._optimizer.param_groups, self._peaks, strict=True):
            group["lr"] = peak * rate
        weights = [weight for group in self._optimizer.param_groups for weight in group["params"]]
        norm = torch.nn.utils.clip_grad_norm_(weights, self._config.optimizer.max_grad_norm)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._renew_sampler()
        return Updated(total, float(norm), joined(seen))

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
        fresh = plain_weights(self._model)
        with torch.no_grad():
            for name, weight in self.policy.model.state_dict().items():
                weight.copy_(fresh[name])

    def _remember(self, _: object, inputs: tuple[torch.Tensor, ...]) -> None:
        self._last_hidden = inputs[0]

    def _passes(self, texts: Sequence[Texts]) -> Iterator[Sequence[Texts]]:
        size = self._config.groups_per_pass
        for start in range(0, len(texts), size):
            yield texts[start : start + size]

    def _pack(self, texts: Sequence[Texts]) -> Packed:
        groups = [
            (self.policy.prompt_ids(each.prompt), [completion.token_ids for completion in each.completions])
            for each in texts
        ]
        return pack(groups, self._device)

    def _forward(self, packed: Packed, *, reference: bool = False) -> Scores:
        """Scores of the completions' tokens at the temperature they were drawn at, (targets,) float32 tensors."""
        model, adapters = self._model, self._config.lora is not None
        if reference and not adapters:
            model = self._reference
        without = model.disable_adapter() if reference and adapters else torch.autocast("cpu", enabled=False)
        precision = torch.autocast(
            self._device.type, self._autocast or torch.bfloat16, enabled=self._autocast is not None
        )
        with without, precision:
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


class _ValueHead(torch.nn.Module):
    """What reward is expected before a token is written, from the hidden state that writes it."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.norm = torch.nn.LayerNorm(size, elementwise_affine=False)
        self.out = torch.nn.Linear(size, 1)
        torch.nn.init.zeros_(self.out.weight)
        torch.nn.init.zeros_(self.out.bias)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """(tokens, size) to (tokens,)."""
        return self.out(self.norm(hidden))[:, 0]


def _with_adapters(model: Any, config: PracticeConfig) -> Any:
    import peft

    lora = config.lora
    assert lora is not None
    settings = peft.LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=0.0,
        target_modules=list(lora.targets),
        task_type="CAUSAL_LM",
    )
    try:
        return peft.get_peft_model(model, settings)
    except ValueError as error:
        raise InputError(f"practice.lora.targets: {error}") from error


def _compute_twice(model: Any) -> None:
    """Let layers keep no activations for the backward pass. The library's own switch works in training mode alone."""
    for layer in model.modules():
        if isinstance(layer, GradientCheckpointingLayer):
            layer.forward = partial(_forgetful, layer.forward)


def _forgetful(forward: Callable[..., Any], *inputs: Any, **named: Any) -> Any:
    if not torch.is_grad_enabled():
        return forward(*inputs, **named)
    return checkpoint(forward, *inputs, use_reentrant=False, **named)


def _autocast_dtype(asked: str, device: torch.device) -> torch.dtype | None:
    if asked == "none":
        return None
    return torch.bfloat16 if asked == "bfloat16" or has_bfloat16(device) else None


def _to_numpy(scores: Scores) -> Scores:
    def column(tensor: Any) -> Any:
        return None if tensor is None else tensor.detach().double().cpu().numpy()

    return Scores(column(scores.logprobs), column(scores.entropy), column(scores.values))


def _to_tensors(targets: Targets, device: torch.device) -> Targets:
    columns = {
        name: None if column is None else torch.tensor(column, dtype=torch.float32, device=device)
        for name, column in vars(targets).items()
    }
    return Targets(**columns)


def _split(scores: Scores, lengths: Sequence[int]) -> Iterator[Scores]:
    edges = np.cumsum(lengths)[:-1]
    columns = [np.split(column, edges) for column in (scores.logprobs, scores.entropy)]
    values = [None] * len(lengths) if scores.values is None else np.split(scores.values, edges)
    for logprobs, entropy, value in zip(*columns, values, strict=True):
        yield Scores(logprobs, entropy, value)
