"""Is a worker as it was, many candidates later? `python -m tests.benchmarks.soak [COUNT]`, 100,000 unless given.

Grades MBPP's programs and some that misbehave, over and over, with one worker at strict, and watches the
family of processes: memory, open files, processes, mounts. Ends with status 1 if anything grew.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, fields

from codeself.records.judging import JudgeConfig, Limits
from codeself.records.tasks import Task
from codeself.records.verdicts import Candidate
from codeself.sandbox.pool import Job, JudgePool
from tests.benchmarks.contestants import descendants, family_cpu
from tests.benchmarks.work import make_work
from tests.conftest import DATASETS

BATCH = 500
RESTING = 4  # processes when none is judged: this one, the worker, the zygote and the one that waits for it
# Of each batch, beside right answers: what a policy may leave behind.
UNRULY = (
    "import os\nos._exit(0)",
    "import threading, time\nfor _ in range(8): threading.Thread(target=time.sleep, args=(99,), daemon=True).start()",
    "x = bytearray(1 << 40)",
    "import socket\npairs = [socket.socketpair() for _ in range(10)]",
    "import sys\nsys.setrecursionlimit(10**9)\ndef g(): g()\ng()",
    "while True: print('x' * 1000)",
    "import os\nos.kill(os.getpid(), 9)",
    "raise SystemExit",
)
# Kilobytes of growth after the first batches that are no leak: caches that fill, and arenas that come and go.
ALLOWED_KB = 8_192


@dataclass
class Footprint:
    """Of the caller, the worker and its zygote, together."""

    memory_kb: int
    files: int
    processes: int
    mounts: int

    def __str__(self) -> str:
        return "  ".join(f"{getattr(self, field.name):>9,} {field.name}" for field in fields(self))


def settled() -> Footprint:
    """The footprint once the last candidate is gone, which ends while its verdict is already there."""
    found = footprint()
    for _ in range(50):
        time.sleep(0.01)
        again = footprint()
        if again.processes <= found.processes and again.files <= found.files:
            found = again
        if found.processes <= RESTING:
            break
    return found


def footprint() -> Footprint:
    family = [os.getpid(), *descendants_of(os.getpid())]
    memory = files = 0
    for pid in family:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as stream:
                memory += sum(int(line.split()[1]) for line in stream if line.startswith("Pss:"))
            files += len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            continue  # a candidate that has ended since
    with open("/proc/self/mounts", encoding="utf-8") as stream:
        mounts = sum(1 for _ in stream)
    return Footprint(memory, files, len(family), mounts)


def descendants_of(pid: int) -> list[int]:
    return [number for number, _ in descendants(pid)]


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    items = make_work("mbpp", DATASETS)
    tasks = [Task.model_validate(item["task"]) for item in items]
    limits = Limits(cpu_seconds=0.5, cpu_floor_seconds=0.1)
    outcomes: Counter[str] = Counter()
    first: Footprint | None = None
    last = Footprint(0, 0, 0, 0)
    with JudgePool(JudgeConfig(isolation="strict", limits=limits), workers=1) as pool:
        started, done = time.monotonic(), 0
        counted, cpu = 0, family_cpu()
        while done < count:
            jobs = []
            for number in range(done, done + BATCH):
                task = tasks[number % len(tasks)]
                program = items[number % len(items)]["program"]
                if number % 50 == 0:
                    program = UNRULY[number // 50 % len(UNRULY)]
                # No two are the same: the pool would judge them once.
                jobs.append(Job(task, Candidate(status="parsed", program=f"{program}\n# {number}")))
            outcomes.update(verdict.status for verdict in pool.verdicts(jobs))
            done += BATCH
            last = settled()
            if done >= 4 * BATCH and first is None:
                first = last
            rate = done / (time.monotonic() - started)
            if done % (BATCH * max(1, count // BATCH // 20)) == 0 or done <= 4 * BATCH:
                now = family_cpu()
                each = 1000 * (now - cpu) / (done - counted)
                counted, cpu = done, now
                print(
                    f"{done:>9,} candidates  {last}  {each:.2f} ms of CPU each  {rate:,.0f}/s in all",
                    flush=True,
                )
    print(f"outcomes: {dict(outcomes)}")
    left = descendants_of(os.getpid())
    if first is None:
        print("too few candidates to tell")
        return 1
    grown = [
        field.name
        for field in fields(first)
        if getattr(last, field.name) > getattr(first, field.name) + (ALLOWED_KB if "_kb" in field.name else 0)
    ]
    print(f"grew: {', '.join(grown) or 'nothing'}; processes left after the pool was closed: {len(left)}")
    return 1 if grown or left or outcomes["infrastructure"] else 0


if __name__ == "__main__":
    sys.exit(main())
