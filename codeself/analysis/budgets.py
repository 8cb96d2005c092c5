"""What a budget buys: the chance of a right submission, were an attempt stopped once so much is used up.

An attempt's value under a budget is that of the answer which its rule submits among those that were whole by then,
and 0 where none was. Both strategies are read off their traces in the same way, so that no further draw is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from codeself.analysis.intervals import mean_interval
from codeself.analysis.paired import contrast, paired_interval
from codeself.records.comparisons import Difference
from codeself.records.metrics import Estimate
from codeself.records.strategies import BudgetCurve, BudgetPoint, Currency
from codeself.records.traces import Step, Strategy, Trace, place_submitted

Array = NDArray[np.float64]
_TOKEN_POINTS = 16

_COSTS: dict[Currency, Callable[[Step], int]] = {
    "answers": lambda step: 1,
    "executions": lambda step: int(step.executed),
    "tokens": lambda step: step.completion_tokens,
    "all tokens": lambda step: step.prompt_tokens + step.completion_tokens,
}


def spent(trace: Trace, currency: Currency) -> int:
    return sum(map(_COSTS[currency], trace.steps))


def right_within(trace: Trace, currency: Currency, budget: int) -> bool:
    """Whether the submission is right, were the attempt stopped before it exceeds the budget."""
    whole = [
        step
        for step, used in zip(trace.steps, accumulate(map(_COSTS[currency], trace.steps)), strict=True)
        if used <= budget
    ]
    return bool(whole) and whole[place_submitted([step.public for step in whole], trace.rule)].correct


class Paired:
    """Both strategies of one policy: traces by task in one order, and how intervals are made."""

    def __init__(
        self,
        traces: Mapping[Strategy, Sequence[Trace]],
        *,
        confidence: float,
        resamples: int,
        seed: int,
    ) -> None:
        family_of = {trace.task_id: trace.family for own in traces.values() for trace in own}
        self.tasks = sorted(family_of)
        self.families = [family_of[task] for task in self.tasks]
        self.traces = traces
        self._settings = {"confidence": confidence, "resamples": resamples, "seed": seed}

    def values(self, strategy: Strategy, value: Callable[[Trace], float]) -> Array:
        """(tasks,) the mean of a trace's value over each task's attempts."""
        found: dict[str, list[float]] = {task: [] for task in self.tasks}
        for trace in self.traces[strategy]:
            found[trace.task_id].append(float(value(trace)))
        return np.array([np.mean(found[task]) for task in self.tasks])

    def estimate(self, values: Array, families: Sequence[str] = (), tasks: int = 0) -> Estimate:
        """The mean with its interval. families, tasks: of the values, where they are not one a task."""
        families = families or self.families
        found = mean_interval(values, families, **self._settings)  # type: ignore[arg-type]
        return Estimate(
            value=float(values.mean()),
            low=found.low,
            high=found.high,
            method=found.method,
            tasks=tasks or len(self.tasks),
            families=len(set(families)),
        )

    def difference(self, first: Array, second: Array) -> Difference:
        pair = contrast(first, second, self.families)
        found = paired_interval(pair, **self._settings)  # type: ignore[arg-type]
        return Difference(value=pair.estimate, low=found.low, high=found.high, method=found.method)


def budget_curve(pair: Paired, currency: Currency) -> BudgetCurve:
    """Both strategies along this budget, up to the largest that was allowed."""
    budgets = _budgets(pair, currency)
    points = []
    for budget in budgets:
        first, second = (
            pair.values(strategy, lambda trace, most=budget: right_within(trace, currency, most))  # type: ignore[misc]
            for strategy in ("self-debug", "resample")
        )
        points.append(
            BudgetPoint(
                budget=budget,
                self_debug=pair.estimate(first),
                resample=pair.estimate(second),
                difference=pair.difference(first, second),
            )
        )
    return BudgetCurve(
        currency=currency,
        points=tuple(points),
        break_even=_break_even(points),
        cut={strategy: _cut(own, currency, budgets[-1]) for strategy, own in pair.traces.items()},
    )


def _budgets(pair: Paired, currency: Currency) -> list[int]:
    """The budgets at which the curve is read.

    Tokens that are read have no limit of their own: there the curve ends where the median resampling attempt did
    of those that never passed.
    """
    traces = [trace for own in pair.traces.values() for trace in own]
    budget = traces[0].budget
    if currency == "answers":
        return list(range(1, budget.revisions + 2))
    if currency == "executions":
        return list(range(1, budget.executions + 1))
    most = budget.tokens
    if currency == "all tokens":
        unsolved = [t for t in pair.traces["resample"] if t.ended != "passed"] or traces
        most = int(np.median([spent(trace, currency) for trace in unsolved]))
    steps = min(_TOKEN_POINTS, max(most, 1))
    return sorted({max(1, round(most * step / steps)) for step in range(1, steps + 1)})


def _break_even(points: Sequence[BudgetPoint]) -> int | None:
    ahead = None
    for point in reversed(points):
        if point.difference.value < -1e-12:
            break
        if point.difference.value > 1e-12:
            ahead = point.budget
    return ahead


def _cut(traces: Sequence[Trace], currency: Currency, budget: int) -> float:
    """Attempts that another limit ended. An answer is begun only where all that it may take is left."""
    reserve = traces[0].max_new_tokens - 1 if currency == "tokens" else 0
    early = [t for t in traces if t.ended != "passed" and spent(t, currency) < budget - reserve]
    return len(early) / len(traces)
