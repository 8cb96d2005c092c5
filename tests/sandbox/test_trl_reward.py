"""The reward in TRL's signature: tasks by column, texts and messages, no reward for our own faults."""

from __future__ import annotations

import pytest

from codeself.records.errors import InputError
from codeself.records.judging import JudgeConfig
from codeself.records.verdicts import PHASES, Candidate, PhaseResult, Verdict
from codeself.sandbox.pool import JudgePool
from codeself.sandbox.trl_reward import JudgeReward
from tests.sandbox.conftest import TIGHT, make_task

RIGHT, WRONG = "def f(x): return sorted(x)", "def f(x): return x"
TASKS = [
    make_task(task_id="sort"),
    make_task(task_id="last", hidden_tests=[{"assert": "assert f([2, 1]) == 1"}], starter_code="def f(x):\n"),
]


@pytest.fixture(scope="module")
def reward():
    with JudgePool(JudgeConfig(limits=TIGHT), workers=1) as pool:
        yield JudgeReward(pool, TASKS)


def test_each_completion_is_judged_on_the_task_its_row_names(reward):
    completions = [RIGHT, WRONG, f"```python\n{RIGHT}\n```", "    return x[-1]\n", "no idea"]
    names = ["sort", "sort", "last", "last", "sort"]
    assert reward(["p"] * 5, completions, task_id=names, trainer_state=None) == [1.0, 0.0, 0.0, 1.0, 0.0]


def test_messages_are_read_as_the_assistants_last(reward):
    fenced = f"Sure.\n```python\n{RIGHT}\n```"
    completions = [
        [{"role": "assistant", "content": fenced}],
        [{"role": "assistant", "content": [{"type": "text", "text": fenced}]}],
        [{"role": "assistant", "content": WRONG}, {"role": "user", "content": fenced}],
        [],
    ]
    assert reward([[]] * 4, completions, task_id=["sort"] * 4) == [1.0, 1.0, 0.0, 0.0]


def test_a_row_without_a_known_task_is_an_error_not_a_reward(reward):
    with pytest.raises(InputError, match=r"'unknown' is not among the 2 tasks"):
        reward(["p"], [RIGHT], task_id=["unknown"])
    with pytest.raises(InputError, match=r"needs the dataset column 'task_id'"):
        reward(["p"], [RIGHT])


def test_a_fault_of_ours_is_none_and_another_score_can_be_given():
    class Pool:
        """A pool in which the machine fails."""

        def verdicts(self, jobs):
            skipped = PhaseResult(status="skipped")
            for _ in jobs:
                yield Verdict(
                    task_id="sort",
                    candidate=Candidate(status="parsed"),
                    isolation="strict",
                    phases=dict.fromkeys(PHASES, skipped),
                    decided_by="import",
                    status="infrastructure",
                    correct=False,
                )

    def parsed(verdict: Verdict) -> float:
        return float(verdict.candidate.status == "parsed")

    reward = JudgeReward(Pool(), TASKS, column="name", score=parsed)  # type: ignore[arg-type]
    assert reward.__name__ == "judge_parsed"
    assert reward(["p"], [RIGHT], name=["sort"]) == [None]
