"""How long the judge itself may work on what a candidate sent."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

from codeself.sandbox.session import CandidateEnded


def prepare() -> None:
    """Take over the signal of `limit`. Once a process, as asking costs more than setting."""
    signal.signal(signal.SIGPROF, _interrupt)


class limit:
    """Bound what tests do here with a candidate's data: a loop over a huge answer, say. Raises CandidateEnded.

    Used like a function: a class, as a generator costs twice as much.
    Work inside one call of the interpreter's own C code cannot be interrupted: then the second timer ends
    this process, and the pool knows by the signal what happened.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        _interrupted.clear()
        # Again and again: one that falls into a finalizer is lost.
        signal.setitimer(signal.ITIMER_PROF, self._seconds, 0.5)
        signal.setitimer(signal.ITIMER_VIRTUAL, 2 * self._seconds)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        if _interrupted and kind is None:  # and the test swallowed it
            raise _interrupted[0]


_interrupted: list[CandidateEnded] = []


def _interrupt(number: int, frame: FrameType | None) -> None:
    _interrupted.append(CandidateEnded("timeout", "its answer could not be checked in the time allowed"))
    raise _interrupted[-1]
