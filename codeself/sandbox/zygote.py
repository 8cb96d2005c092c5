"""The zygote: a warm, isolated interpreter that forks once for each candidate.

Started by the judge for one level and one set of limits; never forked from a process that holds anything. It
hears of a candidate only a descriptor: programs and tests never pass through its memory, so that no candidate
inherits another's. One candidate lives at a time. What the judge may send:

    "C", with the candidate's end of a socket pair    start a candidate
    "D"                                               it is done: kill and reap it
    "K"                                               the same, and answer "E" and its wait status
    "P"                                               answer "S", with a pidfd of its process

A zygote that waits for each candidate's end hears nothing before it: then it is the judge that kills, and "K" asks
how the last one ended. That is cheaper by far (codeself.sandbox.kernel.ForkAndWait). It takes a judge that sees the
zygote's children and may kill them, and a level at which the kernel ends them all when the judge is gone.
"""

from __future__ import annotations

import _socket as socket  # the module above it costs every candidate a hundred pages
import gc
import os
import struct
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from codeself.sandbox import candidate, channel, contexts, filesystem, kernel, mappings, preload
from codeself.sandbox.isolation import Zygote

if TYPE_CHECKING:  # the records' library is large, and every page of the zygote costs each fork
    from codeself.records.verdicts import IsolationLevel

START, DONE, KILL, SHOW = b"C", b"D", b"K", b"P"
ENDED = struct.Struct("=ci")  # b"E", wait status
READY, READY_AND_WAITING = b"ready", b"ready, and waits"
_CONTROL = candidate.DESCRIPTOR + 1
_ANCILLARY = socket.CMSG_SPACE(4)  # room for one descriptor, which becomes the lowest free one
_ROUNDS = 20  # the interpreter adapts a function's code after some calls; until then each call writes to it

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


def main(level: IsolationLevel, memory_mb: int, processes: int, waits: bool, control: socket.socket) -> None:
    """Report READY (or what went wrong), then serve until the judge goes away. waits: where that can be done."""
    try:
        # The lowest free descriptor is then the candidate's own, and its channel arrives there by itself.
        control = _move(control, _CONTROL)
        zygote, ready = prepare(level, memory_mb, processes)
        waits = waits and level == "strict" and contexts.POSSIBLE
        fork = kernel.ForkAndWait(zygote.clone_flags) if waits else None
    except Exception as error:
        control.send(f"{type(error).__name__}: {error}".encode()[:2000])
        os._exit(1)
    if fork is not None:
        control.send(READY_AND_WAITING)
        serve_waiting(zygote, ready, control, fork)
    else:
        control.send(READY)
        serve(zygote, ready, control)


def serve(zygote: Zygote, ready: candidate.Candidate, control: socket.socket) -> None:
    """Do what the judge asks until it goes away; then everything here ends with this process."""
    fork, sealing = partial(kernel.direct, *kernel.cloning(zygote.clone_flags)), zygote.sealing(_CONTROL)
    alone = zygote.level == "strict"  # a candidate's descendants die with it
    last_seal = None if alone else zygote.finish_sealing
    receive = control.recvmsg
    pid = 0
    while True:
        try:
            message = receive(1, _ANCILLARY)[0]
        except OSError:
            message = b""  # it died with answers unread
        if message == START:
            pid = _fork(fork, sealing, last_seal, ready)
            os.close(candidate.DESCRIPTOR)
        elif message in (DONE, KILL):
            os.kill(pid, 9)
            _, status = os.waitpid(pid, 0)
            if not alone:
                _end_orphans()
            if message == KILL:
                control.send(ENDED.pack(b"E", status))
        elif message == SHOW:
            descriptor = os.pidfd_open(pid)
            kernel.send_with_fd(control, b"S", descriptor)
            os.close(descriptor)
        else:
            if not alone:
                _end_orphans()  # the candidate too, where one is at work
            os._exit(0)


