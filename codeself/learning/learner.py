"""What can learn: a policy whose weights an update moves. One class for language models, one for the mock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from codeself.learning.objective import Objective, Scores, Targets
from codeself.policies.backend import Completion, Policy, Prompt

# Arrays by name, and plain data beside them: what a checkpoint keeps.
State = tuple[Mapping[str, Any], Mapping[str, Any]]


@dataclass(frozen=True)
class Texts:
    """Completions of one task's prompt, to be scored or learned from together."""

    task_id: str
    prompt: Prompt
    completions: tuple[Completion, ...]


@dataclass(frozen=True)
class Updated:
    """What one update saw. scores: of all its tokens, before it, as numpy arrays. loss: of the minibatch."""

    loss: float
    gradient_norm: float
    scores: Scores


class Learner(Protocol):
    @property
    def policy(self) -> Policy:
        """Writes with the present weights, each completion with its tokens and their log-probabilities."""
        ...

    def score(self, texts: Sequence[Texts], *, reference: bool = False) -> list[list[Scores]]:
        """Scores of each completion of each text, (tokens,) numpy arrays: now, or under the frozen reference."""
        ...

    def update(
        self, texts: Sequence[Texts], targets: Sequence[Sequence[Targets]], objective: Objective, rate: float
    ) -> Updated:
        """One update on a minibatch. targets: one for each completion of each text. rate: of the peak, 0 to 1."""
        ...

    def state(self) -> State:
        """Everything that the next update depends on: weights, optimizer, random numbers."""
        ...

    def restore(self, state: State) -> None: ...

    def save(self, folder: Path, name: str) -> None:
        """Write the policy, as run-rollouts reads it, into a folder that is whole or absent afterwards."""
        ...


def joined(scores: Sequence[Scores]) -> Scores:
    """The scores of several completions, one after another."""

    def column(name: str) -> NDArray[np.float64] | None:
        columns = [getattr(each, name) for each in scores]
        return None if not columns or columns[0] is None else np.concatenate(columns)

    logprobs, entropy = column("logprobs"), column("entropy")
    none = np.zeros(0)
    return Scores(
        none if logprobs is None else logprobs, none if entropy is None else entropy, column("values")
    )
