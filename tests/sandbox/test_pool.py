"""Many judges: order, sharing, and the loss of a worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from codeself.records.errors import InputError
from codeself.records.judging import JudgeConfig
from codeself.records.verdicts import Candidate
from codeself.sandbox.expectations import expected_outputs
from codeself.sandbox.pool import Job, JudgePool
from tests.sandbox.conftest import TIGHT, make_task

RIGHT, WRONG, LOOP = "def f(x): return sorted(x)", "def f(x): return x", "def f(x):\n while True: pass"


def job(program: str, name: str = "") -> Job:
    return Job(task=TASK, candidate=Candidate(status="parsed", program=program), rollout_id=name)


TASK = make_task()


@pytest.fixture(scope="module")
def pool():
    with JudgePool(JudgeConfig(limits=TIGHT), workers=2) as pool:
        yield pool


def test_verdicts_come_in_the_order_of_the_jobs(pool):
    programs = [LOOP, RIGHT, WRONG, RIGHT + " # other", LOOP + " # other", WRONG]
    verdicts = list(pool.verdicts(job(p, str(i)) for i, p in enumerate(programs)))
    assert [v.rollout_id for v in verdicts] == ["0", "1", "2", "3", "4", "5"]
    assert [v.status for v in verdicts] == ["timeout", "passed", "failed", "passed", "timeout", "failed"]


def test_identical_candidates_are_judged_once_and_all_get_the_verdict(pool):
    # 200 loops at 0.4 s of CPU each would outlast the test's own timeout.
    verdicts = list(pool.verdicts(job(LOOP, str(i)) for i in range(200)))
    assert {v.status for v in verdicts} == {"timeout"}
    assert len({v.rollout_id for v in verdicts}) == 200


def test_a_killed_worker_is_replaced_and_its_work_done(pool):
    verdicts = pool.verdicts(job(f"{RIGHT} # {i}", str(i)) for i in range(60))
    first = next(verdicts)
    os.kill(pool._dispatcher.workers[0]._process.pid, signal.SIGKILL)
    assert all(v.correct for v in [first, *verdicts])


def test_a_stream_can_be_left_half_way(pool):
    stream = pool.verdicts(job(f"{RIGHT} # left {i}") for i in range(20))
    next(stream)
    stream.close()
    assert next(pool.verdicts([job(WRONG)])).status == "failed"


def test_expected_values_come_from_the_reference(pool):
    calls = [("def f(a, b): return a + b", "f", [[1, 2], [{"$tuple": [1]}, {"$tuple": [2]}]])]
    assert expected_outputs(pool, calls) == [[3, {"$tuple": [1, 2]}]]


def test_a_reference_that_fails_is_named(pool):
    with pytest.raises(InputError, match=r"reference f, input 0: ZeroDivisionError"):
        expected_outputs(pool, [("def f(a): return 1 / a", "f", [[0]])])


def test_jobs_can_be_submitted_at_any_time_and_come_back_as_they_are_done(pool):
    slow = pool.submit(job(f"import time\n{RIGHT}\ntime.sleep(1.5)"))
    quick = {pool.submit(job(f"{RIGHT} # streamed {i}")) for i in range(3)}
    order = []
    while pool.jobs_left:
        for ticket, verdict in pool.completed():
            order.append(ticket)
            assert verdict.correct
            if len(order) == 1:
                quick.add(pool.submit(job(f"{RIGHT} # later")))
    assert set(order) == quick | {slow}
    assert order[0] != slow
    assert pool.completed() == []


def test_waiting_for_verdicts_ends_with_the_time_allowed_or_when_a_file_can_be_read(pool):
    assert pool.completed(timeout=0.01) == []
    ticket = pool.submit(job(LOOP))
    assert pool.completed(timeout=0.0) == []
    reading, writing = os.pipe()
    os.write(writing, b"x")
    assert pool.completed(files=[reading]) == []
    assert [found for found, _ in pool.completed()] == [ticket]
    os.close(reading)
    os.close(writing)


def test_a_timeout_on_a_busy_machine_is_asked_again_alone(pool):
    """Six spinning processes share the two cores; the loops are doubted, asked again, and still loops."""
    spin = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(6)]
    try:
        programs = [f"{LOOP} # busy {i}" for i in range(3)] + [f"{RIGHT} # busy {i}" for i in range(10)]
        verdicts = list(pool.verdicts(job(program, str(i)) for i, program in enumerate(programs)))
    finally:
        for process in spin:
            process.kill()
            process.wait()
    assert [v.status for v in verdicts] == ["timeout"] * 3 + ["passed"] * 10
    assert [v.rollout_id for v in verdicts] == [str(i) for i in range(13)]
    assert pool.jobs_left == 0


def test_an_answer_that_cannot_be_compared_in_time_is_the_candidates_timeout(monkeypatch):
    """The comparison uses up the judge's own CPU allowance inside one call, where nothing interrupts it."""
    # Integers that all fall on one hash: building their set takes quadratic time inside the interpreter.
    program = "def f(x):\n    return [0]"
    collide = "def f(x):\n    return [i * (2**61 - 1) for i in range(60_000)]"
    task = make_task(hidden_tests=[{"assert": "assert set(f(1)) == {1}"}])
    with JudgePool(JudgeConfig(limits=TIGHT), workers=1) as pool:
        bad = Job(task=task, candidate=Candidate(status="parsed", program=collide))
        good = Job(task=task, candidate=Candidate(status="parsed", program=program))
        verdicts = list(pool.verdicts([bad, good]))
    assert [v.status for v in verdicts] == ["timeout", "failed"]
    assert not any(v.correct for v in verdicts)


