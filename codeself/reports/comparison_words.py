"""The plan in sentences: what is tested, and which effects this design could see."""

from __future__ import annotations

from collections.abc import Sequence

from codeself.records.metrics import SamplingFacts
from codeself.records.plan import BaseRates, Design, Endpoint, Needed, Plan
from codeself.reports.numbers import count, decimal, level, listed, percent, points

TESTS = {
    "sign-flip-family": "sign-flip test over families",
    "mcnemar-mid-p": "McNemar's mid-p test",
}


def plan_words(plan: Plan) -> tuple[str, ...]:
    """The plan's paragraphs; what is assumed stands beside what follows from it."""
    return (
        _what(plan.design, plan.endpoints, plan.alpha),
        _seen(
            plan.design,
            plan.rates,
            plan.endpoints,
            alpha=plan.alpha,
            power=plan.power,
            gain=plan.hoped_for_gain,
        ),
        _needed(plan.design, plan.needed, power=plan.power, gain=plan.hoped_for_gain),
        f"A difference is called unchanged only where its whole interval lies within {points(plan.margin)} of 0.",
    )


def drawn_how(how: SamplingFacts) -> str:
    """How every policy's answers were drawn, in a few words."""
    kinds = []
    if how.samples:
        kinds.append(
            f"{count(how.samples, 'sample')} a task at temperature {how.temperature:g} (`top_p` {how.top_p:g})"
        )
    if how.greedy:
        kinds.append("one greedy answer a task")
    return f"{listed(kinds)}, up to {count(how.max_new_tokens, 'token')} each, to prompt `{how.prompt_name}`"


def endpoint_title(endpoint: Endpoint) -> str:
    """An endpoint in a few words, with names as code."""
    answers = "greedy answers" if endpoint.answers == "greedy" else "sampled pass rate"
    return f"`{endpoint.arm.name}` against `{endpoint.comparator.name}`, {answers}"


def _what(design: Design, endpoints: Sequence[Endpoint], alpha: float) -> str:
    tests = listed([TESTS[name] for name in dict.fromkeys(point.test for point in endpoints)])
    kinds = listed(list(dict.fromkeys(point.tests for point in endpoints)))
    seeds = {len(point.arm.policies) for point in endpoints}
    runs = listed([count(number, "training run") for number in sorted(seeds)])
    return (
        f"{count(len(endpoints), 'endpoint is', 'endpoints are')} declared, on"
        f" {count(design.tasks, 'task')} in {count(design.families, 'family', 'families')}, the"
        f" {design.split} split of `{design.taskset}`, by the {kinds} tests: each asks, two-sided, whether the"
        f" mean difference over tasks is 0 ({tests}). Each arm has {runs}. Holm's adjustment over all of them"
        f" keeps the chance of any false claim at {level(alpha)}."
    )


def _seen(
    design: Design,
    rates: BaseRates,
    endpoints: Sequence[Endpoint],
    *,
    alpha: float,
    power: float,
    gain: float,
) -> str:
    sentences = []
    sampled = next((p for p in endpoints if p.answers == "sampled" and p.planned), None)
    if sampled is not None and sampled.planned is not None and rates.mean_rate is not None:
        planned = sampled.planned
        sentences.append(
            f"From the base's rates on the {rates.split} split ({percent(rates.mean_rate)} of samples right on"
            f" {count(rates.tasks, 'task')} in {count(rates.families, 'family', 'families')}, {rates.tests}"
            f" tests), {count(design.samples, 'sample')} a task and policy detect a gain of"
            f" {_effect(planned.detectable)} over the base with power {level(power)} at {alpha:g}, and of"
            f" {_effect(planned.detectable_first_step)} at Holm's strictest step, if the two policies' true"
            f" rates correlate at {rates.correlation:g} over tasks; the standard error is then"
            f" {points(planned.standard_error or 0.0)}. The hoped-for gain of {points(gain)} is seen with power"
            f" {chance(planned.power_at_gain)}, and {chance(planned.power_first_step)} at the strictest step."
        )
        if len(sampled.arm.policies) > 1:
            sentences.append("How much training runs differ is not known before, and no part of this.")
    else:
        sentences.append(
            f"The base's rates on the {rates.split} split cannot tell what sampled rates would show: that"
            " takes two families and two samples a task."
        )
    greedy = next((point for point in endpoints if point.answers == "greedy" and point.planned), None)
    if greedy is not None and greedy.planned is not None and rates.greedy_accuracy is not None:
        sentences.append(
            f"Greedy answers, {percent(rates.greedy_accuracy)} right there, detect a gain of"
            f" {_effect(greedy.planned.detectable)} (strictest step:"
            f" {_effect(greedy.planned.detectable_first_step)}), if outcomes correlate at"
            f" {rates.greedy_correlation:g}; families make these tasks worth"
            f" {decimal(design.tasks / min(rates.greedy_design_effect or 1.0, design.family_size), 0)} unrelated"
            " ones."
        )
    return " ".join(sentences)


def _needed(design: Design, wanted: Needed | None, *, power: float, gain: float) -> str:
    if wanted is None:
        return "What a hoped-for gain would need cannot be told from these rates."
    start = f"To see {points(gain)} with power {level(power)} takes"
    if wanted.families is None or wanted.tasks is None:
        families = f"{start} more families than any number that was tried"
    else:
        families = (
            f"{start} {count(wanted.families, 'family', 'families')} of this kind (about"
            f" {count(wanted.tasks, 'task')}; the split has {count(design.families)})"
        )
    if wanted.samples is None:
        return f"{families}; on the tasks as they are no number of samples is enough."
    return f"{families}, or, on the tasks as they are, {count(wanted.samples, 'sample')} a task and policy."


def _effect(size: float | None) -> str:
    return "no size" if size is None else points(size)


def chance(power: float | None) -> str:
    """A power, never rounded up to certainty."""
    if power is None:
        return "none"
    return f"above {percent(0.999)}" if power > 0.999 else percent(power)
