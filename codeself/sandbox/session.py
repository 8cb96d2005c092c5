"""The judge's end of one candidate's process: questions with deadlines, and a sure end.

Clocks and the kill are here, in a process that the candidate cannot reach. Both limits are load-proof: CPU
time is the kernel's count, and of wall time the part that candidate or judge spent waiting for a core is left out.
"""

from __future__ import annotations

import _socket  # its sockets are made in half the time of those of the module above it
import contextlib
import os
import select
import signal
import struct
import time
from functools import lru_cache
from types import TracebackType
from typing import Any

from codeself.records.errors import InfrastructureError
from codeself.records.judging import Limits
from codeself.records.verdicts import Status
from codeself.sandbox import channel, core_waits
from codeself.sandbox.zygote_process import ZygoteProcess

# Waits for a core before a phase are not looked at when they can be no longer: what tells of them is slow to read.
_GLANCE_SECONDS = 0.005
_FIRST_READ = 1 << 16
# A socket's own timeout is counted in ticks of the kernel's clock, and may come so much later; a poll's is exact.
_TICKS_SECONDS = 0.01
# CPU time for loading a program or a module, where tests get less: the library's dearest take a tenth of it.
_LOADING_SECONDS = 0.25
# Real time after which a phase ends however starved of a core the candidate was: every wait has a bound.
_STARVED_FACTOR, _STARVED_SECONDS = 10, 60
# A candidate that waited for a core this share of its CPU time may have run slower than alone.
_CONTENDED_SHARE = 0.2


class CandidateEnded(BaseException):
    """The candidate can answer no more: it ran out of a limit, crashed, or broke the channel.

    A BaseException, so that a test's own `except Exception` does not swallow it.
    """

    def __init__(self, status: Status, detail: str) -> None:
        super().__init__(detail)
        self.status: Status = status
        self.detail = detail


