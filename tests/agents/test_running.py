"""The loop: budgets, endings, submissions, strategies; every backend; a mock's skill measured right."""

from __future__ import annotations

import math
import random
import sys
from pathlib import Path

import pytest

from codeself.analysis.strategies import compare_strategies
from codeself.policies.backend import Request
from codeself.policies.mock import MockPolicy
from codeself.policies.static import StaticPolicy
from codeself.records.errors import InputError
from codeself.records.sources import LocalModel
from codeself.records.traces import STRATEGIES, Budget, PublicResult, SubmitRule, place_submitted
from codeself.sandbox.pool import JudgePool
from tests.agents.conftest import Run, template
from tests.agents.scripted import Listening, Scripted, settings
from tests.made_tasks import adding_task

WRONG, RIGHT, PROSE = "    return x\n", "    return x + 3\n", "I do not know."


def in_order(*texts: str) -> Scripted:
    """One text a round, the last one for ever."""
    return Scripted(lambda request, number: texts[min(number, len(texts) - 1)])


def test_an_attempt_ends_when_the_public_tests_pass(run: Run) -> None:
    policy = in_order(WRONG, PROSE, RIGHT, WRONG)
    (trace,) = run(policy, [adding_task(3)], settings())
    assert [step.decision for step in trace.steps] == ["revise", "revise", "submit"]
    assert [step.change for step in trace.steps] == ["first", "substantive", "substantive"]
    assert [step.executed for step in trace.steps] == [True, False, True]
    assert (trace.ended, trace.submitted, trace.tokens, trace.executions) == ("passed", 2, 30, 2)
    assert trace.right
    assert trace.verdict.rollout_id == trace.trace_id == "p/made/add_3/self-debug-0"
    assert "-    return x\n" in trace.steps[1].diff + "\n"
    assert trace.steps[1].prompt.count("def add_3") == 2


def test_passing_the_public_tests_is_not_being_right(run: Run) -> None:
    (trace,) = run(in_order("    return 4\n"), [adding_task(3)], settings())
    assert (trace.ended, trace.right, trace.verdict.decided_by) == ("passed", False, "hidden")


def test_a_task_without_public_tests_is_answered_once(run: Run) -> None:
    task = adding_task(3).model_copy(update={"public_tests": ()})
    (trace,) = run(in_order(RIGHT), [task], settings())
    assert (trace.ended, len(trace.steps), trace.executions, trace.right) == ("untested", 1, 0, True)


def test_revisions_that_repeat_or_reword_are_named_so(run: Run) -> None:
    policy = in_order(WRONG, WRONG, "    # the same\n    return x\n", "    return x - 1\n")
    (trace,) = run(policy, [adding_task(3)], settings())
    assert [s.change for s in trace.steps] == ["first", "unchanged", "cosmetic", "substantive"]
    assert trace.steps[1].diff == ""


@pytest.mark.parametrize(
    ("budget", "texts", "ended", "answers"),
    [
        (Budget(revisions=0, tokens=1_000, executions=9), [WRONG], "revisions", 1),
        (Budget(revisions=9, tokens=1_000, executions=2), [WRONG, PROSE, WRONG], "executions", 3),
        (Budget(revisions=9, tokens=64, executions=9), [WRONG], "tokens", 1),
        (Budget(revisions=9, tokens=84, executions=9), [WRONG], "tokens", 3),
    ],
    ids=["revisions", "executions", "tokens for one", "tokens for three"],
)
def test_each_part_of_a_budget_ends_an_attempt(
    run: Run, budget: Budget, texts: list[str], ended: str, answers: int
) -> None:
    (trace,) = run(in_order(*texts), [adding_task(3)], settings(budget=budget))
    assert (trace.ended, len(trace.steps)) == (ended, answers)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_budget_is_ever_exceeded(run: Run, strategy: str) -> None:
    draw = random.Random(0)
    tasks = [adding_task(number) for number in range(8)]
    for _ in range(12):
        budget = Budget(
            revisions=draw.randrange(6), tokens=draw.randrange(16, 120), executions=draw.randrange(1, 6)
        )
        policy = Scripted(
            lambda request, number: random.Random(request.seed).choice([WRONG, PROSE, RIGHT]),
            tokens=lambda request: random.Random(request.seed).randrange(1, 17),
        )
        made = settings(strategy=strategy, budget=budget, max_new_tokens=16, attempts=2)
        for trace in run(policy, tasks, made):
            assert trace.tokens == sum(step.completion_tokens for step in trace.steps) <= budget.tokens
            assert trace.executions <= budget.executions
            assert len(trace.steps) <= budget.revisions + 1


