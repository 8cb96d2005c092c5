"""Does a busy machine change a verdict? `python -m tests.benchmarks.load_flips`; status 1 if it does.

Grades 1,000 candidates whose verdict is known, on a pool that fills the cores, beside more and more processes
that compute: at 2x as many processes want a core as there are, at 8x eight times as many. Half of the others
only count, half walk through memory. Each is in a session of its own, so that the scheduler gives it a
whole share.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from codeself.records.judging import JudgeConfig, Limits
from codeself.records.tasks import Task
from codeself.records.verdicts import Candidate
from codeself.sandbox.pool import Job, JudgePool
from codeself.sandbox.protocol import read_task

# Every candidate of the cheap task has the floor; one of the costly task 20 times what its reference takes.
LIMITS = Limits(cpu_seconds=1.0, wall_seconds=0.5)
REFERENCE_SECONDS = 0.01
_BY_CLOCK = """
import time
def f(x):
    end = time.process_time() + {seconds}
    while time.process_time() < end: pass
    return sorted(x)
"""
_BY_COUNT = """
def f(x):
    for _ in range({steps}): pass
    return sorted(x)
"""
_IN_A_THREAD = """
import threading
from time import process_time
def work(seconds):
    end = process_time() + seconds
    while process_time() < end: pass
def f(x):
    thread = threading.Thread(target=work, args=({seconds},))
    thread.start()
    thread.join()
    return sorted(x)
"""
_BUSY = (
    "import os\nwhile os.getppid() == {parent}:\n    for _ in range(10**6): pass",
    "import os\nheld = bytearray(1 << 25)\nwhile os.getppid() == {parent}:\n    held = bytearray(held)",
)


@dataclass(frozen=True)
class Kind:
    """Candidates of one kind: their program, how many, and what their verdict must be."""

    name: str
    count: int
    status: str
    program: str
    costly: bool = False


def kinds() -> list[Kind]:
    floor, most = LIMITS.cpu_floor_seconds, LIMITS.reference_factor * REFERENCE_SECONDS
    per_second = steps_per_second()
    return [
        Kind("right", 250, "passed", "def f(x): return sorted(x)"),
        Kind("wrong", 250, "failed", "def f(x): return x"),
        *(
            Kind(f"{share}% of its time", 80, "passed", _BY_CLOCK.format(seconds=floor * share / 100))
            for share in (30, 60, 90)
        ),
        *(
            Kind(
                f"work of {share}%",
                60,
                "passed",
                _BY_COUNT.format(steps=int(per_second * floor * share / 100)),
            )
            for share in (30, 60)
        ),
        Kind("90%, in a thread", 20, "passed", _IN_A_THREAD.format(seconds=floor * 0.9)),
        Kind("90%, costly task", 30, "passed", _BY_CLOCK.format(seconds=most * 0.9), costly=True),
        Kind("150% of its time", 30, "timeout", _BY_CLOCK.format(seconds=floor * 1.5)),
        Kind("loops", 20, "timeout", "def f(x):\n    while True: pass"),
        Kind("sleeps 0.2 s", 20, "passed", "import time\ndef f(x): time.sleep(0.2); return sorted(x)"),
        Kind("sleeps on", 20, "timeout", "import time\ndef f(x): time.sleep(99)"),
    ]


def steps_per_second() -> float:
    """How often an empty loop turns in a second of CPU time: what counted work is made from."""
    steps, best = 2_000_000, float("inf")
    for _ in range(5):
        started = time.process_time()
        for _ in range(steps):
            pass
        best = min(best, time.process_time() - started)
    return steps / best


def task(reference: str) -> Task:
    test = {"args": [[3, 1, 2]], "expected": [1, 2, 3]}
    return read_task({"entry_point": "f", "reference_solution": reference, "tests": [test]})


@contextlib.contextmanager
def busy(processes: int) -> Iterator[None]:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _BUSY[number % 2].format(parent=os.getpid())], start_new_session=True
        )
        for number in range(processes)
    ]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def verdicts(pool: JudgePool, asked: list[Kind]) -> list[str]:
    cheap = task("def f(x): return sorted(x)")
    costly = task(_BY_CLOCK.format(seconds=REFERENCE_SECONDS))
    jobs = [
        # No two are the same: the pool would judge them once.
        Job(
            costly if kind.costly else cheap,
            Candidate(status="parsed", program=f"{kind.program}\n# {number}"),
        )
        for number, kind in enumerate(asked)
    ]
    return [verdict.status for verdict in pool.verdicts(jobs)]


def spread(known: list[Kind]) -> list[Kind]:
    """Each candidate's kind, the kinds evenly mixed."""
    places = [((number + 0.5) / kind.count, kind) for kind in known for number in range(kind.count)]
    return [kind for _, kind in sorted(places, key=lambda place: place[0])]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--loads", default="1,2,8", help="processes that want a core, for each core there is")
    loads = [int(load) for load in parser.parse_args().loads.split(",")]
    known, cores = kinds(), len(os.sched_getaffinity(0))
    asked = spread(known)
    print(f"{len(asked):,} candidates, {cores} cores")
    print("| load | seconds | " + " | ".join(f"{kind.name} ({kind.count})" for kind in known) + " | flips |")
    print("|---" * (len(known) + 3) + "|")
    flips = 0
    for load in loads:
        with busy((load - 1) * cores), JudgePool(JudgeConfig(limits=LIMITS), workers=cores) as pool:
            started = time.monotonic()
            found = verdicts(pool, asked)
            seconds = time.monotonic() - started
        wrong = Counter(kind.name for kind, status in zip(asked, found, strict=True) if status != kind.status)
        flips += wrong.total()
        cells = [f"{kind.count - wrong[kind.name]} {kind.status}" for kind in known]
        print(f"| {load}x | {seconds:.0f} | {' | '.join(cells)} | {wrong.total()} |", flush=True)
        for kind in known:
            if wrong[kind.name]:
                others = Counter(
                    s for k, s in zip(asked, found, strict=True) if k == kind and s != kind.status
                )
                print(f"{load}x: {kind.name}: {dict(others)}", file=sys.stderr)
    return 1 if flips else 0


if __name__ == "__main__":
    sys.exit(main())
