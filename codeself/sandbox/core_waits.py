"""How long processes were ready to run and had no core: the part of wall time that says how busy the machine is."""

from __future__ import annotations

import contextlib
import os
from functools import lru_cache


class Waits:
    """What the threads of one process have waited for a core, those included that have ended since they were seen."""

    def __init__(self) -> None:
        self._threads: dict[str, int] = {}

    def of(self, pid: int) -> float:
        """Seconds since the process began; what it was where the process is gone."""
        with contextlib.suppress(OSError, IndexError, ValueError):
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/schedstat", "rb") as stream:
                    self._threads[thread] = int(stream.read().split()[1])
        return sum(self._threads.values()) / 1e9


def own() -> float:
    """Seconds of the calling process's first thread since it began. Asked for every candidate: cheap."""
    try:
        return int(os.pread(_own_file(os.getpid()), 128, 0).split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


@lru_cache(maxsize=1)
def _own_file(pid: int) -> int:
    """Kept open for as long as the process lives. A kernel that does not count leaves nothing to read there."""
    try:
        return os.open(f"/proc/{pid}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