def result(passed: int, total: int = 3) -> PublicResult:
    return PublicResult(
        phase="public", status="passed" if passed == total else "failed", passed=passed, total=total
    )


@pytest.mark.parametrize(
    ("rule", "passed", "place"),
    [
        ("last", [3, 1], 1),
        ("first-public", [1, 3, 3], 1),
        ("first-public", [2, 1], 1),
        ("most-public", [1, 2, 2, 0], 1),
        ("most-public", [0, 0], 0),
    ],
)
def test_the_rule_chooses_what_is_submitted(rule: SubmitRule, passed: list[int], place: int) -> None:
    assert place_submitted([result(each) for each in passed], rule) == place


def test_the_rule_holds_in_the_loop(run: Run) -> None:
    task = adding_task(3)
    one = task.public_tests[0].model_copy(update={"args": (2,), "expected": 5})  # type: ignore[union-attr]
    two = task.model_copy(update={"public_tests": (task.public_tests[0], one)})
    half = "    return 4\n"  # passes the first of both tests
    for rule, place in (("last", 3), ("first-public", 3), ("most-public", 1)):
        (trace,) = run(in_order(WRONG, half, WRONG, half), [two], settings(rule=rule))
        assert trace.submitted == place
        assert [step.public.passed for step in trace.steps] == [0, 1, 0, 1]


def test_a_round_asks_once_for_everything(run: Run) -> None:
    tasks = [adding_task(number) for number in range(20)]
    policy = Listening(MockPolicy(tasks, 0.3, 0.1, 1.0))
    run(policy, tasks, settings(attempts=3))
    assert policy.sizes[0] == 60
    assert len(policy.sizes) <= 4


def test_both_strategies_begin_alike_and_the_same_run_gives_the_same_traces(run: Run) -> None:
    tasks = [adding_task(number) for number in range(12)]

    def attempts(strategy: str, seed: int = 0) -> list[dict]:
        made = settings(strategy=strategy, attempts=2, seed=seed)
        return [trace.to_json_dict() for trace in run(MockPolicy(tasks, 0.3, 0.1, 1.0), tasks, made)]

    debugged, resampled = attempts("self-debug"), attempts("resample")
    assert debugged == attempts("self-debug")
    assert attempts("self-debug", seed=1) != debugged
    first = [[trace["steps"][0][key] for key in ("prompt", "completion", "seed")] for trace in debugged]
    assert first == [[t["steps"][0][key] for key in ("prompt", "completion", "seed")] for t in resampled]


@pytest.mark.parametrize("repair", [0.15, 0.7])
def test_a_mocks_skill_at_revising_is_measured_right(run: Run, repair: float) -> None:
    tasks = [adding_task(number) for number in range(60)]
    traces = []
    for strategy in STRATEGIES:
        policy = MockPolicy(tasks, right=0.4, unparsable=0.1, spread=0.0, repair=repair)
        traces += run(policy, tasks, settings(strategy=strategy, attempts=4))
    report = compare_strategies(
        traces, taskset="made", split="test", confidence=0.99, resamples=1_000, seed=0
    )
    (found,) = report.policies
    debugged, resampled = found.uses
    truth = 0.9 * repair
    revisions = [step for t in traces if t.strategy == "self-debug" for step in t.steps[1:]]
    rate = sum(step.correct for step in revisions) / len(revisions)
    assert abs(rate - truth) < 4 * math.sqrt(truth * (1 - truth) / len(revisions))
    assert debugged.later is not None
    assert resampled.later is not None
    # An answer drawn anew is right as often as a first one.
    assert resampled.later.low < 0.4 < resampled.later.high
    assert debugged.later.low < truth < debugged.later.high
    # The chance of a right one among four is known, too, as no wrong answer here passes the public test.
    for use, later in ((debugged, truth), (resampled, 0.4)):
        assert use.rate.low < 1 - 0.6 * (1 - later) ** 3 < use.rate.high
    better = found.difference.low > 0 if repair > 0.4 else found.difference.high < 0
    assert better
    assert (found.curves[0].break_even == 2) == (repair > 0.4)


