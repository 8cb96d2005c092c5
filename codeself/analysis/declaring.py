"""The declaration of a comparison: its endpoints, and what this very design could see of each.

The base's rates on the dev split say how much tasks differ; families, tasks and samples are those of the split
that will be judged. Nothing of that split's answers is known here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from codeself.analysis import mcnemar, power
from codeself.analysis.intervals import design_effect, largest_design_effect
from codeself.analysis.planning import CORRELATION, GREEDY_CORRELATION
from codeself.records.errors import InputError
from codeself.records.metrics import TaskRow, TestKind
from codeself.records.plan import (
    Answers,
    BaseRates,
    Design,
    Endpoint,
    Needed,
    PlannedPower,
    Role,
    Side,
    TestName,
)
from codeself.records.planning import PlanConfig

BASE = "base"
# Arms whose reward does not say whether an answer is right. The first is the one that gains are compared with.
PLACEBOS = ("random-reward", "format-reward")


@dataclass(frozen=True)
class Strictness:
    """How strictly an endpoint will be tested, and for which gain."""

    alpha: float
    power: float
    gain: float
    endpoints: int


def describe_design(
    taskset: str, split: str, families: Sequence[str], *, samples: int, greedy: bool
) -> Design:
    """families: of each task of the split to be judged."""
    if not families:
        raise InputError(f"split '{split}' of task set '{taskset}' has no task; there is nothing to plan for")
    sizes = np.unique(families, return_counts=True)[1].astype(np.float64)
    return Design(
        taskset=taskset,
        split=split,
        tasks=len(families),
        families=sizes.size,
        family_size=largest_design_effect(sizes),
        samples=samples,
        greedy=greedy,
    )


def base_rates(rows: Sequence[TaskRow], split: str) -> BaseRates:
    """What the base's rows of one split say about how much tasks, families and answers differ."""
    tests: TestKind = "locked" if all(row.right_locked is not None for row in rows) else "hidden"
    sampled = [row for row in rows if row.samples >= 2]
    families = [row.family for row in sampled]
    parts = None
    if len(set(families)) >= 2:
        right = [(row.right_locked or 0) if tests == "locked" else row.right_hidden for row in sampled]
        parts = power.variance_components([row.samples for row in sampled], right, families)
    answers = [(row, row.greedy_locked if tests == "locked" else row.greedy_hidden) for row in rows]
    known = [(row.family, float(answer)) for row, answer in answers if answer is not None]
    return BaseRates(
        split=split,
        tests=tests,
        tasks=len(rows),
        families=len({row.family for row in rows}),
        mean_rate=parts.mean if parts else None,
        between_family=parts.between_family if parts else None,
        within_family=parts.within_family if parts else None,
        sampling=parts.sampling if parts else None,
        greedy_accuracy=float(np.mean([answer for _, answer in known])) if known else None,
        greedy_design_effect=design_effect([a for _, a in known], [f for f, _ in known]) if known else None,
        correlation=CORRELATION,
        greedy_correlation=GREEDY_CORRELATION,
    )


def declare(
    arms: Sequence[str],
    policies: Mapping[str, Sequence[str]],
    design: Design,
    rates: BaseRates,
    tests: TestKind,
    config: PlanConfig,
    gain: float,
) -> tuple[Endpoint, ...]:
    """Every endpoint, in the order in which the report shows them.

    policies: of each arm, one for each training seed. For each arm that is no placebo: the gain of its sampled
    answers over the base, over each placebo arm that is there, and of its greedy answers over the base. For each
    placebo, where controls are wanted: the gain over the base.
    """
    wanted: list[tuple[Role, Answers, str, str]] = []
    placebos = [name for name in PLACEBOS if name in arms]
    real = [name for name in arms if name not in PLACEBOS]
    for arm in real:
        if design.samples:
            wanted.append(("gain", "sampled", arm, BASE))
            wanted += [("placebo", "sampled", arm, placebo) for placebo in placebos]
        if design.greedy and (config.greedy or not design.samples):
            wanted.append(("gain", "greedy", arm, BASE))
    if config.controls or not real:
        wanted += [("control", "sampled" if design.samples else "greedy", arm, BASE) for arm in placebos]
    strictness = Strictness(config.alpha, config.power, gain, len(wanted))
    endpoints = []
    for role, answers, arm, comparator in wanted:
        sides = [
            Side(name=name, policies=(BASE,) if name == BASE else tuple(policies[name]))
            for name in (arm, comparator)
        ]
        plan = planned_sampled if answers == "sampled" else planned_greedy
        runs = (len(sides[0].policies), len(sides[1].policies))
        # Unrelated tasks and one run: McNemar's own case.
        lone = design.families == design.tasks and runs == (1, 1)
        test: TestName = "mcnemar-mid-p" if answers == "greedy" and lone else "sign-flip-family"
        endpoints.append(
            Endpoint(
                name=f"{arm}-over-{comparator}" + ("-greedy" if answers == "greedy" else ""),
                role=role,
                answers=answers,
                arm=sides[0],
                comparator=sides[1],
                taskset=design.taskset,
                split=design.split,
                tests=tests,
                test=test,
                planned=plan(rates, design, runs, strictness),
            )
        )
    return tuple(endpoints)


