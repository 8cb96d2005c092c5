"""Budgets read off traces, by hand; what belongs together; break-even."""

from __future__ import annotations

import pytest

from codeself.analysis.budgets import right_within, spent
from codeself.analysis.strategies import compare_strategies
from codeself.records.errors import InputError
from codeself.records.strategies import StrategyReport
from codeself.records.traces import Trace
from tests.reports.test_trace_page import step, trace

WRONG = step("def f(x):\n    return x\n", "f(1) returned 1, expected 2", False, False, "first")
RIGHT = step("def f(x):\n    return x + 1\n", "", True, True)
NO_PROGRAM = WRONG.model_copy(update={"executed": False})


def attempt(task: str, rights: int, strategy: str, answers: int = 4) -> Trace:
    """Right at answer number `rights`, 0 for never, in which case all answers are written."""
    steps = [WRONG] * (rights - 1) + [RIGHT] if rights else [WRONG] * answers
    return trace(task, steps, strategy)


def compared(debugged: list[int], resampled: list[int]) -> StrategyReport:
    traces = [
        attempt(f"t{i}", rights, strategy)
        for strategy, own in (("self-debug", debugged), ("resample", resampled))
        for i, rights in enumerate(own)
    ]
    return compare_strategies(traces, taskset="made", split="test", confidence=0.95, resamples=200, seed=0)


def test_a_budget_counts_the_answers_that_were_whole_by_then() -> None:
    made = trace("t", [NO_PROGRAM, WRONG, RIGHT])
    assert [right_within(made, "answers", n) for n in (1, 2, 3, 4)] == [False, False, True, True]
    assert [right_within(made, "executions", n) for n in (0, 1, 2)] == [False, False, True]
    assert [right_within(made, "tokens", n) for n in (4, 14, 15)] == [False, False, True]
    assert [right_within(made, "all tokens", n) for n in (35, 36)] == [False, True]
    assert [spent(made, each) for each in ("answers", "executions", "tokens", "all tokens")] == [3, 2, 15, 36]


def test_the_rule_chooses_among_what_the_budget_holds() -> None:
    half = WRONG.model_copy(
        update={"public": WRONG.public.model_copy(update={"passed": 1, "total": 2}), "correct": True}
    )
    made = trace("t", [half, WRONG, WRONG]).model_copy(update={"rule": "most-public"})
    assert right_within(made, "answers", 3)
    assert not right_within(made.model_copy(update={"rule": "last"}), "answers", 3)
    assert right_within(made.model_copy(update={"rule": "last"}), "answers", 1)


def test_rates_costs_and_endings_are_those_of_the_traces() -> None:
    (policy,) = compared([1, 2, 0, 0], [1, 3, 4, 0]).policies
    debugged, resampled = policy.uses
    assert (debugged.rate.value, resampled.rate.value) == (0.5, 0.75)
    assert policy.difference.value == -0.25
    assert (debugged.answers, resampled.answers) == (11 / 4, 12 / 4)
    assert debugged.endings == {"passed": 2, "revisions": 2}
    assert debugged.later is not None
    assert debugged.later.value == pytest.approx(1 / 7)  # one right of 1 + 3 + 3 later answers
    first, second, third = policy.revisions
    assert (first.reached, first.right, first.redrawn_right) == (3, 1 / 3, 0.0)
    assert (second.reached, second.right, second.redrawn_right) == (2, 0.0, 1 / 3)
    assert [row.gain.value for row in (first, second, third)] == [0.25, 0.0, 0.0]


@pytest.mark.parametrize(
    ("debugged", "resampled", "break_even"),
    [
        ([1, 2, 0, 0], [1, 3, 0, 0], 2),  # ahead at 2, level from 3 on
        ([1, 2, 0, 0], [1, 3, 4, 0], None),  # behind in the end
        ([1, 3, 4, 0], [1, 2, 0, 0], 4),  # behind at 2, level at 3, ahead at 4
        ([1, 2, 0, 0], [1, 2, 0, 0], None),  # never ahead
    ],
)
def test_the_break_even_point(debugged: list[int], resampled: list[int], break_even: int | None) -> None:
    curve = compared(debugged, resampled).policies[0].curves[0]
    assert curve.currency == "answers"
    assert [point.budget for point in curve.points] == [1, 2, 3, 4]
    assert curve.break_even == break_even


def test_attempts_that_another_limit_ended_are_counted() -> None:
    curves = {curve.currency: curve for curve in compared([1, 0, 0, 0], [1, 2, 3, 0]).policies[0].curves}
    assert curves["answers"].cut == {"self-debug": 0.0, "resample": 0.0}
    # Four answers take 20 of 256 tokens.
    assert curves["tokens"].cut == {"self-debug": 0.75, "resample": 0.25}


def test_gains_are_over_the_first_policy() -> None:
    def of(policy: str, rights: list[int]) -> list[Trace]:
        return [
            attempt(f"t{i}", right, strategy).model_copy(update={"policy": policy})
            for strategy in ("self-debug", "resample")
            for i, right in enumerate(rights)
        ]

    traces = [*of("base", [0, 0, 1, 0]), *of("trained", [1, 2, 1, 0])]
    found = compare_strategies(traces, taskset="m", split="test", confidence=0.95, resamples=200, seed=0)
    assert [(g.policy, g.over, g.strategy, g.difference.value) for g in found.gains] == [
        ("trained", "base", "self-debug", 0.5),
        ("trained", "base", "resample", 0.5),
    ]
    with pytest.raises(InputError, match="policy 'trained', strategy resample: has 3 traces"):
        compare_strategies(traces[:-1], taskset="m", split="test", confidence=0.95, resamples=200, seed=0)


def test_no_trace_is_no_comparison() -> None:
    with pytest.raises(InputError, match="no trace"):
        compare_strategies([], taskset="m", split="test", confidence=0.95, resamples=200, seed=0)
