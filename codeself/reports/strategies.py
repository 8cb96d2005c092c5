"""The strategy report: whether seeing the public tests' results beats drawing again, at equal budget.

It describes: none of its numbers is a declared test, and its sentences say what was found with the interval.
"""

from __future__ import annotations

from collections.abc import Sequence

from codeself.records.comparisons import Difference
from codeself.records.strategies import BudgetCurve, PolicyStrategies, StrategyReport, StrategyUse
from codeself.records.traces import Change
from codeself.reports import strategy_figures as figures
from codeself.reports.content import Evaluation, Part, Report, Table
from codeself.reports.drawing import Drawer, drawing
from codeself.reports.numbers import (
    DASH,
    SPACE,
    count,
    decimal,
    level,
    percent,
    points,
    with_interval,
)

METHODS = "strategy_methods.txt"
TRACES = "reports/traces.html"
_RULES = {
    "last": "the last answer",
    "first-public": "the first answer that passes the public tests, the last where none does",
    "most-public": "the answer that passes most public tests, the earliest of equals",
}


def compose(
    title: str, found: StrategyReport, inputs: Sequence[tuple[str, str]], figures_path: str
) -> Report:
    """The content of the report. inputs, figures_path: as in the baseline report."""
    with drawing():
        sections = [_policy(found, policy, figures_path) for policy in found.policies]
    return Report(
        title=title,
        abstract=[
            *(_headline(found, policy) for policy in found.policies),
            *([_gains(found)] if found.gains else []),
            "These comparisons were not declared before training; they describe, and claim nothing.",
        ],
        summary=_summary(found),
        evaluations=sections,
        tasksets=[],
        inputs=Table(
            ["file", "sha256"], [[f"`{name}`", f"`{digest}`"] for name, digest in inputs], [False, False]
        ),
    )


def bounds(difference: Difference) -> str:
    """A difference with its interval, in percentage points."""
    low, high = (points(value).removesuffix(f"{SPACE}points") for value in (difference.low, difference.high))
    return f"{points(difference.value)} ({low} to {high})"


def _headline(found: StrategyReport, policy: PolicyStrategies) -> str:
    by_tokens = next(curve for curve in policy.curves if curve.currency == "tokens")
    last = by_tokens.points[-1]
    difference = last.difference
    if difference.low > 0:
        says = "Its interval lies on the side of revising"
    elif difference.high < 0:
        says = "Its interval lies on the side of drawing again"
    else:
        says = "Its interval holds 0: the two could not be told apart"
    return (
        f"`{policy.policy}`, with at most {count(last.budget, 'token')} written in an attempt: self-debug submits"
        f" a right program in {with_interval(last.self_debug)} of attempts, resampling in"
        f" {with_interval(last.resample)}; the difference is {bounds(difference)}. {says}."
    )


def _gains(found: StrategyReport) -> str:
    parts = [
        f"`{gain.policy}` over `{gain.over}` under {gain.strategy}: {bounds(gain.difference)}"
        for gain in found.gains
    ]
    return f"What training changed, over whole attempts. {'; '.join(parts)}."


def _summary(found: StrategyReport) -> Table:
    header = ["policy", "strategy", "right", "any answer right", "difference"]
    header += ["answers", "test runs", "tokens written", "tokens read"]
    rows = []
    for policy in found.policies:
        for use in policy.uses:
            debugged = use.strategy == "self-debug"
            rows.append(
                [
                    f"`{policy.policy}`",
                    use.strategy,
                    with_interval(use.rate),
                    with_interval(use.covered),
                    bounds(policy.difference) if debugged else "",
                    *(
                        decimal(number)
                        for number in (use.answers, use.executions, use.tokens, use.prompt_tokens)
                    ),
                ]
            )
    caption = (
        f"Whole attempts, by the hidden tests, with {level(found.confidence)} intervals. Costs are means of an"
        " attempt; one that passes the public tests stops, so that what is used differs though the limits are equal."
    )
    return Table(header, rows, [False, False] + [True] * (len(header) - 2), caption)


