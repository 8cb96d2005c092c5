"""The figures of practice. Each function draws one, from curves and counts and nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from codeself.analysis.practice_curves import AdvantageColumn, Along, ArmLines, Line, Thirds, endings_of
from codeself.records.training import ADVANTAGE_EDGES
from codeself.reports.drawing import ERROR, FAILED, GREEDY, HIDDEN, INK, MUTED, PLAIN, SAMPLED, STOPPED
from codeself.reports.figures import HALF

# An arm looks the same in every figure; dashes set the placebos apart without colour.
ARM_COLOURS = {
    "grpo": SAMPLED,
    "grpo-selfdebug": FAILED,
    "ppo": GREEDY,
    "rejection": ERROR,
    "random-reward": HIDDEN,
    "format-reward": STOPPED,
}
PLACEBOS = ("random-reward", "format-reward")
MOST_MARKED_STEPS = 24
# Of an ending, by the phase that decided it; and the order of the bars' parts.
ENDING_KINDS = {
    "right": SAMPLED,
    "fails hidden tests": GREEDY,
    "fails public tests": FAILED,
    "cannot be run": STOPPED,
    "no program": PLAIN,
    "fault of the judge": MUTED,
}
_X_LABELS = {"step": "step", "samples": "completions drawn"}
_PERCENT = FuncFormatter(lambda value, _: f"{100 * value:g} %".replace("-", "\N{MINUS SIGN}"))
_PLAIN = FuncFormatter(lambda value, _: f"{value:,.6g}".replace("-", "\N{MINUS SIGN}"))


@dataclass(frozen=True)
class RatioLines:
    """One arm's ratios step by step, its runs brought together."""

    least: Line
    mean: Line
    greatest: Line
    deviation: Line


def curves(
    lines: Sequence[ArmLines],
    along: Along,
    label: str,
    *,
    share: bool = False,
    top: float = 0.0,
    whole: bool = False,
    lowest: float | None = None,
    marks: Sequence[float] = (),
) -> Figure:
    """One value of every arm: each run as a thin line, an arm's mean as a thick one.

    share: in percent. top: the axis reaches at least this high, so that rounding noise is not magnified; whole: from
    0 to exactly there. lowest: what lies under it is out of view. marks: values to draw across.
    """
    figure = Figure(figsize=HALF, layout="constrained")
    axes = figure.add_subplot()
    for height in marks:
        axes.axhline(height, color=MUTED, linewidth=0.9, linestyle=(0, (1, 2)))
    for each in lines:
        if each.has_values:
            _draw_arm(axes, each)
    values = [y for each in lines for run in each.runs for y in run.ys if y is not None and math.isfinite(y)]
    _limit(axes, values, top, whole, lowest)
    _step_axis(axes, max(run.xs[-1] for each in lines for run in each.runs), along)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(_PERCENT if share else _PLAIN)
    axes.set_ylabel(label)
    _legend(figure)
    return figure


def ratio(arm: str, lines: RatioLines, bounds: tuple[float, float], limits: tuple[float, float]) -> Figure:
    """One arm's ratios; dashed lines where they are clipped. limits: of the axis, the same for every arm."""
    figure = Figure(figsize=HALF, layout="constrained")
    axes = figure.add_subplot()
    xs, colour = lines.mean.xs, ARM_COLOURS[arm]
    middle, spread = ([_number(y) for y in line.ys] for line in (lines.mean, lines.deviation))
    axes.fill_between(
        xs,
        [_number(y) for y in lines.least.ys],
        [_number(y) for y in lines.greatest.ys],
        color=colour,
        alpha=0.14,
        linewidth=0,
        label="least to greatest",
    )
    axes.fill_between(
        xs,
        [a - b for a, b in zip(middle, spread, strict=True)],
        [a + b for a, b in zip(middle, spread, strict=True)],
        color=colour,
        alpha=0.3,
        linewidth=0,
        label="one deviation",
    )
    marker = "o" if len(xs) <= MOST_MARKED_STEPS else None
    axes.plot(xs, middle, color=colour, linewidth=1.8, marker=marker, markersize=3.2, label="mean")
    for bound in bounds:
        axes.axhline(bound, color=MUTED, linewidth=1.0, linestyle=(0, (4, 2)))
    _step_axis(axes, xs[-1], "step")
    axes.set_ylim(*limits)
    axes.yaxis.set_major_formatter(_PLAIN)
    axes.set_ylabel("ratio")
    _legend(figure)
    return figure


