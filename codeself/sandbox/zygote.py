"""The zygote: a warm, isolated interpreter that forks once for each candidate.

Started by the judge with `python -I -S`, for one level and one set of limits; never forked from a process
that holds anything. It hears of a candidate only a descriptor: programs and tests never pass through its
memory, so that no candidate inherits another's. One request and two answers a candidate:

    judge -> zygote   "C"                      (with the candidate's end of a socket pair)
    zygote -> judge   "S"                      (with a pidfd of the candidate's process)
    zygote -> judge   "E", wait status, CPU seconds
"""

from __future__ import annotations

import gc
import importlib
import os
import socket
import struct
import sys
import sysconfig
from typing import TYPE_CHECKING, Any

from codeself.sandbox import candidate, channel, kernel
from codeself.sandbox.isolation import Zygote

if TYPE_CHECKING:  # the records' library is large, and every page of the zygote costs each fork
    from codeself.records.verdicts import IsolationLevel

REQUEST = b"C"
ENDED = struct.Struct("cid")  # b"E", wait status, CPU seconds of user and system

_PRELOADED = """
abc bisect collections collections.abc contextlib copy dataclasses datetime enum functools heapq io itertools
json math operator random re string time typing
""".split()
_WARM_UP = """
import math, re
from typing import List
class _Warm:
    def __init__(self, n): self.n = n
def warm(numbers: List[int], text: str = "a1 b2"):
    seen = {}
    for index, number in enumerate(sorted(numbers)):
        seen[number] = seen.get(number, 0) + index
    try:
        raise ValueError(f"{text!r}")
    except ValueError as error:
        words = [w for w in re.findall(r"[a-z]", text) if w]
    return sum(n * n for n in numbers), max(seen), "".join(words), {n: str(n) for n in numbers}, math.sqrt(2.0)
"""


def main(level: IsolationLevel, memory_mb: int, processes: int, control: socket.socket) -> None:
    """Report "ready" (or what went wrong), then serve until the judge goes away."""
    try:
        zygote = prepare(level, memory_mb, processes)
    except Exception as error:
        control.send(f"{type(error).__name__}: {error}".encode()[:2000])
        os._exit(1)
    control.send(b"ready")
    while True:
        request, connection = kernel.receive_with_fd(control, len(REQUEST))
        if not request:
            os._exit(0)
        _serve_one(zygote, control, connection)


def prepare(level: IsolationLevel, memory_mb: int, processes: int) -> Zygote:
    """Make this process a zygote: warm, isolated, bounded, its memory frozen."""
    for name in _PRELOADED:
        importlib.import_module(name)
    _warm_up()
    zygote = Zygote(level)
    zygote.enter()
    _forget_the_host()
    zygote.bound(_address_space() + (memory_mb << 20), processes)
    gc.collect()
    gc.freeze()
    # A candidate collects later than usual: an early collection only writes to pages it shares with the zygote.
    gc.set_threshold(20_000, 10, 10)
    return zygote


def _serve_one(zygote: Zygote, control: socket.socket, connection: int) -> None:
    pid, pidfd = kernel.clone(zygote.clone_flags)
    if pid == 0:
        _become_candidate(zygote, connection)
    os.close(connection)
    kernel.send_with_fd(control, b"S", pidfd)
    os.close(pidfd)
    _, status, usage = os.wait4(pid, 0)
    if zygote.level in ("none", "limits"):
        _end_orphans()
    control.send(ENDED.pack(b"E", status, usage.ru_utime + usage.ru_stime))


def _become_candidate(zygote: Zygote, connection: int) -> None:
    """In the new process: nothing is open but the null device and the channel, then the last seal, then serve."""
    try:
        os.dup2(connection, candidate.DESCRIPTOR)
        os.closerange(candidate.DESCRIPTOR + 1, 64)
        zygote.seal()
        candidate.serve()
    finally:
        os._exit(70)


def _forget_the_host() -> None:
    """Nothing of the host stays in the interpreter's own state: environment, arguments, module search path."""
    os.environ.clear()
    stdlib = sysconfig.get_path("stdlib")
    sys.path[:] = [stdlib, os.path.join(stdlib, "lib-dynload")]
    sys.path_importer_cache.clear()
    sys.argv[:] = [candidate.MODULE_NAME]


def _address_space() -> int:
    """Bytes of address space that the bare zygote has: a candidate's memory limit counts from there."""
    # No /proc is left at strict. The limit that a fresh mapping just fits under is found by halving.
    import mmap
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    low, high = 0, 1 << 36
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


def _warm_up() -> None:
    """Compile, run, encode and decode once, so that no candidate pays for what the interpreter builds lazily."""
    namespace: dict[str, object] = {}
    exec(compile(_WARM_UP, "<warm-up>", "exec"), namespace)
    warm = candidate.Candidate()
    frames: tuple[list[Any], ...] = (
        ["run", _WARM_UP + "\nprint('warm')", 1 << 16],
        ["ask", "warm", None, [[3, 1, 2]], {}, True],
        ["ask", "nothing", None, [{"$tuple": [1, 2]}], {}, True],
    )
    stdout, stderr = sys.stdout, sys.stderr
    for frame in frames:
        channel.unpack(channel.pack(frame)[channel.HEADER_BYTES :])
        channel.pack(warm._answer(frame))
    sys.stdout, sys.stderr = stdout, stderr
    vars(sys).update(__stdout__=stdout, __stderr__=stderr)
    del sys.modules[candidate.MODULE_NAME]


def _end_orphans() -> None:
    """Kill and reap whatever a dead candidate left behind: it was re-parented to this process."""
    while True:
        try:
            with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as children:
                orphans = [int(pid) for pid in children.read().split()]
        except OSError:
            return
        if not orphans:
            return
        for pid in orphans:
            try:
                os.kill(pid, 9)
                os.waitpid(pid, 0)
            except OSError:
                continue