def serve_waiting(
    zygote: Zygote, ready: candidate.Candidate, control: socket.socket, fork: kernel.ForkAndWait
) -> None:
    """The same for a zygote that waits for each candidate's end."""
    sealing = zygote.sealing(_CONTROL)
    receive = control.recvmsg
    while True:
        try:
            message = receive(1, _ANCILLARY)[0]
        except OSError:
            message = b""
        if message == START:
            _fork(fork, sealing, None, ready)
            os.close(candidate.DESCRIPTOR)
        elif message == KILL:
            control.send(ENDED.pack(b"E", fork.status))
        else:
            os._exit(0)


def _fork(
    fork: Callable[[], int],
    sealing: Sequence[kernel.Call],
    last_seal: Callable[[], None] | None,
    ready: candidate.Candidate,
) -> int:
    """Start a candidate; returns what `fork` does. In the new process it never returns.

    Nothing is open there but the null device and the channel; then comes the last seal, then the judge's
    requests. Written for few pages touched: this function alone, local names, prepared calls.
    """
    pid = fork()
    if pid > 0:
        return pid
    try:
        if pid < 0:
            ready.end(71)  # the zygote itself: the judge starts another
        direct = kernel.direct
        for step in sealing:
            if direct(*step) < 0:
                ready.end(70)
        if last_seal is not None:
            last_seal()
        ready.serve()
    finally:
        ready.end(0)
    return 0


def prepare(level: IsolationLevel, memory_mb: int, processes: int) -> tuple[Zygote, candidate.Candidate]:
    """Make this process a zygote: warm, isolated, bounded, its memory frozen. Returns the next candidate too."""
    preload.load()
    _warm_up()
    written = mappings.join()
    zygote = Zygote(level)
    zygote.enter()
    _forget_the_host()
    zygote.bound(_address_space() + (memory_mb << 20), processes)
    ready = candidate.Candidate()
    ready.enter()
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
    os.closerange(candidate.DESCRIPTOR, descriptor)
    os.closerange(descriptor + 1, 1 << 20)  # a caller with many open files gives it a high number
    return socket.socket(fileno=descriptor)


def _forget_the_host() -> None:
    """Nothing of the host stays in the interpreter's own state: environment, arguments, module search path."""
    os.environ.clear()
    stdlib = filesystem.STDLIB
    sys.path[:] = [stdlib, os.path.join(stdlib, "lib-dynload")]
    sys.path_importer_cache.clear()
    sys.argv[:] = sys.orig_argv[:] = [candidate.MODULE_NAME]
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


def _warm_up() -> None:
    """Compile, run, encode and decode once, so that no candidate pays for what the interpreter builds lazily."""
    namespace: dict[str, object] = {}
    exec(compile(_WARM_UP, "<warm-up>", "exec"), namespace)
    ours, theirs = socket.socketpair()
    frames: tuple[list[Any], ...] = (
        ["run", _WARM_UP + "\nprint('warm')", 1 << 16],
        ["ask", "warm", None, [[3, 1, 2]], {}, True],
        ["ask", "warm", None, [[3, 1, 2], "text"], {}, False],
        ["ask", "nothing", None, [{"$tuple": [1, 2]}], {}, True],
    )
    kept = sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__
    for _ in range(_ROUNDS):
        warm = candidate.Candidate(theirs.fileno())
        warm.enter()
        for frame in frames:
            ours.send(channel.pack(frame))
            warm.serve_one()
            channel.unpack(ours.recv(1 << 16)[channel.HEADER_BYTES :])
    sys.stdout, sys.stderr = kept[:2]
    vars(sys).update(__stdout__=kept[2], __stderr__=kept[3])
    del sys.modules[candidate.MODULE_NAME]
    ours.close()
    # The way through _fork as the new process goes it, up to where the judge is gone; nothing is forked.
    nothing = kernel.call("sched_yield")
    warm.end = lambda status: None  # type: ignore[method-assign, assignment]
    for _ in range(_ROUNDS):
        _fork(partial(kernel.direct, *nothing), (nothing, nothing), None, warm)
    theirs.close()


def _end_orphans() -> None:
    """Kill and reap whatever a dead candidate left behind: it was re-parented to this process.

    Where /proc is out of reach (`restricted` with Landlock), a candidate starts nothing that it could leave.
    """
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
