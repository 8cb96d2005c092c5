"""The zygote: a warm, isolated interpreter that forks once for each candidate.

Started by the judge for one level and one set of limits; never forked from a process that holds anything. It
hears of a candidate only a descriptor: programs and tests never pass through its memory, so that no candidate
inherits another's. Here it is made; what it does then is codeself.sandbox.serving's.
"""

from __future__ import annotations

import _socket as socket  # the module above it costs every candidate a hundred pages
import gc
import os
import sys
from typing import TYPE_CHECKING

from codeself.sandbox import descriptors, filesystem, mappings, preload
from codeself.sandbox.isolation import Zygote

if TYPE_CHECKING:  # the records' library is large, and every page of the zygote costs each fork
    from codeself.records.verdicts import IsolationLevel
    from codeself.sandbox.candidate import Candidate


def main(level: IsolationLevel, memory_mb: int, processes: int, waits: bool, control: socket.socket) -> None:
    """Report that it is ready (or what went wrong), then serve until the judge goes away.

    waits: have it wait for each candidate's end, where it can.
    """
    try:
        # The lowest free descriptor is then the candidate's own, and its channel arrives there by itself.
        control = _move(control, descriptors.CONTROL)
        zygote, ready = prepare(level, memory_mb, processes)
        from codeself.sandbox import serving

        serve = serving.server(zygote, ready, control, waits)
    except Exception as error:
        control.send(f"{type(error).__name__}: {error}".encode()[:2000])
        os._exit(1)
    serve()


def prepare(level: IsolationLevel, memory_mb: int, processes: int) -> tuple[Zygote, Candidate]:
    """Make this process a zygote: isolated, bounded, warm, its memory frozen. Returns the next candidate too."""
    written = mappings.join()
    zygote = Zygote(level)
    zygote.enter()
    gc.collect()
    preload.settle()
    # The first time that it is loaded, and the last that anything is: see there.
    from codeself.sandbox import serving

    ready = serving.warm_up()
    _forget_the_host()
    zygote.bound(_address_space() + (memory_mb << 20), processes)
    gc.collect()
    preload.settle()
    gc.freeze()
    mappings.enlarge(written)
    mappings.own_arenas()
    # A candidate collects later than usual: an early collection only writes to pages it shares with the zygote.
    gc.set_threshold(20_000, 10, 10)
    return zygote, ready


def _move(control: socket.socket, descriptor: int) -> socket.socket:
    """The same socket under another descriptor; all between the null device and it is free then."""
    if control.fileno() != descriptor:
        os.dup2(control.fileno(), descriptor)
    control.detach()
    os.closerange(descriptors.CHANNEL, descriptor)
    os.closerange(descriptor + 1, 1 << 20)  # a caller with many open files gives it a high number
    return socket.socket(fileno=descriptor)


def _forget_the_host() -> None:
    """Nothing of the host stays in the interpreter's own state: environment, arguments, module search path."""
    os.environ.clear()
    stdlib = filesystem.STDLIB
    sys.path[:] = [stdlib, os.path.join(stdlib, "lib-dynload")]
    sys.path_importer_cache.clear()
    sys.argv[:] = sys.orig_argv[:] = [descriptors.MODULE_NAME]
    sys.executable = ""
    sys.prefix = sys.exec_prefix = sys.base_prefix
    for module in list(sys.modules.values()):
        # Where this package is installed tells of the host's users and folders.
        if not str(getattr(module, "__file__", None) or stdlib).startswith(stdlib):
            module.__file__ = module.__cached__ = None  # type: ignore[attr-defined]
            module.__spec__ = None


def _address_space() -> int:
    """Bytes of address space that the bare zygote has: a candidate's memory limit counts from there."""
    # No /proc is left at strict. The limit that a fresh mapping just fits under is found by halving.
    import mmap
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    low, high = 0, 1 << 36 if hard == resource.RLIM_INFINITY else min(1 << 36, hard)
    while high - low > 1 << 20:
        middle = (low + high) // 2
        resource.setrlimit(resource.RLIMIT_AS, (middle, hard))
        try:
            mmap.mmap(-1, 4096).close()
            high = middle
        except (OSError, MemoryError, ValueError):
            low = middle
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    return high
