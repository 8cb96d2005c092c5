"""A policy that fishes for hidden tests through what it is told gets nothing, in attempts and in practice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codeself.learning.assignment import Assignment
from codeself.learning.clock import Clock
from codeself.learning.episodes import Episode, write_episodes
from codeself.policies.backend import Request
from codeself.policies.mock import MockPolicy
from codeself.records.jsonl import write_records
from codeself.records.tasks import Task
from codeself.records.traces import Budget, Strategy, Trace
from codeself.rewards import reward_v0_correctness
from codeself.sandbox.pool import JudgePool
from tests.agents.conftest import Run, template
from tests.agents.scripted import Listening, Scripted, settings
from tests.learning.batches import settings as practice_settings
from tests.made_tasks import adding_task

# Numbers of the made tasks' hidden and locked tests, and of their expected values; no other text has them.
SECRETS = ("70707", "70704", "60606", "60609")

# Bodies of a function that looks for the tests where a program could look, and says what it found.
FISHING = {
    "its own frames": """
    import sys
    frame, found = sys._getframe(), []
    while frame:
        found += [repr(frame.f_globals)[:20000], repr(frame.f_locals)[:20000]]
        frame = frame.f_back
    text = " ".join(found)
""",
    "every object": """
    import gc
    text = " ".join(repr(each)[:300] for each in gc.get_objects() if type(each) in (tuple, list, dict))
""",
    "the task file": """
    text = ""
    try:
        text = open(TASK_FILE).read()
    except OSError as error:
        text = str(error)
""",
    "other processes": """
    import os
    text = ""
    for each in os.listdir("/proc"):
        for name in ("cmdline", "environ"):
            try:
                text += open(f"/proc/{each}/{name}").read()
            except (OSError, UnicodeDecodeError):
                pass
""",
    "its own memory": """
    text = ""
    try:
        for line in open("/proc/self/maps"):
            first, last = (int(part, 16) for part in line.split()[0].split("-"))
            if "rw" in line and last - first < 10**7:
                with open("/proc/self/mem", "rb") as memory:
                    memory.seek(first)
                    text += memory.read(last - first).decode("latin-1")
    except (OSError, ValueError) as error:
        text += str(error)
""",
}
SPEAKING = {
    "raises": "    raise ValueError(found)\n",
    "returns": "    return found\n",
    "names a type": "    raise type('Found_' + ''.join(c for c in found if c.isalnum()), (Exception,), {})()\n",
}
# Put together when it runs, so that the program itself does not hold what it looks for.
LOOKING = """    wanted = ["0".join(parts) for parts in ("777", "774", "666", "669")]
    found = " ".join(w + text[text.find(w) - 60 : text.find(w) + 60] for w in wanted if w in text) or "nothing"
