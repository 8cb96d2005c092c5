"""What is graded: programs with tests, the same for every contestant, and what each must be found to be.

humaneval   canonical solutions, each so many times
mbpp        the reference solutions
mix         MBPP with 40 % wrong answers, 5 % that raise, 2 % endless loops, the rest right
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import time
from pathlib import Path
from typing import Any

from codeself.records.tasks import AssertTest, CheckTest, Task
from codeself.tasks.formats.humaneval import load_humaneval
from codeself.tasks.formats.mbpp import load_mbpp

# A program that computes for longer says nothing of what grading costs: a few tasks are left out.
LIGHT_SECONDS = 0.02
_SPOILED = {
    "right": "",
    "wrong": "\n_right = {f}\ndef {f}(*a, **k):\n    return [_right(*a, **k), 0]\n",
    "raises": "\ndef {f}(*a, **k):\n    raise ValueError(a)\n",
    "loops": "\ndef {f}(*a, **k):\n    while True:\n        pass\n",
}
_SHARES = {"wrong": 0.40, "raises": 0.05, "loops": 0.02}


def make_work(kind: str, datasets: Path, copies: int = 20) -> list[dict[str, Any]]:
    """The items of one kind of work: program, its tests as source, entry point, what it is, and our task."""
    if kind == "humaneval":
        return [item for _ in range(copies) for item in _light(_humaneval(datasets))]
    items = _light([_item(task) for task in load_mbpp(datasets / "mbpp.jsonl")])
    return items if kind == "mbpp" else [_spoil(item, number) for number, item in enumerate(items)]


def write_work(path: Path, items: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps(items), encoding="utf-8")


def _humaneval(datasets: Path) -> list[dict[str, Any]]:
    def unread(calls: Any) -> list[list[None]]:
        # Examples of the docstring would be tests that only we run: with no result, none agrees.
        return [[None] * len(call[2]) for call in calls]

    tasks = load_humaneval(datasets / "HumanEval.jsonl.gz", unread)
    return [_item(task.model_copy(update={"public_tests": ()})) for task in tasks]


def _item(task: Task) -> dict[str, Any]:
    tests = [task.setup_code]
    for test in (*task.public_tests, *task.hidden_tests):
        assert isinstance(test, AssertTest | CheckTest)
        tests.append(test.source)
        if isinstance(test, CheckTest):
            tests.append(f"check({task.entry_point})")
    return {
        "task_id": task.task_id,
        "kind": "right",
        "program": task.reference_solution,
        "entry_point": task.entry_point,
        "tests": "\n".join(tests) + "\n",
        "task": task.to_json_dict(),
    }


def _light(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that finish soon. These are the datasets' own solutions, run here as their graders run them."""
    light = []
    for item in items:
        with contextlib.redirect_stdout(io.StringIO()):
            started = time.process_time()
            exec(compile(f"{item['program']}\n{item['tests']}", "<work>", "exec"), {"__name__": "work"})
        if time.process_time() - started < LIGHT_SECONDS:
            light.append(item)
    return light


def _spoil(item: dict[str, Any], number: int) -> dict[str, Any]:
    draw = random.Random(f"mix {number}").random()
    kind = "right"
    for name, share in _SHARES.items():
        if draw < share:
            kind = name
            break
        draw -= share
    return {**item, "kind": kind, "program": item["program"] + _SPOILED[kind].format(f=item["entry_point"])}
