"""The figures of the strategy report. Each function draws one, from its record and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from codeself.records.metrics import Estimate
from codeself.records.strategies import BudgetCurve, BudgetPoint, RevisionRow
from codeself.reports.drawing import FAILED, GREEDY, MUTED, PLAIN, SAMPLED, STOPPED
from codeself.reports.figures import HALF

_PERCENT = FuncFormatter(lambda value, _: f"{100 * value:.3g} %")
_POINTS = FuncFormatter(lambda value, _: f"{100 * value:.0f}".replace("-", "\N{MINUS SIGN}"))
LABELS = {
    "answers": "answers of an attempt",
    "executions": "runs of the public tests",
    "tokens": "tokens written",
    "all tokens": "tokens read and written",
}
_KINDS = {
    "unchanged": (PLAIN, "unchanged"),
    "cosmetic": (STOPPED, "cosmetic"),
    "substantive": (SAMPLED, "substantive"),
}


def budget_curve(curve: BudgetCurve) -> Figure:
    """Both strategies along one budget, their difference below."""
    figure = Figure(figsize=(HALF[0], HALF[1] + 1.3), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2.0, 1.0])
    _band(upper, curve.points, [p.self_debug for p in curve.points], SAMPLED, "self-debug", "-")
    _band(upper, curve.points, [p.resample for p in curve.points], GREEDY, "resampling", (0, (4, 2)))
    upper.set_ylim(bottom=0)
    upper.yaxis.set_major_formatter(_PERCENT)
    upper.set_ylabel("right submissions")
    upper.legend(loc="upper left")
    budgets = [point.budget for point in curve.points]
    lower.axhline(0, color=MUTED, linewidth=1.0)
    lower.fill_between(
        budgets,
        [point.difference.low for point in curve.points],
        [point.difference.high for point in curve.points],
        color=SAMPLED,
        alpha=0.18,
        linewidth=0,
    )
    lower.plot(budgets, [point.difference.value for point in curve.points], color=SAMPLED, linewidth=1.6)
    if curve.break_even is not None:
        lower.axvline(curve.break_even, color=MUTED, linewidth=1.0, linestyle=(0, (2, 2)))
    lower.yaxis.set_major_formatter(_POINTS)
    lower.yaxis.set_major_locator(MaxNLocator(4))
    lower.set_ylabel("difference")
    lower.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    lower.set_xlabel(LABELS[curve.currency])
    return figure


def revisions(rows: Sequence[RevisionRow]) -> Figure:
    """What revisions changed, by their number, and how often they are right beside an answer drawn anew."""
    figure = Figure(figsize=(2 * HALF[0], 3.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    numbers = [row.number for row in rows]
    base = [0.0] * len(rows)
    for kind, (colour, label) in _KINDS.items():
        shares = [row.changes.get(kind, 0.0) for row in rows]  # type: ignore[call-overload]
        left.bar(numbers, shares, bottom=base, color=colour, width=0.8, label=label)
        base = [low + share for low, share in zip(base, shares, strict=True)]
    left.plot(
        numbers, [row.regressed for row in rows], "x", color=FAILED, label="passes fewer", clip_on=False
    )
    left.set_ylim(0, 1.0)
    left.set_ylabel("share of revisions")
    right.plot(numbers, [row.right for row in rows], "o-", color=SAMPLED, markersize=4, label="revision")
    drawn = [(row.number, row.redrawn_right) for row in rows if row.redrawn_right is not None]
    right.plot(
        [number for number, _ in drawn],
        [share for _, share in drawn],
        "D",
        linestyle=(0, (4, 2)),
        color=GREEDY,
        markersize=4,
        label="drawn anew",
    )
    right.set_ylim(bottom=0)
    right.set_ylabel("right, of those written")
    for axes in (left, right):
        axes.yaxis.set_major_formatter(_PERCENT)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.set_xlabel("number of the revision")
        axes.grid(False, axis="x")
    handles, labels = left.get_legend_handles_labels()
    others, names = right.get_legend_handles_labels()
    figure.legend([*handles, *others], [*labels, *names], loc="outside upper left", ncols=6)
    return figure


def _band(
    axes: Axes,
    points: Sequence[BudgetPoint],
    estimates: Sequence[Estimate],
    colour: str,
    label: str,
    dashes: str | tuple[int, tuple[int, int]],
) -> None:
    budgets = [point.budget for point in points]
    axes.fill_between(
        budgets,
        [e.low for e in estimates],
        [e.high for e in estimates],
        color=colour,
        alpha=0.14,
        linewidth=0,
    )
    axes.plot(
        budgets, [e.value for e in estimates], color=colour, linewidth=1.8, linestyle=dashes, label=label
    )
