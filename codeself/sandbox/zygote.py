"""The zygote: a warm, isolated interpreter that forks once for each candidate.

Started by the judge as `python -I -S -c ... zygote <level> <descriptor>`; never forked from a process that
holds anything. It hears of a candidate only a descriptor and the limits: programs and tests never pass
through its memory, so that no candidate inherits another's. One request and two answers a candidate:

    judge -> zygote   memory, cpu, processes   (with the candidate's end of a socket pair)
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
from typing import TYPE_CHECKING

from codeself.sandbox import candidate, channel, kernel
from codeself.sandbox.isolation import Zygote

if TYPE_CHECKING:  # the records' library is large, and every page of the zygote costs each fork
    from codeself.records.verdicts import IsolationLevel

REQUEST = struct.Struct("qii")  # bytes of memory beyond the zygote's, CPU seconds, threads
ENDED = struct.Struct("cid")  # b"E", wait status, CPU seconds of user and system

_CANDIDATE_FD = 3
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


def main(level: IsolationLevel, control: socket.socket) -> None:
    """Warm up, isolate, report "ready" (or what went wrong), then serve until the judge goes away."""
    try:
        for name in _PRELOADED:
            importlib.import_module(name)
        _warm_up()
        zygote = Zygote(level)
        zygote.enter()
        _forget_the_host()
    except Exception as error:
        control.send(f"{type(error).__name__}: {error}".encode()[:2000])
        os._exit(1)
    gc.collect()
    gc.disable()
    gc.freeze()
    control.send(b"ready")
    while True:
        request, connection = kernel.receive_with_fd(control, REQUEST.size)
        if not request:
            os._exit(0)
        _serve_one(zygote, control, connection, *REQUEST.unpack(request))


def _serve_one(
    zygote: Zygote, control: socket.socket, connection: int, memory: int, cpu_seconds: int, processes: int
) -> None:
    pid, pidfd = kernel.clone(zygote.clone_flags)
    if pid == 0:
        _become_candidate(zygote, connection, memory + _address_space(), cpu_seconds, processes)
    os.close(connection)
    kernel.send_with_fd(control, b"S", pidfd)
    os.close(pidfd)
    _, status, usage = os.wait4(pid, 0)
    if zygote.level in ("none", "limits"):
        _end_orphans()
    control.send(ENDED.pack(b"E", status, usage.ru_utime + usage.ru_stime))


def _become_candidate(zygote: Zygote, connection: int, memory: int, cpu_seconds: int, processes: int) -> None:
    """In the new process: nothing is open but the null device and the channel, then limits, then the program."""
    try:
        os.dup2(connection, _CANDIDATE_FD)
        os.closerange(_CANDIDATE_FD + 1, 64)
        channel_socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=_CANDIDATE_FD)
        zygote.seal(memory, cpu_seconds, processes)
        candidate.serve(channel_socket)
    finally:
        os._exit(70)


def _address_space() -> int:
    return _ADDRESS_SPACE


_ADDRESS_SPACE = 0


def _forget_the_host() -> None:
    """Nothing of the host stays in the interpreter's own state: environment, arguments, module search path."""
    global _ADDRESS_SPACE
    os.environ.clear()
    stdlib = sysconfig.get_path("stdlib")
    sys.path[:] = [stdlib, os.path.join(stdlib, "lib-dynload")]
    sys.path_importer_cache.clear()
    sys.argv[:] = [candidate.MODULE_NAME]
    sys.flags  # noqa: B018  (read once, so that later reads find it built)
    _ADDRESS_SPACE = _measure_address_space()


def _measure_address_space() -> int:
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
    first, second = socket.socketpair()
    namespace: dict[str, object] = {}
    exec(compile(_WARM_UP, "<warm-up>", "exec"), namespace)
    warm = candidate.Candidate(first)
    frames = (
        ["run", _WARM_UP + "\nprint('warm')", 1 << 16],
        ["ask", "warm", None, [[3, 1, 2]], {}, True],
        ["ask", "nothing", None, [{"$tuple": [1, 2]}], {}, True],
    )
    stdout, stderr = sys.stdout, sys.stderr
    for frame in frames:
        channel.unpack(channel.pack(frame)[channel.HEADER_BYTES :])
        warm._send(warm._answer(frame))
    sys.stdout, sys.stderr = stdout, stderr
    del sys.modules[candidate.MODULE_NAME]
    first.close()
    second.close()


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
