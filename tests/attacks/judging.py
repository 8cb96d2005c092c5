"""Runs cases through the judge: each followed by an honest candidate, on a host set up to be looked at."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from codeself.records.judging import JudgeConfig, Limits
from codeself.records.verdicts import Candidate, IsolationLevel, Verdict
from codeself.sandbox.pool import Job, JudgePool
from tests.attacks.cases import SORT, TIGHT, Case

_CONTENT = "canary-file-content"


@dataclass(frozen=True)
class Host:
    """What stands on this machine for attacks to reach, and how it looked before them."""

    folder: Path
    port: int
    abstract: str
    victim: subprocess.Popen[bytes]
    servers: tuple[socket.socket, ...]
    before: tuple[object, ...]

    def filled_in(self, case: Case) -> Case:
        texts = {
            "{folder}": str(self.folder),
            "{content}": _CONTENT,
            "{port}": str(self.port),
            "{abstract}": self.abstract,
            "{victim}": str(self.victim.pid),
            "{hostname}": socket.gethostname(),
            "{repository}": str(Path(__file__).resolve().parent.parent.parent),
        }
        program = case.program
        for name, text in texts.items():
            program = program.replace(name, text)
        return replace(case, program=program)

    def troubles(self) -> list[str]:
        """What is no longer as it was."""
        found = []
        if self.victim.poll() is not None:
            found.append("a process of the host was ended")
        for server in self.servers:
            with contextlib.suppress(BlockingIOError):
                server.accept() if server.type == socket.SOCK_STREAM else server.recv(1)
                found.append(f"something came to {server.getsockname()!r}")
        if _look(self.folder) != self.before:
            found.append("files, shared memory or a module of the library changed")
        return found


def _look(folder: Path) -> tuple[object, ...]:
    """Files that attacks aim at: names, and the content and times of what must stay as it is."""
    shared = [sorted(os.listdir(place)) for place in ("/dev/shm", "/dev/mqueue") if os.path.isdir(place)]
    module = os.stat(os.__file__)
    segments = Path("/proc/sysvipc/shm").read_text(encoding="ascii").count("\n")
    return (
        sorted(os.listdir(folder)),
        (folder / "canary").read_text(encoding="ascii"),
        (module.st_size, module.st_mtime_ns, module.st_mode, module.st_uid),
        shared,
        segments,
        [os.path.exists(path) for path in ("/tmp/mark", "/tmp/m", "/var/tmp/m", "/mark", "/dev/shm/m", "/m")],
    )


@contextlib.contextmanager
def host() -> Iterator[Host]:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "canary").write_text(_CONTENT, encoding="ascii")
        abstract = f"codeself-attacks-{os.getpid()}"
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = tcp.getsockname()[1]
        servers = [tcp]
        for kind, family, address in (
            (socket.SOCK_DGRAM, socket.AF_INET, ("127.0.0.1", port)),
            (socket.SOCK_STREAM, socket.AF_UNIX, f"{folder}/socket"),
            (socket.SOCK_STREAM, socket.AF_UNIX, f"\0{abstract}"),
            (socket.SOCK_DGRAM, socket.AF_UNIX, f"\0{abstract}-datagrams"),
        ):
            server = stack.enter_context(socket.socket(family, kind))
            server.bind(address)
            if kind == socket.SOCK_STREAM:
                server.listen()
            servers.append(server)
        for server in servers:
            server.setblocking(False)
        victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
        try:
            yield Host(folder, port, abstract, victim, tuple(servers), _look(folder))
        finally:
            victim.kill()
            victim.wait()


def judged(
    cases: list[Case], level: IsolationLevel, limits: Limits = TIGHT, workers: int | None = None
) -> Iterator[tuple[Case, Verdict, Verdict]]:
    """Each case with its verdict, and the verdict of an honest candidate judged after it."""
    jobs = []
    for number, case in enumerate(cases):
        if case.before:
            jobs.append(_job(case, case.before + f"# {number}"))
        jobs.append(_job(case, case.program))
        jobs.append(_job(Case("honest", f"def f(x): return sorted(x)  # {number}", kit=SORT), None))
    with JudgePool(JudgeConfig(isolation=level, limits=limits), workers) as pool:
        verdicts = pool.verdicts(jobs)
        for case in cases:
            if case.before:
                next(verdicts)
            yield case, next(verdicts), next(verdicts)


def _job(case: Case, program: str | None) -> Job:
    candidate = Candidate(status="parsed", program=case.program if program is None else program)
    return Job(case.task, candidate, limits=case.limits)
