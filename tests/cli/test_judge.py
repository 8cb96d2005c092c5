"""The co-process: one line in, one line out, whatever comes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

COMMAND = [sys.executable, "-c", "from codeself.cli import main; main()", "judge", "--isolation", "limits"]
TASK = {"entry_point": "f", "tests": [{"args": [[2, 1]], "expected": [1, 2]}]}
RIGHT, WRONG, LOOP = "def f(x): return sorted(x)", "def f(x): return x", "def f(x):\n while True: pass"


class Client:
    """Talks to a judge as a trainer would."""

    def __init__(self, *flags: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "--cpu-seconds", "0.4", *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def send(self, *rows: Any) -> None:
        assert self.process.stdin is not None
        for row in rows:
            self.process.stdin.write((row if isinstance(row, str) else json.dumps(row)) + "\n")
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def ask(self, **row: Any) -> dict[str, Any]:
        self.send({"task": TASK, **row})
        return self.receive()


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    client = Client("--workers", "2")
    yield client
    assert client.process.stdin is not None
    client.process.stdin.close()
    assert client.process.wait(timeout=60) == 0
    assert client.process.stderr is not None
    assert client.process.stderr.read() == ""


def test_a_verdict_comes_back_under_its_id(client):
    answer = client.ask(id="a", candidate=RIGHT)
    assert answer["id"] == "a"
    assert answer["verdict"]["correct"] is True
    assert answer["verdict"]["isolation"] in ("limits", "restricted", "strict")
    answer = client.ask(id=2.5, candidate=WRONG)
    assert answer["id"] == 2.5
    assert (answer["verdict"]["status"], answer["verdict"]["correct"]) == ("failed", False)


@pytest.mark.parametrize(
    "test",
    [
        {"args": [[3]], "expected": [3]},
        {"args": [{"$tuple": [2, 1]}], "expected": [1, 2]},
        {"assert": "assert f([3]) == [3]"},
        {"check": "def check(candidate):\n    assert candidate([3]) == [3]"},
        {"assert": "print('spoils nothing')\nassert helper(f([3])) == 3"},
    ],
)
def test_tests_of_every_kind_are_run(client, test):
    task = {**TASK, "tests": [test], "setup_code": "def helper(x): return x[0]"}
    assert client.ask(id=1, task=task, candidate=RIGHT)["verdict"]["correct"]
    assert not client.ask(id=2, task=task, candidate="def f(x): return 0")["verdict"]["correct"]


def test_public_and_locked_tests_may_be_told_apart(client):
    task = {
        "entry_point": "f",
        "public_tests": [{"args": [[1]], "expected": [1]}],
        "hidden_tests": [{"args": [[2, 1]], "expected": [1, 2]}],
        "locked_tests": [{"args": [[3, 1]], "expected": [3, 1]}],
    }
    verdict = client.ask(id=1, task=task, candidate=RIGHT, locked=True)["verdict"]
    assert (verdict["correct"], verdict["correct_locked"]) == (True, False)
    assert client.ask(id=1, task=task, candidate=RIGHT)["verdict"]["correct_locked"] is None


@pytest.mark.parametrize(("flags", "reads"), [((), False), (("--locked",), True)])
def test_locked_tests_of_loaded_tasks_run_only_where_the_judge_was_started_so(tmp_path, flags, reads):
    tasks = tmp_path / "tasks.jsonl"
    task = {
        "task_id": "t/1",
        "family": "t",
        "prompt": "sort",
        "reference_solution": RIGHT,
        "entry_point": "f",
    }
    task |= {"hidden_tests": TASK["tests"], "locked_tests": [{"args": [[3, 1]], "expected": [1, 3]}]}
    tasks.write_text(json.dumps(task) + "\n", encoding="utf-8")
    client = Client("--tasks", str(tasks), "--workers", "1", *flags)
    row = {"id": 1, "task": "t/1", "candidate": RIGHT, "locked": True}
    out, _ = client.process.communicate(json.dumps(row) + "\n")
    answer = json.loads(out)
    assert ("verdict" in answer) == reads
    if reads:
        assert answer["verdict"]["correct_locked"]
    else:
        assert "started without --locked" in answer["error"]


def test_a_completion_is_parsed_first(client):
    text = f"Sorting does it:\n```python\n{RIGHT}\n```\nDone."
    assert client.ask(id=1, completion=text)["verdict"]["correct"]
    assert client.ask(id=1, completion="I do not know.")["verdict"]["decided_by"] == "parse"
    task = {**TASK, "prompt": "", "starter_code": "def f(x):\n"}
    answer = client.ask(id=1, task=task, completion="    return sorted(x)\n", prompt_style="completion")
    assert answer["verdict"]["correct"]


def test_a_request_may_bring_limits_of_its_own(client):
    program = "import time\ndef f(x):\n time.sleep(0.3)\n return sorted(x)"
    assert client.ask(id=1, candidate=program)["verdict"]["correct"]
    assert client.ask(id=1, candidate=program, limits={"wall_seconds": 0.1})["verdict"]["status"] == "timeout"


@pytest.mark.parametrize(
    ("line", "ident", "problem"),
    [
        ("{", None, "is not whole JSON"),
        ("[1]", None, "is a list"),
        ("[" * 100_000, None, "is not whole JSON"),
        ('{"id": 1, "candidate": "x"}', 1, "task: must be an object"),
        ({"id": "q", "task": "unknown", "candidate": "x"}, "q", "task: 'unknown' is the id of no task"),
        ({"id": 1, "task": {"entry_point": "f"}, "candidate": "x"}, 1, "task.hidden_tests: is missing"),
        ({"id": 1, "task": {**TASK, "entry_point": "f()"}, "candidate": "x"}, 1, "task.entry_point: "),
        ({"id": 1, "task": {**TASK, "tets": []}, "candidate": "x"}, 1, "task.tets: is not a known key"),
        ({"id": 1, "task": TASK}, 1, "expected either candidate"),
        ({"id": 1, "task": TASK, "candidate": "x", "completion": "x"}, 1, "expected either candidate"),
        ({"id": 1, "task": TASK, "candidate": 5}, 1, "candidate: must be a string"),
        ({"id": 1, "task": TASK, "candidate": "x", "limit": {}}, 1, "limit: is not a known key"),
        ({"id": 1, "task": TASK, "candidate": "x", "limits": {"cpu_seconds": 0}}, 1, "limits.cpu_seconds: "),
        ({"id": 1, "task": TASK, "completion": "x", "prompt_style": "y"}, 1, "prompt_style: must be one of"),
        ({"id": [], "task": TASK, "candidate": "x"}, None, "id: must be a string or a number"),
        ('{"id": 1, "candidate": "\\ud800", "task": 3}', 1, "task: must be an object"),
    ],
)
def test_a_bad_line_is_answered_and_the_judge_goes_on(client, line, ident, problem):
    client.send(line)
    answer = client.receive()
    assert answer["id"] == ident
    assert answer["error"].startswith(problem)
    assert "\n" not in answer["error"]
    assert client.ask(id=1, candidate=RIGHT)["verdict"]["correct"]


def test_a_program_that_is_no_text_for_a_file_is_judged_all_the_same(client):
    client.send({"id": 1, "task": TASK, "candidate": "x = '\ud800'"})
    verdict = client.receive()["verdict"]
    assert not verdict["correct"]
    assert verdict["status"] != "infrastructure"


def test_a_slow_candidate_does_not_hold_up_the_others(client):
    client.send({"id": "slow", "task": TASK, "candidate": LOOP})
    client.send(*({"id": i, "task": TASK, "candidate": f"{RIGHT} # {i}"} for i in range(10)))
    answers = [client.receive() for _ in range(11)]
    assert answers[-1]["id"] == "slow"
    assert {answer["id"] for answer in answers[:-1]} == set(range(10))


def test_more_than_a_pipe_holds_can_be_sent_before_an_answer_is_read(client):
    padding = "#" * 20_000
    client.send(*({"id": i, "task": TASK, "candidate": f"{RIGHT} # {i}{padding}"} for i in range(300)))
    answers = [client.receive() for _ in range(300)]
    assert {answer["id"] for answer in answers} == set(range(300))
    assert all(answer["verdict"]["correct"] for answer in answers)


def test_the_end_of_the_input_ends_the_judge_once_all_is_answered(tmp_path):
    tasks = tmp_path / "tasks.jsonl"
    task = {"task_id": "t/1", "family": "t", "prompt": "sort", "reference_solution": RIGHT, **TASK}
    task["hidden_tests"] = task.pop("tests")
    tasks.write_text(json.dumps(task) + "\n", encoding="utf-8")
    client = Client("--tasks", str(tasks), "--workers", "1")
    rows = [{"id": i, "task": "t/1", "candidate": program} for i, program in enumerate((LOOP, RIGHT, WRONG))]
    out, err = client.process.communicate(
        "\n".join(json.dumps(row) for row in rows) + "\n\nlast line, no end"
    )
    answers = {row["id"]: row for row in map(json.loads, out.splitlines())}
    statuses = {i: row["verdict"]["status"] for i, row in answers.items() if i is not None}
    assert statuses == {0: "timeout", 1: "passed", 2: "failed"}
    assert answers[None]["error"].startswith("is not whole JSON")
    assert (client.process.returncode, err) == (0, "")


def test_nothing_is_left_when_the_judge_is_killed():
    client = Client("--workers", "2")
    assert client.ask(id=1, candidate=RIGHT)["verdict"]["correct"]
    family = descendants(client.process.pid)
    assert len(family) >= 4  # two judges, two zygotes
    client.send({"id": 1, "task": TASK, "candidate": LOOP})
    os.kill(client.process.pid, signal.SIGKILL)
    client.process.wait()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and any(os.path.exists(f"/proc/{pid}") for pid in family):
        time.sleep(0.05)
    assert [pid for pid in family if os.path.exists(f"/proc/{pid}")] == []


def descendants(pid: int) -> list[int]:
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8") as stream:
                    parents[int(name)] = int(stream.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = [pid]
    for parent in found:
        found += [child for child, of in parents.items() if of == parent]
    return found[1:]
