"""The declared tests of a plan, all of them at once: evaluated policies in, results out.

Two policies are paired by task. A task that one of them lacks, or a task left without an answer by a fault of the
judge, is an error: a difference over the rest would not be the declared one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codeself.analysis import power
from codeself.analysis.improvement import interquartile_mean, probability_of_improvement
from codeself.analysis.intervals import Interval
from codeself.analysis.mcnemar import mcnemar_p_value
from codeself.analysis.multiplicity import holm
from codeself.analysis.outcomes import Settings, estimate_mean, estimate_share
from codeself.analysis.paired import Contrast, contrast, paired_interval, standard_error
from codeself.analysis.paired_proportions import newcombe, tango
from codeself.analysis.pass_at_k import pass_at_k
from codeself.analysis.sign_flips import common_unit, sign_flip_p
from codeself.records.comparisons import Difference, Discordant, EndpointResult, SideRates
from codeself.records.digests import seed_from
from codeself.records.errors import InputError
from codeself.records.metrics import TaskRow, TestKind
from codeself.records.plan import Answers, Endpoint, Plan, Side

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Evaluated:
    """The rows of every policy, in the same order of tasks, and how intervals are to be made."""

    tests: TestKind
    families: tuple[str, ...]
    rows: Mapping[str, Sequence[TaskRow]]
    confidence: float
    resamples: int
    seed: int

    def values(self, side: Side, answers: Answers) -> Array:
        """(seeds, tasks): pass rates, or greedy answers as 0 and 1."""
        return np.array([[self._value(row, answers) for row in self.rows[name]] for name in side.policies])

    def _value(self, row: TaskRow, answers: Answers) -> float:
        locked = self.tests == "locked"
        if answers == "greedy":
            answer = row.greedy_locked if locked else row.greedy_hidden
            if answer is None:
                raise InputError(f"task '{row.task_id}' has no greedy answer by the {self.tests} tests")
            return float(answer)
        right = row.right_locked if locked else row.right_hidden
        if not row.samples or right is None:
            raise InputError(
                f"task '{row.task_id}' has no sampled answer by the {self.tests} tests; every task of the"
                " plan needs one"
            )
        return right / row.samples

    def difference(self, pair: Contrast, name: str) -> Difference:
        found = paired_interval(
            pair,
            confidence=self.confidence,
            resamples=self.resamples,
            seed=seed_from("difference", self.seed, name),
        )
        return as_difference(pair.estimate, found)


def as_difference(value: float, found: Interval) -> Difference:
    return Difference(value=value, low=found.low, high=found.high, method=found.method)


def gather(plan: Plan, tests: TestKind, tables: Mapping[str, Sequence[TaskRow]]) -> Evaluated:
    """The rows of every policy that the plan compares, brought into one order of tasks.

    Raises InputError when a policy is missing, or when two have different tasks.
    """
    wanted = plan.policies
    if missing := [name for name in wanted if name not in tables]:
        raise InputError(
            f"the plan compares policy '{missing[0]}', which has no metrics here; given: {', '.join(tables)}"
        )
    first, *_ = wanted
    order = {row.task_id: row.family for row in sorted(tables[first], key=lambda row: row.task_id)}
    if not order:
        raise InputError(f"policy '{first}' has no task; there is nothing to compare")
    rows = {}
    for name in wanted:
        own = {row.task_id: row for row in tables[name]}
        if own.keys() != order.keys():
            odd = sorted(own.keys() ^ order.keys())[0]
            having, lacking = (name, first) if odd in own else (first, name)
            raise InputError(
                f"policy '{having}' has task '{odd}' and policy '{lacking}' has not; policies are compared"
                " on the same tasks"
            )
        rows[name] = [own[task_id] for task_id in order]
    families = tuple(order.values())
    return Evaluated(tests, families, rows, plan.confidence, plan.resamples, plan.seed)


def judge_endpoints(plan: Plan, evaluated: Evaluated) -> tuple[EndpointResult, ...]:
    """Every declared endpoint, tested as declared, Holm's adjustment over all of them."""
    results = [_test(endpoint, plan, evaluated) for endpoint in plan.endpoints]
    adjusted = holm([result.p for result in results])
    judged = []
    for result, p in zip(results, adjusted, strict=True):
        found, endpoint = result.difference, result.endpoint
        seeds = max(len(endpoint.arm.policies), len(endpoint.comparator.policies))
        apart = (found.low > 0 if found.value > 0 else found.high < 0) if seeds > 1 else True
        judged.append(
            result.model_copy(update={"p_adjusted": float(p), "significant": bool(p <= plan.alpha) and apart})
        )
    return tuple(judged)