def test_large_programs_and_large_results_do_not_block_each_other(pool):
    padding = "#" * 500_000
    verdicts = list(pool.verdicts(job(f"{RIGHT}\n# {i}{padding}") for i in range(12)))
    assert all(verdict.correct for verdict in verdicts)
    calls = [("def f(a): return a * 2", "f", [["x" * 1_000_000]]) for _ in range(8)]
    assert [len(outputs[0]) for outputs in expected_outputs(pool, calls)] == [2_000_000] * 8


def test_tasks_that_a_worker_has_forgotten_are_sent_again(monkeypatch):
    monkeypatch.setattr("codeself.sandbox.workers._TASK_BYTES_HELD", 0)
    turned = make_task(task_id="turned", hidden_tests=[{"assert": "assert f([3, 1, 2]) == [3, 2, 1]"}])
    with JudgePool(JudgeConfig(limits=TIGHT), workers=1) as pool:
        jobs = [
            Job(task=task, candidate=Candidate(status="parsed", program=f"{program} # {turn}"))
            for turn in range(2)
            for task, program in ((TASK, RIGHT), (turned, RIGHT), (TASK, LOOP))
        ]
        assert [verdict.status for verdict in pool.verdicts(jobs)] == ["passed", "failed", "timeout"] * 2


def test_a_pool_as_large_as_the_machine_keeps_each_worker_on_a_core_and_a_smaller_one_does_not():
    cores = os.sched_getaffinity(0)
    if len(cores) < 2:
        pytest.skip("one core: nothing to choose")
    with JudgePool(JudgeConfig(limits=TIGHT), workers=len(cores)) as pool:
        os.kill(pool._dispatcher.workers[0]._process.pid, signal.SIGKILL)
        assert all(v.correct for v in pool.verdicts(job(f"{RIGHT} # core {i}") for i in range(8)))
        kept = [os.sched_getaffinity(worker._process.pid) for worker in pool._dispatcher.workers]
        assert sorted(map(tuple, kept)) == [(core,) for core in sorted(cores)]
    with JudgePool(JudgeConfig(limits=TIGHT), workers=1) as pool:
        assert os.sched_getaffinity(pool._dispatcher.workers[0]._process.pid) == cores
