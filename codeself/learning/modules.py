"""What is added to a model, or changed in it, so that it can learn."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint
from transformers.modeling_layers import GradientCheckpointingLayer


class ValueHead(torch.nn.Module):
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


def compute_twice(model: Any) -> None:
    """Let layers keep no activations for the backward pass. The library's own switch works in training mode alone."""
    for layer in model.modules():
        if isinstance(layer, GradientCheckpointingLayer):
            layer.forward = partial(_forgetful, layer.forward)


def _forgetful(forward: Callable[..., Any], *inputs: Any, **named: Any) -> Any:
    if not torch.is_grad_enabled():
        return forward(*inputs, **named)
    # Nothing is drawn in a layer, so that no state of random numbers need be kept for it.
    return checkpoint(forward, *inputs, use_reentrant=False, preserve_rng_state=False, **named)
