"""How long the judge itself may work on what a candidate sent."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from codeself.sandbox.session import CandidateEnded


def prepare() -> None:
    """Take over the signal of `limit`. Once a process, as asking costs more than setting."""
    signal.signal(signal.SIGPROF, _interrupt)


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Bound what tests do here with a candidate's data: a loop over a huge answer, say. Raises CandidateEnded.

    Work inside one call of the interpreter's own C code cannot be interrupted: then the second timer ends
    this process, and the pool knows by the signal what happened.
    """
    # Again and again: one that falls into a finalizer is lost.
    _interrupted.clear()
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.5)
    signal.setitimer(signal.ITIMER_VIRTUAL, 2 * seconds)
    try:
        yield
        if _interrupted:  # and the test swallowed it
            raise _interrupted[0]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


_interrupted: list[CandidateEnded] = []


def _interrupt(number: int, frame: FrameType | None) -> None:
    _interrupted.append(CandidateEnded("timeout", "its answer could not be checked in the time allowed"))
    raise _interrupted[-1]