def advantages(arm: str, columns: Sequence[AdvantageColumn], most: float) -> Figure:
    """One arm's: steps across, advantages up. most: the share that has the full colour, the same for every arm."""
    figure = Figure(figsize=(HALF[0], 2.6), layout="constrained")
    axes = figure.add_subplot()
    for column in columns:
        for low, high, share in zip(ADVANTAGE_EDGES, ADVANTAGE_EDGES[1:], column.shares, strict=False):
            if share > 0:
                axes.add_patch(
                    Rectangle(
                        (column.first - 0.5, low),
                        column.last - column.first + 1,
                        high - low,
                        facecolor=ARM_COLOURS[arm],
                        alpha=round(0.08 + 0.87 * share / most, 3),
                        linewidth=0,
                    )
                )
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.set_xlim(-0.5, columns[-1].last + 0.5)
    axes.set_ylim(ADVANTAGE_EDGES[0], ADVANTAGE_EDGES[-1])
    axes.grid(False)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_formatter(_PLAIN)
    axes.set_xlabel("step")
    axes.set_ylabel("advantage")
    return figure


def endings(arms: Mapping[str, Thirds]) -> Figure:
    """Two bars an arm: how completions ended in the first and in the last third of its steps."""
    figure = Figure(figsize=(HALF[0], 0.62 * len(arms) + 1.2), layout="constrained")
    axes = figure.add_subplot()
    names, heights = [], []
    for place, (arm, found) in enumerate(arms.items()):
        for counts, third, shift in ((found.first, "first", -0.19), (found.last, "last", 0.19)):
            total = sum(counts.values()) or 1
            names.append(f"{arm}, {third}")
            heights.append(place + shift)
            start = 0.0
            for kind, colour in ENDING_KINDS.items():
                share = sum(n for ending, n in counts.items() if ending_kind(ending) == kind) / total
                if share:
                    axes.barh(place + shift, share, left=start, height=0.34, color=colour, alpha=0.62)
                if share >= 0.05:
                    axes.text(
                        start + share / 2,
                        place + shift,
                        f"{100 * share:.0f}",
                        ha="center",
                        va="center",
                        fontsize=8,
                        color=INK,
                    )
                start += share
    shown = {ending_kind(ending) for ending in endings_of(list(arms.values()))}
    for kind, colour in ENDING_KINDS.items():
        if kind in shown:
            axes.barh([0], [0], color=colour, alpha=0.62, label=kind)
    axes.set_yticks(heights, names)
    axes.set_ylim(len(arms) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.grid(False)
    axes.xaxis.set_major_formatter(_PERCENT)
    axes.set_xlabel("share of completions")
    _legend(figure)
    return figure


def ending_kind(ending: str) -> str:
    """The kind of an ending that a row of metrics names `phase: status`."""
    phase, _, status = ending.partition(": ")
    if status == "infrastructure":
        return "fault of the judge"
    if status == "passed":
        return "right"
    return {
        "parse": "no program",
        "public": "fails public tests",
        "hidden": "fails hidden tests",
    }.get(phase, "cannot be run")


def _draw_arm(axes: Axes, lines: ArmLines) -> None:
    colour = ARM_COLOURS[lines.arm]
    style = (0, (4, 1.5)) if lines.arm in PLACEBOS else "solid"
    if len(lines.runs) > 1:
        for run in lines.runs:
            axes.plot(run.xs, [_number(y) for y in run.ys], color=colour, linewidth=0.8, alpha=0.5)
    few = len(lines.mean.xs) <= MOST_MARKED_STEPS
    axes.plot(
        lines.mean.xs,
        [_number(y) for y in lines.mean.ys],
        color=colour,
        linewidth=1.9,
        linestyle=style,
        marker="o" if few else None,
        markersize=3.2,
        label=lines.arm,
    )


def _limit(axes: Axes, values: Sequence[float], top: float, whole: bool, lowest: float | None) -> None:
    if whole:
        axes.set_ylim(-0.02 * top, 1.02 * top)
        return
    high, low = max([top, *values]), min([0.0, *values])
    if lowest is not None:
        low = max(low, lowest)
    # Rounding leaves numbers a little under 0 that are none.
    low = low if low < -1e-9 else 0.0
    axes.set_ylim(low - 0.03 * (high - low), high + 0.05 * (high - low))


def _step_axis(axes: Axes, last: float, along: Along) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlabel(_X_LABELS[along])
    margin = 0.03 * max(last, 1)
    axes.set_xlim(-margin, last + margin)


def _legend(figure: Figure) -> None:
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=3, handlelength=1.8, columnspacing=1.2)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