def test_without_a_skill_of_its_own_a_revision_is_like_any_answer(run: Run) -> None:
    tasks = [adding_task(number) for number in range(20)]
    rates = [
        [t.right for t in run(MockPolicy(tasks, 0.3, 0.1, 1.0), tasks, settings(strategy=strategy))]
        for strategy in STRATEGIES
    ]
    assert rates[0] == rates[1]


def test_a_static_policy_answers(run: Run) -> None:
    tasks = [adding_task(number) for number in range(3)]
    traces = run(StaticPolicy(tasks, "reference"), tasks, settings())
    assert [(t.right, t.tokens, len(t.steps)) for t in traces] == [(True, 0, 1)] * 3


@pytest.mark.parametrize("style", ["completion", "chat"])
@pytest.mark.parametrize("backend", ["transformers", "vllm"])
def test_language_models_answer(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str, style: str
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from codeself.policies.sources import fetch_model
    from tests.policies import stand_in_vllm
    from tests.tiny_models import make_tiny_model

    fetch_model(LocalModel(source="local", path=str(make_tiny_model(tmp_path / "made"))), tmp_path / "model")
    if backend == "vllm":
        from codeself.policies.vllm import VLLMPolicy

        monkeypatch.setitem(sys.modules, "vllm", stand_in_vllm)
        policy = Listening(VLLMPolicy(tmp_path / "model", "float32", 0.5))
    else:
        from codeself.policies.transformers import TransformersPolicy

        policy = Listening(TransformersPolicy(tmp_path / "model", "float32", "cpu", 1, 4))
    tasks = [adding_task(number, starter=number > 0) for number in range(3)]
    made = settings(budget=Budget(revisions=2, tokens=40, executions=3), max_new_tokens=8)
    traces = run(policy, tasks, made, style)
    assert policy.sizes == [3, 3, 3]
    for trace in traces:
        assert trace.identity.backend == backend
        assert 0 < trace.tokens <= 24
        assert trace.prompt_tokens > 0
        assert trace.steps[1].prompt != trace.steps[0].prompt


def test_a_revision_in_another_style_is_refused(root: Path, pool: JudgePool) -> None:
    from codeself.agents.running import run_agent

    with pytest.raises(InputError, match=r"'revise_chat_v1' is in chat style, 'completion_v1' in completion"):
        run_agent(
            in_order(WRONG),
            "p",
            [adding_task(3)],
            template(root, "completion_v1"),
            template(root, "revise_chat_v1"),
            settings(),
            pool,
            progress=lambda count: None,
        )


def test_a_budget_that_holds_no_answer_is_refused(run: Run) -> None:
    made = settings(budget=Budget(revisions=1, tokens=63, executions=1))
    with pytest.raises(InputError, match="63 tokens does not hold one answer of 64"):
        run(in_order(WRONG), [adding_task(3)], made)


def test_no_attempt_reads_locked_tests(run: Run) -> None:
    (trace,) = run(in_order(WRONG, RIGHT), [adding_task(3)], settings())
    assert adding_task(3).locked_tests
    assert trace.right
    assert trace.verdict.correct_locked is None
    assert trace.verdict.phases["locked"].status == "skipped"


def test_requests_with_one_prompt_stand_together(run: Run) -> None:
    asked: list[Request] = []

    def answer(request: Request, number: int) -> str:
        asked.append(request)
        return WRONG if request.sample % 2 else "    return x - 1\n"

    run(Scripted(answer), [adding_task(3)], settings(attempts=4))
    second = [request.prompt.text for request in asked[4:8]]
    assert second[0] == second[1] != second[2] == second[3]
