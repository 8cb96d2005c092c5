"""A zygote that waits for each candidate's end: the judge sees the candidate that lives, and ends it itself."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator

import pytest

from codeself.records.errors import InfrastructureError
from codeself.records.judging import Limits
from codeself.sandbox import channel, kernel, zygote_process
from codeself.sandbox.serving import STARTS
from codeself.sandbox.session import CandidateEnded, Session
from codeself.sandbox.zygote_process import ZygoteProcess, start_zygote

LIMITS = Limits(cpu_seconds=2.0, wall_seconds=2.0)
LOOP = "while True: pass"


@pytest.fixture
def zygote() -> Iterator[ZygoteProcess]:
    try:
        started = ZygoteProcess("strict", LIMITS, waits=True)
    except InfrastructureError as error:
        pytest.skip(f"this machine does not offer it: {error}")
    yield started
    started.close()


def living(zygote: ZygoteProcess) -> int:
    end = time.monotonic() + 10
    while not (pid := zygote.candidate()):
        assert time.monotonic() < end, "no candidate starts"
    return pid


def test_the_candidate_seen_is_never_the_one_before(zygote):
    before = 0
    for _ in range(300):
        with Session(zygote, LIMITS) as session:
            pid = living(zygote)
            assert pid != before
            assert session.ask([channel.RUN, "", 1000]) == ["ran"]
            assert zygote.candidate() == pid
            before = pid


def test_time_is_that_of_the_candidate_that_runs(zygote):
    for _ in range(5):
        with Session(zygote, LIMITS, cpu_seconds=0.02) as session:
            session.ask([channel.RUN, "def f():\n    while True: pass", 1000])
            session.start_phase()
            with pytest.raises(CandidateEnded, match="CPU time"):
                session.ask([channel.ASK, "f", None, channel.pack_arguments((), {}), False])


def test_one_that_is_closed_before_it_has_started_is_ended_too(zygote):
    for program in ("", LOOP) * 10:
        session = Session(zygote, LIMITS)
        session._send(channel.pack_request([channel.RUN, program, 1000]))
        session.close()
    with Session(zygote, LIMITS) as session:
        assert session.ask([channel.RUN, "", 1000]) == ["ran"]


def test_a_start_that_no_candidate_took_starts_no_other(zygote):
    with Session(zygote, LIMITS) as session:
        session.ask([channel.RUN, "", 1000])
    ours, theirs = socket.socketpair()
    with ours:
        # What the zygote finds again where the candidate was killed before its first step.
        kernel.send_with_fd(zygote._control, STARTS[1 - zygote._turn], theirs.fileno())
        theirs.close()
        ours.settimeout(10)
        assert ours.recv(1) == b""
    assert not zygote.candidate()
    with Session(zygote, LIMITS) as session:
        assert session.ask([channel.RUN, "", 1000]) == ["ran"]


@pytest.mark.parametrize(
    ("program", "ending"),
    [
        ("import os\nos._exit(7)", "status 7"),
        ("import os\nos.close(3)\nwhile True: pass", "SIGKILL"),
        ("import ctypes\nctypes.string_at(8)", "SIGSEGV"),
    ],
)
def test_how_it_ended_is_told(zygote, program, ending):
    for _ in range(3):
        with Session(zygote, LIMITS, 0.02) as session, pytest.raises(CandidateEnded, match=ending):
            session.ask([channel.RUN, program, 1000])


def test_one_that_ends_by_itself_while_it_is_to_be_killed_is_no_fault_of_ours(zygote, monkeypatch):
    def late(descriptor: int, number: int) -> None:
        while zygote.candidate():
            time.sleep(0.01)
        send(descriptor, number)

    send = signal.pidfd_send_signal
    monkeypatch.setattr(signal, "pidfd_send_signal", late)
    program = "import os, time\nos.close(3)\ntime.sleep(0.2)\nos._exit(7)"
    with Session(zygote, LIMITS) as session, pytest.raises(CandidateEnded, match="status 7"):
        session.ask([channel.RUN, program, 1000])


def test_a_judge_that_cannot_see_the_candidates_has_a_zygote_that_does_not_wait(monkeypatch):
    monkeypatch.setattr(zygote_process, "_children_of", lambda pid: os.devnull)
    started = start_zygote("none", LIMITS)
    try:
        assert started._children < 0
        with Session(started, LIMITS) as session:
            assert session.ask([channel.RUN, "", 1000]) == ["ran"]
    finally:
        started.close()


def test_a_judge_that_may_not_kill_has_a_zygote_that_does_not_wait(monkeypatch):
    def refuse(descriptor: int, number: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(signal, "pidfd_send_signal", refuse)
    started = start_zygote("none", LIMITS)
    assert started._children < 0
    started.close()
