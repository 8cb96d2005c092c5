"""The figures of an evaluation. Each function draws one, from metrics and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from codeself.records.metrics import FamilyRates, Lengths, Metrics, Outcomes, TaskRow
from codeself.reports.counting import phase_counts
from codeself.reports.drawing import ERROR, FAILED, GREEDY, HIDDEN, INK, MUTED, PLAIN, SAMPLED, STOPPED

HALF = (4.7, 3.0)  # inches; two stand side by side on a page
MOST_NAMED_FAMILIES = 60
_PERCENT = FuncFormatter(lambda value, _: f"{100 * value:.0f} %")
_STATUS_COLOURS = {"failed": FAILED, "error": ERROR, "refused": MUTED, "infrastructure": PLAIN}


def pass_curve(metrics: Metrics) -> Figure:
    """pass@k against k on the headline tests, with its band; other tests as a thin line; greedy beside it."""
    figure = Figure(figsize=HALF, layout="constrained")
    axes = figure.add_subplot()
    main = metrics.main
    for outcome in metrics.outcomes:
        if outcome is not main and outcome.curve:
            ks, values, _, _ = _curve(outcome)
            axes.plot(
                ks, values, color=HIDDEN, linewidth=1.2, linestyle=(0, (4, 2)), label=f"{outcome.tests} tests"
            )
    ks, values, lows, highs = _curve(main)
    if ks:
        axes.fill_between(ks, lows, highs, color=SAMPLED, alpha=0.18, linewidth=0)
        axes.plot(ks, values, color=SAMPLED, linewidth=1.8, label=f"sampled, {main.tests} tests")
        asked = main.pass_at_k
        axes.plot([p.k for p in asked], [p.estimate.value for p in asked], "o", color=SAMPLED, markersize=5)
    if main.greedy:
        place = 0.84  # beside k = 1: one answer as well
        axes.errorbar(
            [place],
            [main.greedy.value],
            yerr=[[main.greedy.value - main.greedy.low], [main.greedy.high - main.greedy.value]],
            color=GREEDY,
            marker="D",
            markersize=5,
            linewidth=1.4,
            label=f"greedy, {main.tests} tests",
        )
    top = max(ks, default=1)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator([k for k in (2**power for power in range(12)) if k <= top]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    axes.set_xlim(0.72, top * 1.12)
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(_PERCENT)
    axes.set_xlabel("k, answers that may be tried")
    axes.set_ylabel("tasks solved")
    axes.legend(loc="upper left")
    return figure


def families(metrics: Metrics) -> Figure:
    """Sampled and greedy rates of each family, sorted. With many families, ranks in place of names."""
    rates = sorted(
        metrics.main.by_family,
        key=lambda rate: (rate.sampled if rate.sampled is not None else rate.greedy or 0.0, rate.family),
    )
    return _named_families(rates) if len(rates) <= MOST_NAMED_FAMILIES else _ranked_families(rates)


def phases(metrics: Metrics) -> Figure:
    """How far candidates came: those that pass each phase, and those that end there, by status."""
    table, total = phase_counts(metrics)
    figure = Figure(figsize=(HALF[0], 0.36 * len(table) + 1.05), layout="constrained")
    axes = figure.add_subplot()
    alive = total
    statuses: dict[str, None] = {}
    for place, (_, ended) in enumerate(table):
        left = alive - sum(ended.values())
        axes.barh(place, left / total, color=SAMPLED, height=0.66, label="pass" if place == 0 else None)
        start = left
        for status, number in ended.items():
            new = status not in statuses
            statuses[status] = None
            axes.barh(
                place,
                number / total,
                left=start / total,
                height=0.66,
                color=_STATUS_COLOURS.get(status, STOPPED),
                label=status if new else None,
            )
            start += number
        axes.text(max(start, 1) / total + 0.012, place, f"{left:,}", va="center", fontsize=8.5, color=INK)
        alive = left
    axes.set_yticks(range(len(table)), [phase for phase, _ in table])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.12)
    axes.xaxis.set_major_locator(FixedLocator([0, 0.25, 0.5, 0.75, 1]))
    axes.xaxis.set_major_formatter(_PERCENT)
    axes.grid(False, axis="y")
    axes.set_xlabel("share of candidates; number that pass the phase")
    figure.legend(loc="outside upper left", ncols=5, handlelength=1.0, columnspacing=1.2)
    return figure


def parse_reasons(metrics: Metrics) -> Figure:
    """Why completions held no usable program."""
    reasons = sorted(metrics.parse_failures.reasons.items(), key=lambda item: (-item[1], item[0]))
    figure = Figure(figsize=(HALF[0], 0.34 * len(reasons) + 0.75), layout="constrained")
    axes = figure.add_subplot()
    bars = axes.barh(
        [name.replace("_", " ") for name, _ in reasons], [n for _, n in reasons], color=FAILED, height=0.6
    )
    axes.bar_label(bars, padding=3, fontsize=8.5, color=INK)
    axes.invert_yaxis()
    axes.grid(False, axis="y")
    axes.set_xlim(0, max(n for _, n in reasons) * 1.12)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_xlabel("completions")
    return figure


def groups(metrics: Metrics, rows: Sequence[TaskRow]) -> Figure:
    """How many of its samples each task got right. The two ends, all wrong and all right, teach nothing."""
    locked = metrics.headline == "locked"
    own = [row for row in rows if row.samples]
    size = max(row.samples for row in own)
    right = [(row.right_locked or 0) if locked else row.right_hidden for row in own if row.samples == size]
    counts = np.bincount(right, minlength=size + 1)
    figure = Figure(figsize=HALF, layout="constrained")
    axes = figure.add_subplot()
    ends = [0, size]
    middle = [place for place in range(size + 1) if place not in ends]
    axes.bar(middle, counts[middle], color=SAMPLED, width=0.8, label="informative")
    axes.bar(ends, counts[ends], color=PLAIN, width=0.8, label="all alike")
    for place, number in enumerate(counts):
        if size <= 16 and number:
            axes.text(place, number, f"{number}", ha="center", va="bottom", fontsize=8.5, color=INK)
    axes.grid(False, axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(min(size, 9), integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_ylim(0, max(counts) * 1.12)
    axes.set_xlabel(f"right samples of {size} ({metrics.headline} tests)")
    axes.set_ylabel("tasks")
    axes.legend(loc="upper right")
    return figure


def lengths(found: Lengths) -> Figure:
    """Completion lengths."""
    figure = Figure(figsize=HALF, layout="constrained")
    axes = figure.add_subplot()
    edges = np.array(found.edges)
    axes.bar(edges[:-1], found.histogram, width=np.diff(edges) * 0.92, align="edge", color=SAMPLED)
    axes.axvline(
        found.median,
        color=INK,
        linewidth=1.2,
        linestyle=(0, (4, 2)),
        label=f"median, {found.median:.0f} tokens",
    )
    axes.grid(False, axis="x")
    axes.set_xlim(0, edges[-1])
    axes.set_ylim(0, max(*found.histogram, 1) * 1.08)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_xlabel("tokens of a completion")
    axes.set_ylabel("completions")
    axes.legend(loc="upper right")
    return figure


def _curve(outcome: Outcomes) -> tuple[list[int], list[float], list[float], list[float]]:
    estimates = [point.estimate for point in outcome.curve]
    return (
        [point.k for point in outcome.curve],
        [estimate.value for estimate in estimates],
        [estimate.low for estimate in estimates],
        [estimate.high for estimate in estimates],
    )


def _named_families(rates: Sequence[FamilyRates]) -> Figure:
    figure = Figure(figsize=(2 * HALF[0], 0.19 * len(rates) + 1.0), layout="constrained")
    axes = figure.add_subplot()
    for place, rate in enumerate(rates):
        if rate.sampled is not None and rate.low is not None and rate.high is not None:
            axes.plot([rate.low, rate.high], [place, place], color=SAMPLED, linewidth=1.6, alpha=0.55)
            axes.plot(
                rate.sampled, place, "o", color=SAMPLED, markersize=4.5, label=None if place else "sampled"
            )
        if rate.greedy is not None:
            axes.plot(
                rate.greedy,
                place,
                "D",
                markerfacecolor="none",
                markeredgecolor=GREEDY,
                markeredgewidth=1.2,
                markersize=5,
                clip_on=False,
                label=None if place else "greedy",
            )
    axes.set_yticks(range(len(rates)), [rate.family for rate in rates], fontsize=8)
    axes.set_ylim(-0.8, len(rates) - 0.2)
    axes.set_xlim(-0.02, 1.02)
    axes.xaxis.set_major_formatter(_PERCENT)
    axes.set_xlabel("answers that are right")
    figure.legend(loc="outside upper right", ncols=2)
    return figure


def _ranked_families(rates: Sequence[FamilyRates]) -> Figure:
    figure = Figure(figsize=(2 * HALF[0], 2.8), layout="constrained")
    axes = figure.add_subplot()
    ranks = np.arange(1, len(rates) + 1)
    known = [rate for rate in rates if rate.sampled is not None]
    if len(known) == len(rates):
        axes.fill_between(
            ranks,
            [r.low or 0.0 for r in rates],
            [r.high or 0.0 for r in rates],
            color=SAMPLED,
            alpha=0.18,
            linewidth=0,
        )
        axes.step(
            ranks,
            [r.sampled or 0.0 for r in rates],
            where="mid",
            color=SAMPLED,
            linewidth=1.6,
            label="sampled",
        )
    if all(rate.greedy is not None for rate in rates):
        axes.plot(
            ranks,
            [r.greedy or 0.0 for r in rates],
            "|",
            color=GREEDY,
            markersize=7,
            label="greedy",
            clip_on=False,
        )
    axes.set_xlim(0, len(rates) + 1)
    axes.set_ylim(-0.03, 1.03)
    axes.yaxis.set_major_formatter(_PERCENT)
    axes.set_xlabel("families, from hardest to easiest")
    axes.set_ylabel("answers that are right")
    figure.legend(loc="outside upper right", ncols=2)
    return figure
