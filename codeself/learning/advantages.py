"""How much better than expected each completion, or each token, was. Numbers in, numbers out.

Sources: GRPO, Shao et al. 2024 (DeepSeekMath, arXiv 2402.03300), section 4.1.2; Dr. GRPO, Liu et al. 2025
(arXiv 2503.20783), section 3; leave-one-out, Kool et al. 2019 and Ahmadian et al. 2024 (arXiv 2402.14740), eq. 7;
generalized advantages, Schulman et al. 2016 (arXiv 1506.02438), eq. 16.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Baseline = Literal["mean", "leave-one-out"]
Scale = Literal["std", "none"]
Numbers = NDArray[np.float64]


def group_advantages(
    rewards: ArrayLike, *, baseline: Baseline = "mean", scale: Scale = "std", eps: float = 1e-4
) -> Numbers:
    """Advantage of each completion over its own group.

    rewards: (prompts, samples). Returns the same shape, mean 0 along samples.
    baseline "mean" with scale "std" is GRPO: the deviation is the sample's own (one degree of freedom taken), and
    `eps` is added to it. scale "none" is Dr. GRPO, which drops the deviation because it favours prompts that are
    nearly always or nearly never solved. "leave-one-out" compares with the mean of the other samples, which makes
    the estimate unbiased. A group whose rewards are all equal carries no information and gets zeros.
    """
    paid = np.asarray(rewards, dtype=np.float64)
    if paid.ndim != 2 or paid.shape[1] < 2:
        raise ValueError(f"rewards: shape {paid.shape}; expected (prompts, samples) with 2 samples or more")
    samples = paid.shape[1]
    advantages = paid - paid.mean(axis=1, keepdims=True)
    # The mean of equal rewards may differ from them in the last bit.
    advantages[np.ptp(paid, axis=1) == 0] = 0.0
    if baseline == "leave-one-out":
        advantages *= samples / (samples - 1)
    if scale == "std":
        advantages /= paid.std(axis=1, ddof=1, keepdims=True) + eps
    return advantages


def generalized_advantages(
    rewards: ArrayLike, values: ArrayLike, *, discount: float = 1.0, trace: float = 0.95
) -> tuple[Numbers, Numbers]:
    """Advantages and returns of one completion's tokens.

    rewards, values: (tokens,): what a token earned, and what was expected before it was written. Nothing comes
    after the last. Returns (advantages, returns), (tokens,) each; a return is an advantage plus its value.
    """
    earned, expected = (np.asarray(numbers, dtype=np.float64) for numbers in (rewards, values))
    if earned.ndim != 1 or earned.shape != expected.shape:
        raise ValueError(f"rewards {earned.shape} and values {expected.shape}: expected one of each a token")
    advantages = np.zeros_like(earned)
    after, carried = 0.0, 0.0
    for place in reversed(range(len(earned))):
        surprise = earned[place] + discount * after - expected[place]
        carried = surprise + discount * trace * carried
        advantages[place] = carried
        after = expected[place]
    return advantages, advantages + expected


def whitened(advantages: ArrayLike, eps: float = 1e-8) -> Numbers:
    """The same numbers with mean 0 and deviation 1; one number, or equal ones, become zeros. Shape kept."""
    numbers = np.asarray(advantages, dtype=np.float64)
    centred = numbers - numbers.mean()
    return centred / (numbers.std() + eps)
