"""What a zygote does all its life, and all that a candidate's process runs of ours: forking, and serving the judge.

Loaded last in a zygote, with the modules that it needs: what is touched for each candidate then lies together. One
candidate lives at a time. What the judge may send:

    "C" or "c", with the candidate's end of a socket pair    start a candidate
    "D"                                                      it is done: kill and reap it
    "K"                                                      the same, and answer "E" and its wait status
    "P"                                                      answer "S", with a pidfd of its process

A zygote that waits for each candidate's end hears nothing before it: then it is the judge that kills, and "K" asks
how the last one ended. That is cheaper by far (ForkAndWait). It takes a judge that sees the zygote's children and
may kill them, and a level at which the kernel ends them all when the judge is gone. Such a zygote only looks at a
message that starts a candidate: the candidate itself takes it, and with it the channel, which is open nowhere else.
It may be killed before that: as "C" and "c" come by turns, what it left is not taken for the next one's.
"""

from __future__ import annotations

import _socket as socket  # the module above it costs every candidate a hundred pages
import ctypes
import mmap
import os
import struct
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from codeself.sandbox import candidate, channel, contexts, kernel
from codeself.sandbox.descriptors import CHANNEL, CONTROL, MODULE_NAME

if TYPE_CHECKING:
    from codeself.sandbox.isolation import Zygote

STARTS, DONE, KILL, SHOW = (b"C", b"c"), b"D", b"K", b"P"
ENDED = struct.Struct("=ci")  # b"E", wait status
READY, READY_AND_WAITING = b"ready", b"ready, and waits"
_ANCILLARY = socket.CMSG_SPACE(4)  # room for one descriptor, which becomes the lowest free one
_ROUNDS = 20  # the interpreter adapts a function's code after some calls; until then each call writes to it

# For a candidate's first moments, where every object made or touched is a page copied: plain ints and prepared
# objects, no errno, and the interpreter's lock kept.
_direct = ctypes.PyDLL(None).syscall
_direct.restype = ctypes.c_long
_ANY = (1 << 32) - 1  # any child, to wait4

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


class ForkAndWait:
    """Fork, and where it was called from nothing goes on before the new process has ended.

    Until then the two share their memory, and what either writes is copied first, page by page. A process that
    writes nothing has no page copied, and its huge pages stay whole. status: how the last one ended.
    """

    def __init__(self, flags: int) -> None:
        size = contexts.bytes_for(2)
        self._memory = mmap.mmap(-1, size + 8, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        # Written by the kernel: the first where the fork was called from, the second in the new process alone.
        status, born = start + size, start + size + 4
        self._status, self._born = ctypes.c_int.from_address(status), ctypes.c_int.from_address(born)
        flags |= kernel.CLONE_CHILD_SETTID | kernel.SIGCHLD
        self._row = contexts.Row(
            start,
            [
                # The thread's id is the fourth of clone's arguments or the fifth, depending on the architecture.
                (_direct, kernel.NUMBERS["clone"], flags, 0, 0, born, born),
                # The new process makes this call too, and has nobody to wait for.
                (_direct, kernel.NUMBERS["wait4"], _ANY, status, 0, 0),
            ],
        )

    def __call__(self) -> int:
        """0 in the new process. Where it was called, 1 once that has ended, and -1 when none could be made."""
        self._status.value = -1
        self._row.run()
        if self._born.value:
            return 0
        return 1 if self._status.value >= 0 else -1

    @property
    def status(self) -> int:
        return self._status.value


def server(
    zygote: Zygote, ready: candidate.Candidate, control: socket.socket, waits: bool
) -> Callable[[], None]:
    """Says to the judge that the zygote is ready, and returns what it does from then on."""
    if waits and zygote.level == "strict" and contexts.POSSIBLE:
        fork = ForkAndWait(zygote.clone_flags)
        control.send(READY_AND_WAITING)
        return partial(serve_waiting, zygote, ready, control, fork)
    control.send(READY)
    return partial(serve, zygote, ready, control)


def serve(zygote: Zygote, ready: candidate.Candidate, control: socket.socket) -> None:
    """Do what the judge asks until it goes away; then everything here ends with this process."""
    fork, sealing = partial(_direct, *kernel.cloning(zygote.clone_flags)), zygote.sealing(CONTROL)
    alone = zygote.level == "strict"  # a candidate's descendants die with it
    last_seal = None if alone else zygote.finish_sealing
    receive = control.recvmsg
    pid = 0
    while True:
        try:
            message = receive(1, _ANCILLARY)[0]
        except OSError:
            message = b""  # it died with answers unread
        if message in STARTS:
            pid = _fork(fork, sealing, last_seal, ready)
            os.close(CHANNEL)
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
    zygote: Zygote, ready: candidate.Candidate, control: socket.socket, fork: ForkAndWait
) -> None:
    """The same for a zygote that waits for each candidate's end."""
    sealing = (kernel.receiving(CONTROL), *zygote.sealing(CONTROL))
    receive = control.recv
    started = b""
    while True:
        try:
            message = receive(1, socket.MSG_PEEK)
            if message in STARTS and message != started:
                started = message
                _fork(fork, sealing, None, ready)
                continue
            receive(1)
        except OSError:
            message = b""
        if message == KILL:
            control.send(ENDED.pack(b"E", fork.status))
        elif message not in STARTS:
            os._exit(0)


