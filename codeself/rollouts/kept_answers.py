"""A policy whose completions are kept as they are written: a killed run that asks again gets them without asking it.

For runs in which what is asked depends on what was answered. The run is made again from its beginning; as long as it
asks the same, its answers are those that are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from codeself.policies.backend import Completion, Policy, Progress, Request
from codeself.records.digests import sha256_json
from codeself.rollouts.partial import Partial


@dataclass(frozen=True)
class _Kept:
    """request: its digest, which holds its prompt and its seed."""

    request: str
    completion: Completion


class KeptAnswers:
    """output: what the run will write in the end. code: digest of the code, so that what another version left is not
    mixed in."""

    def __init__(self, policy: Policy, output: Path, code: str) -> None:
        self._policy = policy
        self.identity = policy.identity
        self.chunk = policy.chunk
        self.chat_template_sha256 = policy.chat_template_sha256
        settings = {"code": code, "identity": policy.identity.to_json_dict(), "chunk": policy.chunk}
        self._partial = Partial(output, sha256_json(settings), _Kept)
        self._waiting = self._partial.read()
        self._used = 0

    def complete(self, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        """One completion a request, in the order asked, written in chunks that are about equal."""
        count = -(-len(requests) // self.chunk)
        edges = [len(requests) * part // count for part in range(count + 1)] if count else []
        completions: list[Completion] = []
        for first, last in pairwise(edges):
            completions += self._chunk(requests[first:last], progress)
        return completions

    def forget(self) -> None:
        """Once the output is written, nothing more is kept."""
        self._partial.remove()

    def _chunk(self, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        digests = [sha256_json(asdict(request)) for request in requests]
        if self._waiting and [each.request for each in self._waiting[0]] == digests:
            found = [each.completion for each in self._waiting.pop(0)]
            progress(len(found))
        else:
            if self._waiting:
                # What is asked is not what was asked then.
                self._partial.keep(self._used)
                self._waiting = []
            found = self._policy.complete(requests, progress)
            self._partial.add([_Kept(*each) for each in zip(digests, found, strict=True)])
        self._used += 1
        return found