def _policy(found: StrategyReport, policy: PolicyStrategies, figures_path: str) -> Evaluation:
    drawn = Drawer(figures_path, f"{policy.policy}-")
    curves = [
        drawn(
            curve.currency,
            figures.budget_curve(curve),
            f"By {figures.LABELS[curve.currency]}",
            f"Bands are {level(found.confidence)} intervals, families resampled; below, self-debug less resampling,"
            " paired by task, in percentage points.",
        )
        for curve in policy.curves
    ]
    budget = found.budget
    parts = [
        Part(
            "At equal budget",
            [_break_even(curve) for curve in policy.curves],
            [_curve_table(curve, found.confidence) for curve in policy.curves if curve.currency != "answers"],
            curves,
        ),
        Part("How attempts end", [_fooled(use) for use in policy.uses], [_endings(policy)]),
    ]
    if policy.revisions:
        shown = drawn(
            "revisions",
            figures.revisions(policy.revisions),
            "What revisions do",
            "Left: what a revision changed, and those that pass fewer public tests than the answer before. Right: how"
            " often it is right, beside an answer of the same number that was drawn anew.",
            wide=True,
        )
        tables = [_changes_table(policy), _success_table(policy, found.confidence)]
        parts.append(Part("Revisions", _later(policy), tables, [shown]))
    return Evaluation(
        anchor=policy.policy,
        name=f"{policy.policy} on {found.taskset}, {found.split} split",
        measured=[
            f"{count(found.tasks, 'task')} in {count(found.families, 'family', 'families')},"
            f" {count(found.attempts, 'attempt')} a task and strategy, at temperature {found.temperature:g}; an answer"
            f" takes up to {count(found.max_new_tokens, 'token')}. An attempt may write {count(budget.revisions + 1)}"
            f" answers and {count(budget.tokens, 'token')}, and run the public tests"
            f" {count(budget.executions, 'time')}. It submits {_RULES[found.rule]}. Every attempt can be read"
            f" in `{TRACES}`."
        ],
        parts=parts,
    )


def _break_even(curve: BudgetCurve) -> str:
    if curve.break_even is None:
        found = "there is no budget from which on self-debug is ahead"
    else:
        found = f"from {count(curve.break_even)} on self-debug is ahead, or level"
    cut = " and ".join(f"{percent(share)} under {strategy}" for strategy, share in curve.cut.items())
    return f"By {figures.LABELS[curve.currency]}: {found}. Ended unsolved by another limit: {cut}."


def _curve_table(curve: BudgetCurve, confidence: float) -> Table:
    places = [2**power - 1 for power in range(len(curve.points).bit_length())]
    if places[-1] != len(curve.points) - 1:
        places.append(len(curve.points) - 1)
    rows = [
        [
            count(point.budget),
            with_interval(point.self_debug),
            with_interval(point.resample),
            bounds(point.difference),
        ]
        for point in (curve.points[place] for place in places)
    ]
    header = [figures.LABELS[curve.currency], "self-debug", "resampling", "difference"]
    caption = f"Right submissions, were an attempt stopped there, with {level(confidence)} intervals."
    return Table(header, rows, [True] * 4, caption)


def _fooled(use: StrategyUse) -> str:
    passed = f"Under {use.strategy}, {percent(use.passed)} of attempts pass the public tests"
    if use.fooled is None:
        return f"{passed}."
    return f"{passed}; {percent(use.fooled)} of those submissions are wrong all the same."


def _endings(policy: PolicyStrategies) -> Table:
    kinds = ["passed", "untested", "revisions", "tokens", "executions"]
    rows = [
        [use.strategy, *(count(use.endings.get(kind, 0)) for kind in kinds)]  # type: ignore[call-overload]
        for use in policy.uses
    ]
    header = ["attempts that ended by", "passing", "no public tests", "revisions", "tokens", "executions"]
    return Table(header, rows, [False] + [True] * 5)


def _later(policy: PolicyStrategies) -> list[str]:
    said = [
        f"{with_interval(use.later)} {'of revisions' if use.strategy == 'self-debug' else 'of answers drawn anew'}"
        for use in policy.uses
        if use.later is not None
    ]
    return [
        f"After a first answer that does not pass, {' and '.join(said)} are right. These are shares of all such"
        " answers, on the tasks that were left to each strategy, which are not the same."
    ]


def _changes_table(policy: PolicyStrategies) -> Table:
    kinds: tuple[Change, ...] = ("unchanged", "cosmetic", "substantive")
    rows = [
        [
            count(row.number),
            count(row.reached),
            *(percent(row.changes.get(kind, 0.0)) for kind in kinds),
            percent(row.no_program),
        ]
        for row in policy.revisions
    ]
    header = ["revision", "attempts", *kinds, "no program"]
    caption = "What a revision changed: shares of the attempts that reached it."
    return Table(header, rows, [True] * len(header), caption)


def _success_table(policy: PolicyStrategies, confidence: float) -> Table:
    rows = [
        [
            count(row.number),
            percent(row.regressed),
            percent(row.passed),
            percent(row.right),
            percent(row.redrawn_right) if row.redrawn_right is not None else DASH,
            bounds(row.gain),
        ]
        for row in policy.revisions
    ]
    header = ["revision", "passes fewer", "passes public", "right", "drawn anew: right", "gain"]
    caption = (
        "What came of it: shares of the attempts that reached it. Gain: what allowing it adds to all attempts, in"
        f" percentage points, with its {level(confidence)} interval."
    )
    return Table(header, rows, [True] * len(header), caption)
