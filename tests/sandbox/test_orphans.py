"""Whatever a candidate has started ends with the judge, at each level, in whichever way the judge ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from codeself.records.errors import InfrastructureError
from codeself.records.judging import Limits
from codeself.records.verdicts import IsolationLevel
from codeself.sandbox import channel
from codeself.sandbox.isolation import LEVELS
from codeself.sandbox.session import Session
from codeself.sandbox.zygote_process import ZygoteProcess
from tests.conftest import ROOT

LIMITS = Limits(cpu_seconds=100, wall_seconds=100)
LOOP = "while True: pass"
# Two that live on by themselves: a child, and a grandchild in a session of its own whose parent is gone.
FAMILY = """
import os
if os.fork():
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
while True: pass
"""
_BOUND_SECONDS = 20.0
# What a worker is to its zygote, at a level that the machine's best may be above.
OWNER = """
import sys, time
from tests.sandbox.test_orphans import start
kept = start(sys.argv[1], sys.argv[2] == "True", sys.argv[3])
print(kept[0]._process.pid, flush=True)
time.sleep(100)
"""


def start(level: IsolationLevel, waits: bool, program: str) -> tuple[ZygoteProcess, Session]:
    """A zygote whose candidate has been given the program and is not waited for."""
    zygote = ZygoteProcess(level, LIMITS, waits)
    session = Session(zygote, LIMITS)
    session._send(channel.pack_request([channel.RUN, program, 1000]))
    return zygote, session


@pytest.fixture(params=[*((level, False) for level in LEVELS), ("strict", True)], ids=str)
def kind(request) -> tuple[IsolationLevel, bool]:
    """A level, and whether the zygote waits for its candidates."""
    try:
        ZygoteProcess(request.param[0], LIMITS, request.param[1]).close()
    except InfrastructureError as error:
        pytest.skip(f"this machine does not offer it: {error}")
    return request.param


def descendants(pid: int) -> set[int]:
    """Processes below this one."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (
                    (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
                )
                parents[int(entry.name)] = int(fields[1])
    found = [pid]
    for parent in found:
        found += [child for child, of in parents.items() if of == parent]
    return set(found[1:])


def family(zygote: int, loops: int) -> set[int]:
    """The zygote's descendants, once so many of them are seen to compute."""
    end = time.monotonic() + _BOUND_SECONDS
    while time.monotonic() < end:
        found = descendants(zygote)
        if sum(_user_ticks(pid) >= 5 for pid in found) >= loops:
            return found
        time.sleep(0.05)
    raise AssertionError("the candidate does not run")


def _user_ticks(pid: int) -> int:
    """CPU time of a living process in its own code; -1 of one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return -1
    return -1 if fields[0] in "ZX" else int(fields[11])


def wait_for_the_end_of(pids: set[int]) -> None:
    end = time.monotonic() + _BOUND_SECONDS
    while time.monotonic() < end:
        if all(_user_ticks(pid) == -1 for pid in pids):
            return
        time.sleep(0.02)
    left = {pid for pid in pids if _user_ticks(pid) >= 0}
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    raise AssertionError(f"{len(left)} of {len(pids)} processes live on")


def program_of(level: IsolationLevel) -> tuple[str, int]:
    """What to run, and how many of its processes loop: from `restricted` on it can start none."""
    return (LOOP, 1) if level in ("restricted", "strict") else (FAMILY, 3)


def test_closing_the_judge_ends_what_a_candidate_started(kind):
    program, loops = program_of(kind[0])
    zygote, _ = start(*kind, program)
    alive = family(zygote._process.pid, loops)
    zygote.close()
    wait_for_the_end_of(alive)


def test_a_worker_that_is_killed_takes_all_with_it(kind):
    program, loops = program_of(kind[0])
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, kind[0], str(kind[1]), program],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert owner.stdout is not None
        zygote = int(owner.stdout.readline())
        alive = family(zygote, loops) | {zygote}
    finally:
        owner.kill()
        owner.wait()
    wait_for_the_end_of(alive)


def test_a_zygote_that_is_killed_takes_its_candidate_with_it(kind):
    zygote, _ = start(*kind, LOOP)
    alive = family(zygote._process.pid, 1)
    zygote._process.kill()
    wait_for_the_end_of(alive)
    zygote.close()


def test_from_restricted_on_a_candidate_cannot_choose_to_outlive_its_zygote(kind):
    if kind[0] not in ("restricted", "strict"):
        pytest.skip("below, it may")
    undo = "import ctypes\nassert ctypes.CDLL(None).prctl(1, 0, 0, 0, 0) == -1"
    zygote = ZygoteProcess(kind[0], LIMITS, kind[1])
    with Session(zygote, LIMITS) as session:
        assert session.ask([channel.RUN, undo, 1000]) == ["ran"]
    zygote.close()
