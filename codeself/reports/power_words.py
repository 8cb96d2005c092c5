"""Power planning in words: which gain a comparison with this policy, on these tasks, could see."""

from __future__ import annotations

from codeself.records.metrics import GreedyPlan, Metrics, PairedPlan, PowerPlan
from codeself.reports.numbers import count, decimal, level, listed, percent, points


def power(metrics: Metrics) -> list[str]:
    """Paragraphs: what the design could see, what the hoped-for gain needs, what greedy answers could see.

    What was assumed stands beside what follows from it.
    """
    plan = metrics.power
    paragraphs = (
        [_detectable(plan, plan.paired), _needed(plan, plan.paired)]
        if plan.paired
        else [
            "No plan for a comparison of sampled rates: it needs two families and two samples a task, at"
            " least."
        ]
    )
    return paragraphs + ([_greedy(plan, plan.greedy)] if plan.greedy else [])


def _detectable(plan: PowerPlan, paired: PairedPlan) -> str:
    others = [
        f"{points(gain)} at {correlation}"
        for correlation, gain in paired.by_correlation.items()
        if float(correlation) != paired.correlation
    ]
    return (
        f"Compared with another policy on these {count(plan.tasks, 'task')} in"
        f" {count(plan.families, 'family', 'families')}, with {count(paired.samples, 'sample')} a task and"
        f" policy and the {plan.tests} tests, this design could detect a gain of"
        f" {points(paired.detectable_gain)} in pass@1 with power {level(plan.power)} (two-sided test at"
        f" {plan.alpha:g}). That assumes that the two policies' true rates correlate at"
        f" {paired.correlation:g} over tasks; the detectable gain would be {listed(others)}."
    )


def _needed(plan: PowerPlan, paired: PairedPlan) -> str:
    gain = points(plan.hoped_for_gain)
    verdict = "enough" if paired.power_at_gain >= plan.power else "not enough"
    start = (
        f"The hoped-for gain of {gain} would be seen with power {_chance(paired.power_at_gain)}, which is"
        f" {verdict}."
    )
    if paired.families_needed is None or paired.tasks_needed is None:
        needs = "No number of families that was tried would be enough."
    else:
        needs = (
            f"With {count(paired.samples, 'sample')} each it takes"
            f" {count(paired.families_needed, 'family', 'families')} of this kind, or about"
            f" {count(paired.tasks_needed, 'task')}; on the tasks as they are it"
            + (
                f" takes {count(paired.samples_needed, 'sample')} each."
                if paired.samples_needed is not None
                else " cannot be had by more samples, because tasks differ too much."
            )
        )
    within = ""
    if plan.tasks > plan.families:
        within = (
            f" Differences correlate at {decimal(paired.intraclass, 2)} within families, which multiplies"
            f" their variance by {decimal(paired.design_effect, 2)} (design effect)."
        )
    return f"{start} {needs} The standard error of the difference is {points(paired.standard_error)}.{within}"


def _greedy(plan: PowerPlan, greedy: GreedyPlan) -> str:
    if greedy.detectable_gain is None:
        sees = "no gain, however large,"
    else:
        sees = f"a gain of {points(greedy.detectable_gain)}"
    gain = points(plan.hoped_for_gain)
    if greedy.tasks_needed is None:
        needs = f"A gain of {gain} is out of reach."
    else:
        needs = f"A gain of {gain} takes about {count(greedy.tasks_needed, 'task')}."
    worth = ""
    if plan.tasks > plan.families:
        worth = f" (worth {count(greedy.effective_tasks)} unrelated ones)"
    return (
        f"Greedy answers alone, {percent(greedy.accuracy)} right on {count(plan.tasks, 'task')}{worth},"
        f" could detect {sees} by McNemar's mid-p test with the same power, assuming that the two policies'"
        f" outcomes correlate at {greedy.correlation:g}. {needs}"
    )


def _chance(power: float) -> str:
    """A power, never rounded up to certainty."""
    return f"above {percent(0.999)}" if power > 0.999 else percent(power)
