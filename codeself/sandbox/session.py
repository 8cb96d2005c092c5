"""The judge's end of one candidate's process: questions with deadlines, and a sure end.

Clocks and the kill are here, in a process that the candidate cannot reach. Both limits are load-proof: CPU
time is the kernel's count, and of wall time the part that the candidate spent waiting for a core is left out.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import codeself
from codeself.records.config import Limits
from codeself.records.errors import InfrastructureError
from codeself.records.verdicts import IsolationLevel, Status
from codeself.sandbox import channel, kernel
from codeself.sandbox.zygote import ENDED, REQUEST

_START_SECONDS = 60.0
# A reply that came within this much wall time needs no look at the CPU clock, whatever the limit.
_GLANCE_SECONDS = 0.005
# Real time after which a phase ends however starved of a core the candidate was: every wait has a bound.
_STARVED_FACTOR, _STARVED_SECONDS = 10, 60
# A candidate that waited for a core this share of its CPU time may have run slower than alone.
_CONTENDED_SHARE = 0.2
_BOOTSTRAP = """
import sys
sys.path[:0] = {paths!r}
import socket
from codeself.sandbox.zygote import main
main({level!r}, {memory_mb}, {processes}, socket.socket(fileno={descriptor}))
"""


class CandidateEnded(BaseException):
    """The candidate can answer no more: it ran out of a limit, crashed, or broke the channel.

    A BaseException, so that a test's own `except Exception` does not swallow it.
    """

    def __init__(self, status: Status, detail: str) -> None:
        super().__init__(detail)
        self.status: Status = status
        self.detail = detail


class ZygoteProcess:
    """A running zygote, with the memory and process limits of its candidates, and the control socket to it."""

    def __init__(self, level: IsolationLevel, limits: Limits) -> None:
        """Start one. Raises InfrastructureError when the level cannot be reached here."""
        import msgpack

        self.level: IsolationLevel = level
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        paths = [str(Path(module.__file__ or "").parent.parent) for module in (codeself, msgpack)]
        program = _BOOTSTRAP.format(
            paths=paths,
            level=level,
            memory_mb=limits.memory_mb,
            processes=limits.processes,
            descriptor=theirs.fileno(),
        )
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", "-c", program],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if not os.environ.get("CODESELF_DEBUG") else None,
            # No hash seed of the host's: what a candidate computes is the same on every run.
            env={"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"},
            start_new_session=True,
        )
        theirs.close()
        self.control = ours
        ours.settimeout(_START_SECONDS)
        try:
            answer = ours.recv(4096)
        except OSError as error:
            answer = str(error).encode()
        if answer != b"ready":
            self.close()
            reason = answer.decode("utf-8", "replace") or "it ended at once"
            raise InfrastructureError(f"sandbox level '{level}' cannot be reached: {reason}")

    def close(self) -> None:
        """End the zygote and with it every candidate that it holds."""
        self.control.close()
        self._process.kill()
        self._process.wait()


class Session:
    """One candidate's process. Use as a context manager: on exit the process is dead and reaped."""

    def __init__(self, zygote: ZygoteProcess, limits: Limits) -> None:
        self._zygote = zygote
        self._limits = limits
        self._cap = limits.value_kb * 1024
        self._pidfd = -1
        self._clock: int | None = None
        self._status = 0
        self._pid = 0
        self.out_of_cpu = self.contended = False
        self.cpu_seconds = 0.0
        ours, theirs = socket.socketpair()
        try:
            kernel.send_with_fd(zygote.control, REQUEST, theirs.fileno())
        except OSError as error:
            ours.close()
            raise InfrastructureError(f"the sandbox's zygote is gone: {error}") from error
        finally:
            theirs.close()
        ours.setblocking(False)
        self._socket = ours
        self._poll = select.poll()
        self._poll.register(ours, select.POLLIN)
        self._started = time.monotonic()
        self._phase_started = self._started
        self._phase_cpu = self._phase_starved = 0.0

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start_phase(self) -> None:
        """Give the candidate a fresh allowance of CPU and wall time."""
        now = time.monotonic()
        # Until it has run for a moment there is nothing to read that would matter.
        if now - self._started > _GLANCE_SECONDS:
            self._phase_cpu = self._cpu()
            self._phase_starved = self._waited_for_a_core()
        self._phase_started = now

    def ask(self, frame: list[Any]) -> list[Any]:
        """Send a request and wait for the reply. Raises CandidateEnded."""
        self._send(channel.pack(frame))
        header = self._receive(channel.HEADER_BYTES)
        try:
            length = channel.body_length(header, self._cap)
            reply = channel.unpack(self._receive(length))
        except channel.ChannelError as error:
            raise CandidateEnded("output", str(error)) from error
        if time.monotonic() - self._phase_started > self._limits.cpu_seconds:
            self._check_clocks()
        return reply

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[self._socket.send(view) :]
            except BlockingIOError:
                self._wait(select.POLLOUT)
            except OSError:
                raise self._death() from None

    def _receive(self, count: int) -> bytearray:
        data = bytearray()
        while len(data) < count:
            try:
                part = self._socket.recv(min(count - len(data), 1 << 20))
            except BlockingIOError:
                self._wait(select.POLLIN)
                continue
            except OSError:
                raise self._death() from None
            if not part:
                raise self._death()
            data += part
        return data

    def _wait(self, event: int) -> None:
        """Wait for the socket; look at the clocks whenever a limit could have been passed."""
        self._poll.modify(self._socket, event)
        pause = self._limits.cpu_seconds - (time.monotonic() - self._phase_started)
        while not self._poll.poll(max(pause, 0.001) * 1000):
            # CPU time grows no faster than wall time, but for threads that leave the interpreter lock.
            cpu_left, wall_left = self._check_clocks()
            pause = min(cpu_left, wall_left)

    def _check_clocks(self) -> tuple[float, float]:
        """What is left of both limits, in seconds. Raises CandidateEnded when one is used up."""
        limits = self._limits
        cpu = self.phase_cpu()
        elapsed = time.monotonic() - self._phase_started
        starved = self._waited_for_a_core() - self._phase_starved
        self.contended = starved > _CONTENDED_SHARE * max(cpu, 0.01)
        self.out_of_cpu = cpu > limits.cpu_seconds
        if self.out_of_cpu:
            raise CandidateEnded("timeout", "CPU time limit")
        if elapsed - starved > limits.wall_seconds:
            raise CandidateEnded("timeout", "wall time limit")
        if elapsed > wall_bound(limits):
            raise InfrastructureError("the machine is too busy: the candidate hardly got a core")
        return limits.cpu_seconds - cpu, limits.wall_seconds - (elapsed - starved)

    def phase_cpu(self) -> float:
        """CPU seconds of this phase so far, all threads."""
        return self._cpu() - self._phase_cpu

    def _cpu(self) -> float:
        if self._clock is None:
            self._pid = _pid_behind(self._process_descriptor())
            self._clock = (~self._pid << 3) | 2  # what clock_getcpuclockid computes
        try:
            return time.clock_gettime(self._clock)
        except OSError:
            return self._phase_cpu  # it is dead: the reading that matters is its end

    def _waited_for_a_core(self) -> float:
        """Seconds, since the process began, that it was ready to run and had no core."""
        try:
            with open(f"/proc/{self._pid}/schedstat", encoding="ascii") as stream:
                return int(stream.read().split()[1]) / 1e9
        except (OSError, IndexError, ValueError):
            return 0.0

    def _process_descriptor(self) -> int:
        if self._pidfd < 0:
            try:
                self._zygote.control.settimeout(_START_SECONDS)
                message, self._pidfd = kernel.receive_with_fd(self._zygote.control, 64)
            except OSError as error:
                raise InfrastructureError(f"the sandbox's zygote does not answer: {error}") from error
            if message != b"S" or self._pidfd < 0:
                raise InfrastructureError("the sandbox's zygote is gone")
        return self._pidfd

    def _death(self) -> CandidateEnded:
        """Why the candidate's end of the channel closed, from how its process ended."""
        status = self._end()
        if os.WIFSIGNALED(status):
            name = signal.Signals(os.WTERMSIG(status)).name
            return CandidateEnded("crashed", f"its process was ended by {name}")
        return CandidateEnded(
            "crashed", f"its process exited with status {os.waitstatus_to_exitcode(status)}"
        )

    def _end(self) -> int:
        """Kill the process and everything in it; returns its wait status. A second call changes nothing."""
        if self._socket.fileno() < 0:
            return self._status
        self._socket.close()
        descriptor = self._process_descriptor()
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        os.close(descriptor)
        self._zygote.control.settimeout(_START_SECONDS)
        try:
            message = self._zygote.control.recv(64)
            _, self._status, self.cpu_seconds = ENDED.unpack(message)
        except (OSError, struct.error) as error:
            raise InfrastructureError(f"the sandbox's zygote does not answer: {error}") from error
        return self._status

    def close(self) -> None:
        self._end()


def wall_bound(limits: Limits) -> float:
    """Real seconds that no phase outlasts."""
    return limits.wall_seconds * _STARVED_FACTOR + _STARVED_SECONDS


def _pid_behind(pidfd: int) -> int:
    with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("Pid:"):
                return int(line.split()[1])
    raise InfrastructureError("the kernel does not name the process behind a pidfd")
