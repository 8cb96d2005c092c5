"""One learner that several processes share: each draws, scores and learns from its part of what is asked.

Every process holds the whole model. Rank 0 leads: it alone runs the trainer, judges, and writes files; the others
follow its word. A completion is drawn from its own seed, so that it is nothing to it which process draws it but for
the batch that it stands in. Gradients are summed, as a token's weight is that in the whole minibatch; then every
process makes the same update, to the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from codeself.learning.language_model import LanguageModelLearner
from codeself.learning.learner import State, Texts, Updated, joined
from codeself.learning.objective import Objective, Scores, Targets
from codeself.learning.ranks import Ranks
from codeself.policies.backend import Completion, Policy, Progress, Request
from codeself.records.errors import InfrastructureError


class SharedLearner:
    """The leading process uses it as any Learner; the others make one of the same settings, and let it `follow`."""

    def __init__(self, own: LanguageModelLearner, ranks: Ranks) -> None:
        self._own = own
        self._ranks = ranks
        self.policy: Policy = _SharedPolicy(own.policy, ranks.size, partial(self._ask, "_complete"))

    def follow(self) -> None:
        """Take part in what the leader is asked, until it dismisses."""
        while (call := self._ranks.broadcast()) is not None:
            name, words = call
            getattr(self, name)(*words)

    def dismiss(self) -> None:
        """Let the other processes go: nothing more will be asked."""
        self._ranks.broadcast(None)

    def score(self, texts: Sequence[Texts], *, reference: bool = False) -> list[list[Scores]]:
        return self._ask("_score", texts, reference)

    def update(
        self, texts: Sequence[Texts], targets: Sequence[Sequence[Targets]], objective: Objective, rate: float
    ) -> Updated:
        return self._ask("_update", texts, targets, objective, rate)

    def state(self) -> State:
        return self._own.state()

    def restore(self, state: State) -> None:
        self._ranks.broadcast(("_restore", (None,)))
        self._restore(state)

    def save(self, folder: Path, name: str) -> None:
        self._own.save(folder, name)

    def _ask(self, name: str, *words: Any) -> Any:
        self._ranks.broadcast((name, words))
        return getattr(self, name)(*words)

    # What every process does of a call; only the leader has the result.

    def _complete(self, requests: Sequence[Request]) -> list[Completion]:
        # Requests with the same prompt stand together, and stay so.
        edges = [len(requests) * rank // self._ranks.size for rank in range(self._ranks.size + 1)]
        own = requests[edges[self._ranks.rank] : edges[self._ranks.rank + 1]]
        parts = self._ranks.gather(self._own.policy.complete(own, lambda _: None))
        return [completion for part in parts for completion in part]

    def _score(self, texts: Sequence[Texts], reference: bool) -> list[list[Scores]]:
        shares = self._shares(texts)
        own = [texts[place] for place in shares[self._ranks.rank]]
        return _in_order(shares, self._ranks.gather(self._own.score(own, reference=reference)))

    def _update(
        self, texts: Sequence[Texts], targets: Sequence[Sequence[Targets]], objective: Objective, rate: float
    ) -> Updated | None:
        shares = self._shares(texts)
        own = shares[self._ranks.rank]
        loss, scores = self._own.accumulate(
            [texts[place] for place in own], [targets[place] for place in own], objective
        )
        self._ranks.add(self._own.gradients())
        norm = self._own.descend(rate)
        rows = iter(scores)
        grouped = [[next(rows) for _ in texts[place].completions] for place in own]
        parts = self._ranks.gather((loss, norm, grouped))
        if not parts:
            return None
        losses, norms, groups = zip(*parts, strict=True)
        if len({repr(each) for each in norms}) > 1:  # not a number is unlike itself
            raise InfrastructureError(
                f"the processes of this run have updated their weights by different gradients, of norms {norms};"
                " expected the same in each"
            )
        seen = [each for group in _in_order(shares, groups) for each in group]
        return Updated(sum(losses), norm, joined(seen))

    def _restore(self, state: State | None) -> None:
        arrays, plain = state or (None, None)
        plain = self._ranks.broadcast(plain)
        self._own.restore((self._ranks.broadcast_arrays(arrays), plain))

    def _shares(self, texts: Sequence[Texts]) -> list[list[int]]:
        """Columns of a packed sequence, dealt out evenly."""
        columns = [
            max((each.prompt_tokens for each in text.completions), default=0)
            + sum(len(each.token_ids) for each in text.completions)
            for text in texts
        ]
        return dealt(columns, self._ranks.size)


class _SharedPolicy:
    """own: this process's. ask: for completions, of all processes."""

    def __init__(
        self, own: Policy, processes: int, ask: Callable[[Sequence[Request]], list[Completion]]
    ) -> None:
        self._ask = ask
        self.chunk = own.chunk * processes
        self.chat_template_sha256 = own.chat_template_sha256
        source = f"{own.identity.source}, {processes} processes"
        self.identity = own.identity.model_copy(update={"source": source})

    def complete(self, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        """One completion a request. Requests with the same prompt should stand together."""
        completions = self._ask(requests)
        progress(len(completions))
        return completions


def dealt(costs: Sequence[int], parts: int) -> list[list[int]]:
    """Places of the costs, dealt out so that all parts cost about the same: the dearest first, each to the part that
    has least. Every part is in order."""
    shares: list[list[int]] = [[] for _ in range(parts)]
    loads = [0] * parts
    for place in sorted(range(len(costs)), key=lambda place: -costs[place]):
        part = loads.index(min(loads))
        shares[part].append(place)
        loads[part] += costs[place]
    return [sorted(share) for share in shares]


def _in_order(shares: Sequence[Sequence[int]], parts: Sequence[Sequence[Any]]) -> list[Any]:
    """What was dealt out, back in its places. parts: of each share, empty where there is nothing to put together."""
    found = {
        place: each
        for share, part in zip(shares, parts, strict=False)
        for place, each in zip(share, part, strict=True)
    }
    return [found[place] for place in sorted(found)]