def _fork(
    fork: Callable[[], int],
    sealing: Sequence[kernel.Call],
    last_seal: Callable[[], None] | None,
    ready: candidate.Candidate,
) -> int:
    """Start a candidate; returns what `fork` does. In the new process it never returns.

    sealing: after it nothing is open there but the null device and the channel. Then comes the last seal, then the
    judge's requests. Written for few pages touched: this function alone, local names, prepared calls.
    """
    pid = fork()
    if pid > 0:
        return pid
    try:
        if pid < 0:
            ready.end(71)  # the zygote itself: the judge starts another
        for step in sealing:
            if _direct(*step) < 0:
                ready.end(70)
        if last_seal is not None:
            last_seal()
        ready.serve()
    finally:
        ready.end(0)
    return 0


def warm_up() -> candidate.Candidate:
    """Compile, run, encode and decode once, so that no candidate pays for what the interpreter builds lazily.

    Returns the candidate that is next.
    """
    namespace: dict[str, object] = {}
    exec(compile(_WARM_UP, "<warm-up>", "exec"), namespace)
    requests: tuple[list[Any], ...] = (
        [channel.RUN, _WARM_UP + "\nprint('warm')", 1 << 16],
        [channel.ASK, "warm", None, channel.pack_arguments(([3, 1, 2],), {}), True],
        [channel.ASK, "warm", None, channel.pack_arguments(([3, 1, 2], "text"), {}), False],
        [channel.ASK, "nothing", None, channel.pack_arguments(((1, 2),), {}), True],
        [channel.HAND, "warm", None, [[3, 1, 2]], {}, True],
    )
    kept = sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__
    for _ in range(_ROUNDS):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for request in requests:
            ours.send(channel.pack_request(request))
        ours.shutdown(socket.SHUT_WR)
        warm = candidate.Candidate(theirs.fileno())
        warm.enter()
        warm.serve()
        for _ in requests:
            channel.unpack(ours.recv(1 << 16)[channel.HEADER_BYTES :])
    sys.stdout, sys.stderr = kept[:2]
    vars(sys).update(__stdout__=kept[2], __stderr__=kept[3])
    del sys.modules[MODULE_NAME]
    # The way through _fork as the new process goes it, up to where the judge is gone; nothing is forked.
    nothing = kernel.call("sched_yield")
    warm.end = lambda status: None  # type: ignore[method-assign, assignment]
    for _ in range(_ROUNDS):
        _fork(partial(_direct, *nothing), (nothing, nothing), None, warm)
    ours.close()
    theirs.close()
    ready = candidate.Candidate()
    ready.enter()
    return ready


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