def planned_sampled(
    rates: BaseRates, design: Design, runs: tuple[int, int], strictness: Strictness
) -> PlannedPower | None:
    """Power of the paired difference of pass rates. None where the base's rates cannot tell."""
    known = _known(rates)
    if known is None or not design.samples:
        return None
    shape = _shape(design, rates, runs)
    error = math.sqrt(power.difference_variance(known, shape))
    first = strictness.alpha / strictness.endpoints
    seen = [
        power.detectable_effect(error, design.families, alpha=alpha, power=strictness.power)
        for alpha in (strictness.alpha, first)
    ]
    return PlannedPower(
        standard_error=error,
        detectable=seen[0] if math.isfinite(seen[0]) else None,
        power_at_gain=power.paired_power(strictness.gain, error, design.families, strictness.alpha),
        detectable_first_step=seen[1] if math.isfinite(seen[1]) else None,
        power_first_step=power.paired_power(strictness.gain, error, design.families, first),
    )


def planned_greedy(
    rates: BaseRates, design: Design, runs: tuple[int, int], strictness: Strictness
) -> PlannedPower | None:
    """Power of McNemar's mid-p test at the effective number of tasks, as if each side had one run."""
    if rates.greedy_accuracy is None or rates.greedy_design_effect is None:
        return None
    accuracy, assumed = rates.greedy_accuracy, rates.greedy_correlation
    # The dev split's families may be smaller or larger than those to be judged.
    effect = min(rates.greedy_design_effect, design.family_size)
    tasks = max(1, math.floor(design.tasks / effect + 1e-9))
    alphas = (strictness.alpha, strictness.alpha / strictness.endpoints)
    seen = [
        mcnemar.mcnemar_detectable_gain(tasks, accuracy, assumed, alpha=alpha, power=strictness.power)
        for alpha in alphas
    ]
    chances: list[float | None] = [None, None]
    if accuracy + strictness.gain <= 1:
        shares = mcnemar.discordant_shares(accuracy, strictness.gain, assumed)
        chances = [mcnemar.mcnemar_power(tasks, *shares, alpha=alpha) for alpha in alphas]
    return PlannedPower(
        standard_error=None,
        detectable=seen[0],
        power_at_gain=chances[0],
        detectable_first_step=seen[1],
        power_first_step=chances[1],
    )


def needed(rates: BaseRates, design: Design, strictness: Strictness) -> Needed | None:
    """Families, tasks or samples that a first gain over the base would need, at the declared alpha."""
    known = _known(rates)
    if known is None or not design.samples:
        return None
    shape = _shape(design, rates, (1, 1))
    families = power.families_needed(
        known, shape, strictness.gain, alpha=strictness.alpha, power=strictness.power
    )
    return Needed(
        families=families,
        tasks=None if families is None else math.ceil(families * design.tasks / design.families),
        samples=power.samples_needed(
            known, shape, strictness.gain, alpha=strictness.alpha, power=strictness.power
        ),
    )


def _known(rates: BaseRates) -> power.Components | None:
    parts = (rates.mean_rate, rates.between_family, rates.within_family, rates.sampling)
    if any(part is None for part in parts):
        return None
    return power.Components(*(part for part in parts if part is not None))


def _shape(design: Design, rates: BaseRates, runs: tuple[int, int]) -> power.Design:
    """The design with the harmonic mean of both sides' samples a task, all runs together."""
    one = power.Design(
        families=design.families,
        tasks=design.tasks,
        family_size=design.family_size,
        samples=design.samples,
        correlation=rates.correlation,
    )
    return replace(one, samples=2 * design.samples / (1 / runs[0] + 1 / runs[1]))