class Session:
    """One candidate's process. Use as a context manager: on exit the process is killed, with all in it."""

    def __init__(self, zygote: ZygoteProcess, limits: Limits, cpu_seconds: float | None = None) -> None:
        """cpu_seconds: of each phase of tests, where it is less than the limits'."""
        self._zygote = zygote
        self._limits = limits
        self._tests_cpu = limits.cpu_seconds if cpu_seconds is None else cpu_seconds
        self._cpu_limit = loading_seconds(self._tests_cpu, limits)
        self.cap = limits.value_kb * 1024  # bytes of one reply
        self.received = 0  # bytes of all
        self._clock: int | None = None
        self._pid = 0
        self._unread = b""
        self.out_of_cpu = self.contended = False
        # A fault of ours, which tests may have swallowed: what they made of it is no verdict.
        self.fault: InfrastructureError | None = None
        ours, theirs = _socket.socketpair()
        try:
            zygote.start(theirs.fileno())
        except OSError as error:
            ours.close()
            raise InfrastructureError(f"the sandbox's zygote is gone: {error}") from error
        finally:
            theirs.close()
        # The kernel wakes us shortly before nothing has come in the time that is the least allowed.
        timeval = _timeval(min(self._tests_cpu, limits.wall_seconds))
        ours.setsockopt(_socket.SOL_SOCKET, _socket.SO_RCVTIMEO, timeval)
        ours.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDTIMEO, timeval)
        self._socket = ours
        self._started = time.monotonic()
        self._phase_started = self._started
        self._waits = core_waits.Waits()
        self._judge_waited = core_waits.own()
        self._phase_cpu = self._phase_starved = 0.0

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start_phase(self) -> None:
        """The program is loaded: give it a fresh allowance of CPU and wall time, for tests."""
        self._cpu_limit = self._tests_cpu
        self._phase_cpu = self._cpu()
        now = time.monotonic()
        if now - self._started > _GLANCE_SECONDS:
            self._phase_starved = self._waits.of(self._pid)
            self._judge_waited = core_waits.own()
        self._phase_started = now

    def ask(self, frame: list[Any]) -> list[Any]:
        """Send a request and wait for the reply. Raises CandidateEnded."""
        self._send(channel.pack_request(frame))
        data = self._unread or self._receive(_FIRST_READ)
        while len(data) < channel.HEADER_BYTES:
            data += self._receive(_FIRST_READ)
        try:
            end = channel.HEADER_BYTES + channel.body_length(data, self.cap)
            if len(data) < end:
                data = self._rest(data, end)
            self._unread = data[end:]
            self.received += end
            reply = channel.unpack(data[channel.HEADER_BYTES : end])
        except channel.ChannelError as error:
            raise CandidateEnded("output", str(error)) from error
        if time.monotonic() - self._phase_started > self._cpu_limit:
            self._check_clocks()
        return reply

    def _send(self, data: bytes) -> None:
        sent = 0
        while sent < len(data):
            try:
                sent += self._socket.send(memoryview(data)[sent:] if sent else data)
            except BlockingIOError:
                self._wait(select.POLLOUT)
            except OSError:
                raise self._death() from None

    def _receive(self, most: int) -> bytes:
        while True:
            try:
                part = self._socket.recv(most)
            except BlockingIOError:
                self._wait(select.POLLIN)
                continue
            except OSError:
                raise self._death() from None
            if not part:
                raise self._death()
            return part

    def _rest(self, data: bytes, end: int) -> bytes:
        whole = bytearray(data)
        while len(whole) < end:
            whole += self._receive(min(end - len(whole), 1 << 20))
            if time.monotonic() - self._phase_started > self._cpu_limit:
                self._check_clocks()  # a byte at a time never lets the wait run out
        return bytes(whole)

    def _wait(self, event: int) -> None:
        """Wait for the socket; look at the clocks whenever a limit could have been passed."""
        waiting = select.poll()
        waiting.register(self._socket, event)
        # CPU time grows no faster than wall time, but for threads that leave the interpreter lock.
        while not waiting.poll(max(min(self._check_clocks()), 0.001) * 1000):
            pass

    def _check_clocks(self) -> tuple[float, float]:
        """What is left of both limits, in seconds. Raises CandidateEnded when one is used up."""
        limits = self._limits
        cpu = self.phase_cpu()
        elapsed = time.monotonic() - self._phase_started
        starved = self._waits.of(self._pid) - self._phase_starved
        self.contended = starved > _CONTENDED_SHARE * max(cpu, 0.01)
        # Candidate and judge take turns: a judge that waits keeps the candidate waiting.
        starved += core_waits.own() - self._judge_waited
        self.out_of_cpu = cpu > self._cpu_limit
        if self.out_of_cpu:
            raise CandidateEnded("timeout", "CPU time limit")
        if elapsed - starved > limits.wall_seconds:
            raise CandidateEnded("timeout", "wall time limit")
        if elapsed > wall_bound(limits):
            raise self._fault("the machine is too busy: the candidate hardly got a core")
        return self._cpu_limit - cpu, limits.wall_seconds - (elapsed - starved)

    def phase_cpu(self) -> float:
        """CPU seconds of this phase so far, all threads."""
        return self._cpu() - self._phase_cpu

    def _cpu(self) -> float:
        if self._clock is None:
            self._pid = self._find_process()
            if not self._pid:
                return self._phase_cpu  # it has not started, or has ended
            self._clock = (~self._pid << 3) | 2  # what clock_getcpuclockid computes
        try:
            return time.clock_gettime(self._clock)
        except OSError:
            return self._phase_cpu  # it is dead: the reading that matters is its end

    def _find_process(self) -> int:
        """The candidate's process id as it is here, outside its namespace."""
        try:
            return self._zygote.candidate()
        except OSError as error:
            raise self._fault(f"the sandbox's zygote does not answer: {error}") from error

    def _death(self) -> CandidateEnded:
        """Why the candidate's end of the channel closed, from how its process ended."""
        self._socket.close()
        try:
            status = self._zygote.status()
        except OSError as error:
            raise self._fault(f"the sandbox's zygote does not answer: {error}") from error
        if os.WIFSIGNALED(status):
            name = signal.Signals(os.WTERMSIG(status)).name
            return CandidateEnded("crashed", f"its process was ended by {name}")
        return CandidateEnded(
            "crashed", f"its process exited with status {os.waitstatus_to_exitcode(status)}"
        )

    def _fault(self, detail: str) -> InfrastructureError:
        self.fault = InfrastructureError(detail)
        return self.fault

    def close(self) -> None:
        """Have the process killed, and everything in it. The next one starts only after its end."""
        if self._socket.fileno() >= 0:
            # A zygote that is gone took the candidate with it; whoever starts the next one finds out.
            with contextlib.suppress(OSError):
                self._zygote.kill(started=self.received > 0, seen=self._pid)
            self._socket.close()  # after it: what sees its channel closed still runs a little


@lru_cache(maxsize=64)
def _timeval(seconds: float) -> bytes:
    seconds = max(seconds - _TICKS_SECONDS, seconds / 2)
    return struct.pack("ll", int(seconds), int(seconds % 1 * 1e6) + 1)


def loading_seconds(cpu_seconds: float, limits: Limits) -> float:
    """CPU time for loading a program whose tests get so much, or what it imports when it is called."""
    return min(max(cpu_seconds, _LOADING_SECONDS), limits.cpu_seconds)


def wall_bound(limits: Limits) -> float:
    """Real seconds that no phase outlasts."""
    return limits.wall_seconds * _STARVED_FACTOR + _STARVED_SECONDS
