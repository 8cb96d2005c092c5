"""Wall seconds of a step's stages: host facts, no part of the record."""

from __future__ import annotations

import time


class Clock:
    """`with clock.timing("sampling"):` adds to that stage's seconds."""

    def __init__(self) -> None:
        self.seconds = {"sampling": 0.0, "judging": 0.0, "updating": 0.0}
        self._stage = ""
        self._since = 0.0

    def timing(self, stage: str) -> Clock:
        self._stage = stage
        return self

    def __enter__(self) -> None:
        self._since = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds[self._stage] += time.perf_counter() - self._since
