"""Limits that follow the task's own cost and do not depend on how busy the machine is."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from codeself.records.judging import JudgeConfig, Limits
from codeself.records.verdicts import Candidate
from codeself.sandbox import channel
from codeself.sandbox.judge import Judge
from codeself.sandbox.session import Session
from tests.sandbox.conftest import make_task

BURN = """
import time
def f(x):
    end = time.process_time() + {seconds}
    while time.process_time() < end: pass
    return sorted(x)
"""
RIGHT = "def f(x): return sorted(x)"
LIMITS = Limits(cpu_seconds=3.0, cpu_floor_seconds=0.2, reference_factor=4, wall_seconds=2.0)


@pytest.fixture(scope="module")
def judge():
    with Judge(JudgeConfig(limits=LIMITS)) as judge:
        yield judge


def status(judge: Judge, seconds: float, reference: str = RIGHT) -> str:
    task = make_task(task_id=f"t{seconds}", reference_solution=reference)
    return judge.verdict(task, Candidate(status="parsed", program=BURN.format(seconds=seconds))).status


def test_below_the_floor_every_candidate_passes(judge):
    assert status(judge, 0.1) == "passed"


def test_a_cheap_task_allows_no_more_than_the_floor(judge):
    assert status(judge, 0.5) == "timeout"


def test_a_costly_task_allows_a_multiple_of_its_reference(judge):
    reference = BURN.format(seconds=0.2)
    assert status(judge, 0.5, reference) == "passed"
    assert status(judge, 1.5, reference) == "timeout"


def test_a_reference_that_fails_leaves_the_whole_limit(judge):
    assert status(judge, 1.0, "def f(x): return 1 / 0") == "passed"


def test_loading_a_program_may_take_longer_than_the_tests_of_a_cheap_task(judge):
    limits = LIMITS.model_copy(update={"cpu_floor_seconds": 0.03})
    late = BURN.format(seconds=0.12)
    for program, expected in ((late + "f([])\n" + RIGHT, "passed"), (late, "timeout")):
        assert (
            judge.verdict(make_task(), Candidate(status="parsed", program=program), limits).status == expected
        )
    endless = Candidate(status="parsed", program=f"{RIGHT}\nwhile True: pass")
    verdict = judge.verdict(make_task(), endless, limits)
    assert (verdict.decided_by, verdict.status) == ("import", "timeout")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("    import asyncio", "passed"),
        ("    from math import sqrt", "passed"),
        ("    asyncio = __import__('asyncio')", "passed"),
        ("", "timeout"),
    ],
)
def test_a_program_that_imports_when_it_is_called_has_the_time_to(judge, lines, expected):
    limits = LIMITS.model_copy(update={"cpu_floor_seconds": 0.01})
    program = f"from time import process_time as now\nimport math\ndef f(x):\n{lines}\n"
    program += "    end = now() + 0.06\n    while now() < end: pass\n    return sorted(x)"
    verdict = judge.verdict(make_task(), Candidate(status="parsed", program=program), limits)
    assert verdict.status == expected


def test_time_taken_before_a_phase_is_none_of_its_own(judge):
    zygote = judge._zygote(LIMITS)
    for seconds in (0.003, 0.03):
        with Session(zygote, LIMITS) as session:
            session.ask([channel.RUN, f"{BURN.format(seconds=seconds)}\nf([])", 1000])
            assert session.phase_cpu() >= seconds
            session.start_phase()
            assert session.phase_cpu() < seconds


def test_waiting_for_a_core_is_not_the_candidates_time():
    """Slow: one core is shared by six spinning processes, so that 0.5 s of CPU takes some 3 s."""
    core = min(os.sched_getaffinity(0))
    spin = [sys.executable, "-c", f"import os\nos.sched_setaffinity(0, [{core}])\nwhile True: pass"]
    before = os.sched_getaffinity(0)
    spinners = [subprocess.Popen(spin) for _ in range(6)]
    try:
        os.sched_setaffinity(0, [core])
        limits = Limits(cpu_seconds=2.0, cpu_floor_seconds=2.0, wall_seconds=1.2)
        with Judge(JudgeConfig(limits=limits)) as judge:
            assert status(judge, 0.5) == "passed"
            sleeper = Candidate(status="parsed", program="import time\ndef f(x): time.sleep(30)")
            assert judge.verdict(make_task(), sleeper).status == "timeout"
    finally:
        os.sched_setaffinity(0, before)
        for process in spinners:
            process.kill()
            process.wait()