def side_rates(side: Side, plan: Plan, evaluated: Evaluated) -> SideRates:
    """One side's own rates, as its own evaluation gives them. Several seeds are averaged task by task."""
    families, design = evaluated.families, plan.design
    settings = Settings(
        taskset=design.taskset,
        split=design.split,
        k=(),
        confidence=plan.confidence,
        resamples=plan.resamples,
        hoped_for_gain=plan.hoped_for_gain,
        seed=plan.seed,
    )
    rates = solved = None
    if design.samples:
        rates = evaluated.values(side, "sampled")
        # The same rates, rounded as pass@1 is: an interval looks at which replicates tie with its estimate.
        counts = np.array([[row.samples for row in evaluated.rows[name]] for name in side.policies])
        solved = pass_at_k(counts, np.rint(rates * counts), 1).mean(axis=0)
    greedy = None
    if design.greedy:
        answers = evaluated.values(side, "greedy")
        estimate = estimate_share if len(answers) == 1 else estimate_mean
        greedy = estimate(answers.mean(axis=0), families, settings)
    return SideRates(
        name=side.name,
        policies=side.policies,
        sampled=estimate_mean(solved, families, settings) if solved is not None else None,
        greedy=greedy,
        at_most=estimate_mean((rates > 0).mean(axis=0), families, settings) if rates is not None else None,
        middle=interquartile_mean(rates) if rates is not None else None,
        by_seed=tuple(float(row.mean()) for row in rates) if rates is not None else (),
    )


def sampled_p(pair: Contrast, samples: Sequence[int], resamples: int, seed: int) -> tuple[float, str]:
    """The sign-flip p of a contrast of pass rates over so many samples a task."""
    runs = math.lcm(len(pair.first), len(pair.second))
    return sign_flip_p(pair.difference, unit=common_unit(samples, runs), resamples=resamples, seed=seed)


def _test(endpoint: Endpoint, plan: Plan, evaluated: Evaluated) -> EndpointResult:
    first, second = (evaluated.values(s, endpoint.answers) for s in (endpoint.arm, endpoint.comparator))
    pair = contrast(first, second, evaluated.families)
    seed = seed_from("sign-flips", plan.seed, endpoint.name)
    counts = _discordant(first, second, plan.confidence) if endpoint.answers == "greedy" else None
    if endpoint.test == "mcnemar-mid-p":
        if counts is None or len(first) != 1 or len(second) != 1:
            raise InputError(f"endpoint '{endpoint.name}': McNemar's test takes one greedy answer a task")
        p, method = counts.p_mid, "exact"
    else:
        samples = (
            [1]
            if endpoint.answers == "greedy"
            else [
                row.samples
                for side in (endpoint.arm, endpoint.comparator)
                for name in side.policies
                for row in evaluated.rows[name]
            ]
        )
        p, method = sampled_p(pair, samples, plan.resamples, seed)
    difference = evaluated.difference(pair, endpoint.name)
    if counts is not None and endpoint.test == "mcnemar-mid-p":
        difference = counts.interval
    error = standard_error(pair)
    return EndpointResult(
        endpoint=endpoint,
        difference=difference,
        standard_error=error if math.isfinite(error) else None,
        p=p,
        p_method=method,
        p_adjusted=1.0,
        significant=False,
        detectable=_detectable(endpoint, plan, error, len(pair.sizes)),
        better=probability_of_improvement(first, second),
        tasks=len(evaluated.families),
        families=len(pair.sizes),
        discordant=counts,
    )


def _detectable(endpoint: Endpoint, plan: Plan, error: float, families: int) -> float | None:
    """What this test could see at Holm's first step: as planned, or as measured where that is more."""
    if not math.isfinite(error):
        return None
    measured = power.detectable_effect(
        error, families, alpha=plan.alpha / len(plan.endpoints), power=plan.power
    )
    planned = endpoint.planned.detectable_first_step if endpoint.planned else None
    found = max(measured, planned or 0.0)
    return found if found <= 1 else None


def _discordant(first: Array, second: Array, confidence: float) -> Discordant:
    """Greedy answers, one by one: over every pair of a seed of the one side and a seed of the other."""
    arm, other = (side.astype(bool) for side in (first, second))
    pairs = [(a, b) for a in arm for b in other]
    both = sum(int(np.sum(a & b)) for a, b in pairs)
    won = sum(int(np.sum(a & ~b)) for a, b in pairs)
    lost = sum(int(np.sum(~a & b)) for a, b in pairs)
    neither = sum(int(np.sum(~a & ~b)) for a, b in pairs)
    value = (won - lost) / (both + won + lost + neither)
    return Discordant(
        both=both,
        lost=lost,
        won=won,
        neither=neither,
        p_exact=mcnemar_p_value(lost, won, mid=False),
        p_mid=mcnemar_p_value(lost, won),
        interval=as_difference(value, newcombe(both, lost, won, neither, confidence=confidence)),
        tango=as_difference(value, tango(both, lost, won, neither, confidence=confidence)),
    )
