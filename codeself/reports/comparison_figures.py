"""The figures of a comparison. Each function draws one, from its record and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from codeself.records.comparisons import EndpointResult, SideRates, Transitions
from codeself.reports.drawing import GREEDY, HIDDEN, INK, MUTED, SAMPLED
from codeself.reports.figures import HALF

_POINTS = FuncFormatter(lambda value, _: f"{100 * value:.0f}".replace("-", "\N{MINUS SIGN}"))
_PERCENT = FuncFormatter(lambda value, _: f"{100 * value:.0f} %")


def differences(results: Sequence[EndpointResult]) -> Figure:
    """Each endpoint's difference with its interval; filled where the test passed. A short bar on either side of 0
    shows what the test could see.
    """
    figure = Figure(figsize=(2 * HALF[0], 0.42 * len(results) + 1.1), layout="constrained")
    axes = figure.add_subplot()
    seen: set[str] = set()
    axes.axvline(0, color=MUTED, linewidth=1.0)
    for place, result in enumerate(results):
        found = result.difference
        colour = GREEDY if result.endpoint.answers == "greedy" else SAMPLED
        label = f"{result.endpoint.answers}, test {'passed' if result.significant else 'not passed'}"
        axes.plot([found.low, found.high], [place, place], color=colour, linewidth=2.0, alpha=0.6)
        axes.plot(
            found.value,
            place,
            "D" if result.endpoint.answers == "greedy" else "o",
            markersize=6.5,
            markeredgecolor=colour,
            markeredgewidth=1.4,
            markerfacecolor=colour if result.significant else "none",
            label=None if label in seen else label,
        )
        seen.add(label)
        if result.detectable is not None:
            for side in (-result.detectable, result.detectable):
                axes.plot([side, side], [place - 0.28, place + 0.28], color=HIDDEN, linewidth=1.4)
    # An empty line under the marks' own name.
    axes.plot([], [], color=HIDDEN, linewidth=1.4, label="smallest difference the test sees reliably")
    axes.set_yticks(
        range(len(results)),
        [
            f"{r.endpoint.arm.name} \N{MINUS SIGN} {r.endpoint.comparator.name}"
            + (", greedy" if r.endpoint.answers == "greedy" else "")
            for r in results
        ],
    )
    axes.set_ylim(len(results) - 0.4, -0.6)
    axes.grid(False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(9))
    axes.xaxis.set_major_formatter(_POINTS)
    axes.set_xlabel("difference, percentage points")
    figure.legend(loc="outside upper left", ncols=3, columnspacing=1.4)
    return figure


def rates(sides: Sequence[SideRates]) -> Figure:
    """What each side does: sampled and greedy rates with intervals, each training seed as a tick."""
    figure = Figure(figsize=(HALF[0], 0.5 * len(sides) + 1.1), layout="constrained")
    axes = figure.add_subplot()
    for place, side in enumerate(sides):
        for estimate, colour, mark, label, shift in (
            (side.sampled, SAMPLED, "o", "sampled", -0.13),
            (side.greedy, GREEDY, "D", "greedy", 0.13),
        ):
            if estimate is None:
                continue
            height = place + shift
            axes.plot([estimate.low, estimate.high], [height, height], color=colour, linewidth=2.0, alpha=0.6)
            axes.plot(
                estimate.value,
                height,
                mark,
                color=colour,
                markersize=5.5,
                label=None if place else label,
            )
        if len(side.by_seed) > 1:
            axes.plot(side.by_seed, [place - 0.33] * len(side.by_seed), "|", color=MUTED, markersize=7)
    axes.set_yticks(range(len(sides)), [side.name for side in sides])
    axes.set_ylim(len(sides) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.grid(False, axis="y")
    axes.xaxis.set_major_formatter(_PERCENT)
    axes.set_xlabel("right answers")
    figure.legend(loc="outside upper left", ncols=2)
    return figure


def transitions(found: Transitions, arm: str) -> Figure:
    """Endings before, down, and after, across: the darker a cell, the more pairs of answers fall into it."""
    count = len(found.classes)
    figure = Figure(figsize=(HALF[0] + 0.5, 0.42 * count + 1.3), layout="constrained")
    axes = figure.add_subplot()
    most = max(max(row) for row in found.shares) or 1.0
    for i, row in enumerate(found.shares):
        for j, share in enumerate(row):
            strength = share / most
            axes.add_patch(
                Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=SAMPLED, alpha=0.62 * strength, linewidth=0)
            )
            if share >= 0.0005:
                axes.text(j, i, f"{100 * share:.1f}", ha="center", va="center", fontsize=8, color=INK)
    names = list(found.classes)
    axes.set_xticks(range(count), names, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(count), names)
    axes.set_xlim(-0.5, count - 0.5)
    axes.set_ylim(count - 0.5, -0.5)
    axes.grid(False)
    axes.tick_params(length=0)
    axes.set_xlabel(f"ending under {arm}, % of pairs of answers")
    axes.set_ylabel("ending under base")
    return figure