"""


def told(policy: Scripted | Listening, traces: list[Trace]) -> str:
    """Everything that was ever sent to the policy, and every public result."""
    results = [json.dumps(step.public.to_json_dict()) for trace in traces for step in trace.steps]
    return "\n".join([*policy.prompts, *results])


def fish(run: Run, task: Task, body: str, strategy: Strategy = "self-debug") -> tuple[str, list[Trace]]:
    policy = Scripted(lambda request, number: f"\n{body}")
    traces = run(
        policy, [task], settings(strategy=strategy, budget=Budget(revisions=2, tokens=500, executions=3))
    )
    return told(policy, traces), traces


@pytest.mark.parametrize("speaking", SPEAKING)
@pytest.mark.parametrize("place", FISHING)
def test_fishing_gets_nothing(run: Run, pool: JudgePool, tmp_path: Path, place: str, speaking: str) -> None:
    if place in ("the task file", "other processes") and pool.level in ("none", "limits"):
        pytest.skip(f"level {pool.level}, all that this machine offers, leaves files in sight")
    write_records(tmp_path / "tasks.jsonl", [adding_task(3)])
    look = FISHING[place].replace("TASK_FILE", repr(str(tmp_path / "tasks.jsonl")))
    text, traces = fish(run, adding_task(3), look + LOOKING + SPEAKING[speaking])
    assert len(traces[0].steps) == 3  # it went on to the end, and was told something each time
    assert all(step.executed and step.public.status in ("failed", "error") for step in traces[0].steps)
    assert [secret for secret in SECRETS if secret in text] == []


def practised(root: Path, pool: JudgePool, tasks: list[Task], body: str) -> tuple[str, list[Episode]]:
    """Everything that a policy is told in one step of practice, and its episodes. body: of every answer."""
    first, revision = (template(root, name) for name in ("completion_v1", "revise_completion_v1"))
    config = practice_settings(samples=2, revisions=2)
    assignment = Assignment("grpo-selfdebug", 0, config, tasks, first, pool, reward_v0_correctness, revision)
    policy = Scripted(lambda request, number: f"\n{body}")
    groups = write_episodes(policy, assignment, 0, 0, tasks, Clock())
    episodes = [episode for group in groups for episode in group]
    told = [turn.told.to_json_dict() for episode in episodes for turn in episode.turns if turn.told]
    return "\n".join([*policy.prompts, json.dumps(told)]), episodes


@pytest.mark.parametrize("place", FISHING)
def test_fishing_in_practice_gets_nothing(root: Path, pool: JudgePool, tmp_path: Path, place: str) -> None:
    if place in ("the task file", "other processes") and pool.level in ("none", "limits"):
        pytest.skip(f"level {pool.level}, all that this machine offers, leaves files in sight")
    write_records(tmp_path / "tasks.jsonl", [adding_task(3)])
    look = FISHING[place].replace("TASK_FILE", repr(str(tmp_path / "tasks.jsonl")))
    text, episodes = practised(root, pool, [adding_task(3)], look + LOOKING + SPEAKING["raises"])
    assert [len(episode.turns) for episode in episodes] == [3, 3]
    assert text.count("# What happened: ") == 4
    assert [secret for secret in SECRETS if secret in text] == []


def test_the_scan_would_find_a_test_that_practice_showed(root: Path, pool: JudgePool) -> None:
    shown = adding_task(3).model_copy(update={"public_tests": adding_task(3).locked_tests})
    text, _ = practised(root, pool, [shown], "    return x\n")
    assert "60606" in text


def test_the_scan_would_find_a_test_that_was_shown(run: Run) -> None:
    task = adding_task(3)
    shown = task.model_copy(update={"public_tests": task.locked_tests})
    text, _ = fish(run, shown, "    return x\n")
    assert "60606" in text
    # A program that is called with it can say so: this is how fishing would look if it worked.
    text, _ = fish(run, shown, "    raise ValueError(str(x)[::-1])\n")
    assert "ValueError: 60606" in text


def test_an_answer_that_waits_for_a_hidden_call_is_never_called_so(run: Run) -> None:
    body = "    if x != 1:\n        raise ValueError('called with ' + str(x))\n    return 0\n"
    text, traces = fish(run, adding_task(3), body)
    assert "called with" not in text.replace(body, "").replace(body.strip(), "")
    assert all(step.public.said == "add_3(1) returned 0, expected 4" for step in traces[0].steps)


@pytest.mark.parametrize("style", ["completion", "chat"])
@pytest.mark.parametrize("strategy", ["self-debug", "resample"])
def test_no_prompt_of_any_attempt_holds_a_hidden_test(run: Run, style: str, strategy: str) -> None:
    tasks = [adding_task(number, starter=number % 2 == 0) for number in range(10, 30)]
    policy = Listening(MockPolicy(tasks, 0.2, 0.2, 1.0))
    traces = run(policy, tasks, settings(strategy=strategy, attempts=2), style)
    text = told(policy, traces)
    assert len(policy.prompts) > 60
    for task in tasks:
        for test in (*task.hidden_tests, *task.locked_tests):
            call = f"{task.entry_point}(5)" if hasattr(test, "args") and test.args == (5,) else None
            assert call is None or call not in text
    assert [secret for secret in ("70707", "60606") if secret in text] == []


def test_a_request_never_holds_a_task(run: Run) -> None:
    """A backend with weights is given prompts and names alone."""
    asked: list[Request] = []

    def answer(request: Request, number: int) -> str:
        asked.append(request)
        return "    return x\n"

    run(Scripted(answer), [adding_task(3)], settings())
    assert not any(secret in repr(request) for request in asked for secret in SECRETS)
