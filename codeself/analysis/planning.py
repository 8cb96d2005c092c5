"""The power plan of an evaluation: what a later comparison with this policy, on these tasks, could see."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from codeself.analysis import mcnemar, power
from codeself.analysis.intervals import design_effect, largest_design_effect
from codeself.records.metrics import GreedyPlan, PairedPlan, PowerPlan, TaskRow, TestKind

ALPHA = 0.05
POWER = 0.8
# How alike two policies' true per-task rates are. A practised model mostly solves what its base solved, so
# 0.8 is assumed, and the plan shows what 0.5 and 0.95 would mean. A measured arm's own can replace it.
CORRELATION = 0.8
# Single answers agree less than rates do: two policies with equal rates still answer by chance.
GREEDY_CORRELATION = 0.6
OTHER_CORRELATIONS = (0.5, 0.8, 0.95)


def plan_power(rows: Sequence[TaskRow], tests: TestKind, gain: float) -> PowerPlan:
    """The plan from one policy's rows, for a comparison of the same shape: same tasks, same samples each."""
    return PowerPlan(
        tests=tests,
        tasks=len(rows),
        families=len({row.family for row in rows}),
        alpha=ALPHA,
        power=POWER,
        hoped_for_gain=gain,
        paired=_paired(rows, tests, gain),
        greedy=_greedy(rows, tests, gain),
    )


def _paired(rows: Sequence[TaskRow], tests: TestKind, gain: float) -> PairedPlan | None:
    """None where the rates cannot tell: one family, or fewer than 2 samples a task."""
    rows = [row for row in rows if row.samples >= 2]
    families = [row.family for row in rows]
    if len(set(families)) < 2:
        return None
    right = [row.right_hidden if tests == "hidden" else row.right_locked or 0 for row in rows]
    parts = power.variance_components([row.samples for row in rows], right, families)
    sizes = np.unique(families, return_counts=True)[1].astype(np.float64)
    design = power.Design(
        families=sizes.size,
        tasks=len(rows),
        family_size=largest_design_effect(sizes),
        samples=max(row.samples for row in rows),
        correlation=CORRELATION,
    )
    needed = power.families_needed(parts, design, gain, alpha=ALPHA, power=POWER)
    intraclass = power.intraclass_correlation(parts, design)
    error = math.sqrt(power.difference_variance(parts, design))
    return PairedPlan(
        samples=max(row.samples for row in rows),
        correlation=CORRELATION,
        mean_rate=parts.mean,
        between_family=parts.between_family,
        within_family=parts.within_family,
        sampling=parts.sampling,
        intraclass=intraclass,
        design_effect=1 + (design.family_size - 1) * intraclass,
        standard_error=error,
        detectable_gain=power.detectable_gain(parts, design, alpha=ALPHA, power=POWER),
        by_correlation={
            str(other): power.detectable_gain(
                parts, replace(design, correlation=other), alpha=ALPHA, power=POWER
            )
            for other in OTHER_CORRELATIONS
        },
        power_at_gain=power.paired_power(gain, error, design.families, ALPHA),
        families_needed=needed,
        tasks_needed=None if needed is None else math.ceil(needed * len(rows) / sizes.size),
        samples_needed=power.samples_needed(parts, design, gain, alpha=ALPHA, power=POWER),
    )


def _greedy(rows: Sequence[TaskRow], tests: TestKind, gain: float) -> GreedyPlan | None:
    answered = [(row, row.greedy_hidden if tests == "hidden" else row.greedy_locked) for row in rows]
    answers = [(row.family, float(answer)) for row, answer in answered if answer is not None]
    if not answers:
        return None
    families, outcomes = [family for family, _ in answers], [outcome for _, outcome in answers]
    accuracy = float(np.mean(outcomes))
    effect = design_effect(outcomes, families)
    effective = max(1, math.floor(len(outcomes) / effect + 1e-9))
    possible = accuracy + gain <= 1
    needed = mcnemar.mcnemar_tasks_needed(accuracy, gain, GREEDY_CORRELATION, alpha=ALPHA, power=POWER)
    return GreedyPlan(
        correlation=GREEDY_CORRELATION,
        accuracy=accuracy,
        design_effect=effect,
        effective_tasks=effective,
        detectable_gain=mcnemar.mcnemar_detectable_gain(
            effective, accuracy, GREEDY_CORRELATION, alpha=ALPHA, power=POWER
        ),
        power_at_gain=mcnemar.mcnemar_power(
            effective, *mcnemar.discordant_shares(accuracy, gain, GREEDY_CORRELATION), alpha=ALPHA
        )
        if possible
        else None,
        tasks_needed=None if needed is None else math.ceil(needed * effect - 1e-9),
    )
