"""Power planning in words: which gain a comparison with this policy, on these tasks, could see."""

from __future__ import annotations

from codeself.records.metrics import GreedyPlan, Metrics, PairedPlan, PowerPlan
from codeself.reports.numbers import count, decimal, level, listed, percent, points


def power(metrics: Metrics) -> list[str]:
    """What the design could see, what it would need for the hoped-for gain, and what was assumed."""
    plan = metrics.power
    sentences = []
    if plan.paired:
        sentences += _paired(plan, plan.paired)
    else:
        sentences.append(
            "No plan for a comparison of sampled rates: it needs at least two families and two samples a"
            " task."
        )
    if plan.greedy:
        sentences += _greedy(plan, plan.greedy)
    return sentences


def _paired(plan: PowerPlan, paired: PairedPlan) -> list[str]:
    wanted = points(plan.hoped_for_gain)
    others = [
        f"{points(gain)} at {correlation}"
        for correlation, gain in paired.by_correlation.items()
        if float(correlation) != paired.correlation
    ]
    within = ""
    if plan.tasks > plan.families:
        within = (
            f", correlation within families {decimal(paired.intraclass, 2)}, design effect"
            f" {decimal(paired.design_effect, 2)}"
        )
    enough = paired.power_at_gain >= plan.power
    sentences = [
        f"Compared with another policy on these {count(plan.tasks, 'task')} in"
        f" {count(plan.families, 'family', 'families')}, with {count(paired.samples, 'sample')} a task and"
        f" policy and the {plan.tests} tests, this design could detect a gain of"
        f" {points(paired.detectable_gain)} in pass@1 with power {level(plan.power)} (two-sided test at"
        f" {plan.alpha:g}).",
        f"The hoped-for gain of {wanted} would be seen with power {_chance(paired.power_at_gain)}"
        + (": enough." if enough else ": not enough."),
    ]
    if paired.families_needed is None or paired.tasks_needed is None:
        sentences.append("No number of families that was tried is enough for the hoped-for gain.")
    else:
        sentences.append(
            f"It needs {count(paired.families_needed, 'family', 'families')} of this kind (about"
            f" {count(paired.tasks_needed, 'task')}) at {count(paired.samples, 'sample')} each, or,"
            + (
                f" on the tasks as they are, {count(paired.samples_needed, 'sample')} each."
                if paired.samples_needed is not None
                else " on the tasks as they are, cannot be had by more samples: tasks differ too much."
            )
        )
    sentences.append(
        f"Assumed: the two policies' true rates correlate at {paired.correlation:g} over tasks (the"
        f" detectable gain is {listed(others)}). From the data: standard error of the difference"
        f" {points(paired.standard_error)}{within}."
    )
    return sentences


def _greedy(plan: PowerPlan, greedy: GreedyPlan) -> list[str]:
    start = (
        f"Greedy answers alone ({percent(greedy.accuracy)} right; families make {count(plan.tasks, 'task')}"
        f" worth {count(greedy.effective_tasks)} unrelated ones), by McNemar's mid-p test,"
    )
    if greedy.detectable_gain is None:
        sees = "could detect no gain, however large, with that power"
    else:
        sees = f"could detect a gain of {points(greedy.detectable_gain)}"
    if greedy.tasks_needed is None:
        needs = f"a gain of {points(plan.hoped_for_gain)} is out of reach"
    else:
        needs = f"a gain of {points(plan.hoped_for_gain)} needs about {count(greedy.tasks_needed, 'task')}"
    assumed = f"Assumed: the two policies' greedy outcomes correlate at {greedy.correlation:g}."
    return [f"{start} {sees}; {needs}.", assumed]


def _chance(power: float) -> str:
    """A power, never rounded up to certainty."""
    return f"above {percent(0.999)}" if power > 0.999 else percent(power)
