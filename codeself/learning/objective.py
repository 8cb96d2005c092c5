"""The loss of an arm on a batch of tokens, put together from its terms.

Scores are what the model says of the tokens now; targets are what was settled before the update. Both are flat,
(tokens,), for the completions of one pass in order. The loss of a minibatch is the sum of the losses of its passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from codeself.learning.losses import clipped_surrogate, kl_divergence, likelihood_loss, value_loss
from codeself.records.practice import LossConfig, ValueConfig

Array = Any  # numpy.ndarray or torch.Tensor
Kind = Literal["surrogate", "likelihood"]


@dataclass(frozen=True)
class Scores:
    """logprobs, entropy: of each token under the model now. values: of the value head, None without one."""

    logprobs: Array
    entropy: Array
    values: Array | None = None


@dataclass(frozen=True)
class Targets:
    """What a token's terms are made from; every field (tokens,), float64 or of the scores' own kind.

    reference: log-probabilities under the frozen reference, None where no KL term is asked for.
    returns, old_values: None without a value head.
    """

    old_logprobs: Array
    advantages: Array
    weights: Array
    reference: Array | None = None
    returns: Array | None = None
    old_values: Array | None = None

    @staticmethod
    def joined(parts: Sequence[Targets]) -> Targets:
        """The targets of several completions, one after another."""
        return Targets(**{field.name: _joined(parts, field.name) for field in fields(Targets)})


@dataclass(frozen=True)
class Objective:
    """What an arm minimises."""

    kind: Kind
    loss: LossConfig
    value: ValueConfig | None = None

    def __call__(self, scores: Scores, targets: Targets) -> Array:
        """The weighted sum of the tokens' terms: a scalar."""
        if self.kind == "likelihood":
            terms = likelihood_loss(scores.logprobs, targets.advantages)
        else:
            terms = clipped_surrogate(
                scores.logprobs,
                targets.old_logprobs,
                targets.advantages,
                clip_low=self.loss.clip_low,
                clip_high=self.loss.clip_high,
            )
        # A k1 term has no gradient of its own: it is in the advantages (see `prepared` in codeself.learning.update).
        if targets.reference is not None and self.loss.kl_coefficient > 0 and self.loss.kl_estimator == "k3":
            divergence = kl_divergence(scores.logprobs, targets.reference, "k3")
            terms = terms + self.loss.kl_coefficient * divergence
        if self.value is not None:
            missed = value_loss(scores.values, targets.old_values, targets.returns, clip=self.value.clip)
            terms = terms + self.value.coefficient * missed
        return (targets.weights * terms).sum()


def _joined(parts: Sequence[Targets], name: str) -> NDArray[np.float64] | None:
    columns = [getattr(part, name) for part in parts]
    return None if columns[0] is None else np.concatenate(columns)
