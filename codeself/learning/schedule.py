"""The learning rate of a step, as a share of its peak."""

from __future__ import annotations

import math

from codeself.records.practice import OptimizerConfig


def rate_at(step: int, steps: int, config: OptimizerConfig) -> float:
    """step: from 0 to steps - 1. The warm-up ends with the peak; linear and cosine would reach 0 at `steps`."""
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    if config.schedule == "constant":
        return 1.0
    done = (step - config.warmup_steps) / (steps - config.warmup_steps)
    return 1.0 - done if config.schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * done))
