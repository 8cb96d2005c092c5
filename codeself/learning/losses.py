"""The objectives, token by token. One arithmetic for numpy arrays and torch tensors alike.

Everything is flat: (tokens,) holds the tokens of some completions one after another. Each token comes with the weight
that its term has in the loss of its whole minibatch, so that the loss of a minibatch is the sum over its parts,
however it is cut into passes.

Sources: the clipped surrogate, Schulman et al. 2017 (PPO, arXiv 1707.06347), eq. 7, with a separate upper clip as in
Yu et al. 2025 (DAPO, arXiv 2503.14476), eq. 8, which also sums over tokens ("token"); the mean of means
("sequence") is GRPO's; division by a constant is Dr. GRPO's. The KL estimators are Schulman's k1 and k3
("Approximating KL Divergence", 2020). The clipped value loss is that of PPO's published implementation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

Aggregation = Literal["token", "sequence", "constant"]
KLEstimator = Literal["k1", "k3"]
Array = Any  # numpy.ndarray or torch.Tensor


def token_weights(
    lengths: Sequence[int], kept: Sequence[bool], aggregation: Aggregation, budget: int
) -> NDArray[np.float64]:
    """The weight of each completion's tokens in the loss of their minibatch: (completions,) in and out.

    lengths: tokens of each completion. kept: False for one that is masked: it gets 0, and no part in the mean.
    budget: tokens a completion may have, the constant of aggregation "constant".
    """
    sizes = np.asarray(lengths, dtype=np.float64)
    counted = np.asarray(kept, dtype=bool) & (sizes > 0)
    weights = np.zeros_like(sizes)
    if not counted.any():
        return weights
    if aggregation == "token":
        weights[counted] = 1.0 / sizes[counted].sum()
    elif aggregation == "sequence":
        weights[counted] = 1.0 / (counted.sum() * sizes[counted])
    else:
        weights[counted] = 1.0 / (counted.sum() * budget)
    return weights


def clipped_surrogate(
    logprobs: Array, old_logprobs: Array, advantages: Array, *, clip_low: float, clip_high: float
) -> Array:
    """The loss of each token: minus the smaller of ratio x advantage, with the ratio clipped and not.

    All (tokens,). The ratio is that of the chance of the token now to its chance when it was written.
    """
    xp = array_namespace(logprobs)
    ratio = xp.exp(logprobs - old_logprobs)
    clipped = xp.clip(ratio, 1.0 - clip_low, 1.0 + clip_high)
    return -xp.minimum(ratio * advantages, clipped * advantages)


def likelihood_loss(logprobs: Array, advantages: Array) -> Array:
    """Minus the log-probability of each token, times its advantage: with 1 for tokens to imitate, fine-tuning."""
    return -logprobs * advantages


def kl_divergence(logprobs: Array, reference: Array, estimator: KLEstimator) -> Array:
    """Estimate at each token of the divergence from the reference policy, from the token that was drawn.

    All (tokens,). k1 is unbiased and may be negative; k3 is unbiased as well, never negative, and varies less.
    """
    xp = array_namespace(logprobs)
    behind = reference - logprobs
    return -behind if estimator == "k1" else xp.exp(behind) - behind - 1.0


def value_loss(values: Array, old_values: Array, returns: Array, *, clip: float) -> Array:
    """Half the squared error of each token's value, or of the value clipped to near its old one if that is worse."""
    xp = array_namespace(values)
    near = old_values + xp.clip(values - old_values, -clip, clip)
    return 0.5 * xp.maximum((values - returns) ** 2, (near - returns) ** 2)
