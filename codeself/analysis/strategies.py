"""Self-debug beside resampling: rates, budgets, and what revisions did. Traces in, numbers out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np

from codeself.analysis.budgets import Paired, budget_curve, right_within
from codeself.records.errors import InputError
from codeself.records.metrics import Estimate
from codeself.records.strategies import (
    Currency,
    PolicyGain,
    PolicyStrategies,
    RevisionRow,
    StrategyReport,
    StrategyUse,
)
from codeself.records.traces import STRATEGIES, Change, Strategy, Trace

_CHANGES: tuple[Change, ...] = ("unchanged", "cosmetic", "substantive")


def compare_strategies(
    traces: Sequence[Trace],
    *,
    taskset: str,
    split: str,
    confidence: float,
    resamples: int,
    seed: int,
) -> StrategyReport:
    """Every policy under both strategies, in the order in which policies first appear; gains are over the first.

    Raises InputError where traces do not belong together: other settings, an attempt twice, or one strategy's attempts
    without the other's.
    """
    by_policy = _by_policy(traces)
    pairs = {
        policy: Paired(own, confidence=confidence, resamples=resamples, seed=seed)
        for policy, own in by_policy.items()
    }
    one = traces[0]
    first, *others = pairs
    gains = [
        PolicyGain(
            policy=policy,
            over=first,
            strategy=strategy,
            difference=pairs[first].difference(
                *(pairs[name].values(strategy, lambda t: t.right) for name in (policy, first))
            ),
        )
        for policy in others
        for strategy in STRATEGIES
    ]
    return StrategyReport(
        taskset=taskset,
        split=split,
        tasks=len(pairs[first].tasks),
        families=len(set(pairs[first].families)),
        attempts=len({trace.attempt for trace in traces}),
        budget=one.budget,
        rule=one.rule,
        max_new_tokens=one.max_new_tokens,
        temperature=one.temperature,
        confidence=confidence,
        resamples=resamples,
        seed=seed,
        policies=tuple(_policy(policy, pair) for policy, pair in pairs.items()),
        gains=tuple(gains),
    )


def _by_policy(traces: Sequence[Trace]) -> dict[str, dict[Strategy, list[Trace]]]:
    if not traces:
        raise InputError("there is no trace to compare")
    one = traces[0]
    found: dict[str, dict[Strategy, list[Trace]]] = {}
    for trace in traces:
        for key in ("budget", "rule", "max_new_tokens", "temperature", "top_p"):
            if getattr(trace, key) != getattr(one, key):
                raise InputError(
                    f"trace '{trace.trace_id}': {key} is {getattr(trace, key)}, that of '{one.trace_id}'"
                    f" {getattr(one, key)}; strategies are compared under the same settings"
                )
        found.setdefault(trace.policy, {strategy: [] for strategy in STRATEGIES})[trace.strategy].append(
            trace
        )
    wanted = Counter((trace.task_id, trace.attempt) for trace in found[one.policy][one.strategy])
    for policy, own in found.items():
        for strategy, members in own.items():
            have = Counter((trace.task_id, trace.attempt) for trace in members)
            if have != wanted or max(have.values()) > 1:
                raise InputError(
                    f"policy '{policy}', strategy {strategy}: has {len(members)} traces; expected the same attempts as"
                    f" '{one.policy}' has under {one.strategy}, each once ({len(wanted)})"
                )
    return found


def _policy(policy: str, pair: Paired) -> PolicyStrategies:
    debugged, resampled = (pair.values(strategy, lambda t: t.right) for strategy in STRATEGIES)
    return PolicyStrategies(
        policy=policy,
        identity=pair.traces["self-debug"][0].identity,
        uses=tuple(_use(strategy, pair) for strategy in STRATEGIES),
        difference=pair.difference(debugged, resampled),
        curves=tuple(budget_curve(pair, currency) for currency in get_args(Currency)),
        revisions=_revisions(pair),
    )


def _use(strategy: Strategy, pair: Paired) -> StrategyUse:
    traces = pair.traces[strategy]
    passed = [trace for trace in traces if trace.ended == "passed"]
    return StrategyUse(
        strategy=strategy,
        attempts=len(traces),
        rate=pair.estimate(pair.values(strategy, lambda t: t.right)),
        covered=pair.estimate(pair.values(strategy, lambda t: any(step.correct for step in t.steps))),
        passed=len(passed) / len(traces),
        fooled=sum(not trace.right for trace in passed) / len(passed) if passed else None,
        answers=float(np.mean([len(trace.steps) for trace in traces])),
        executions=float(np.mean([trace.executions for trace in traces])),
        tokens=float(np.mean([trace.tokens for trace in traces])),
        prompt_tokens=float(np.mean([trace.prompt_tokens for trace in traces])),
        endings=dict(sorted(Counter(trace.ended for trace in traces).items())),
        later=_later(strategy, pair),
    )


def _later(strategy: Strategy, pair: Paired) -> Estimate | None:
    """The share of answers after the first that are right.

    Over answers, not over tasks: an attempt ends with the answer that passes, so that a task's own share is too high
    the fewer answers it has. Families are resampled with all of their answers.
    """
    answers = [(trace, step) for trace in pair.traces[strategy] for step in trace.steps[1:]]
    if not answers:
        return None
    outcomes = np.array([float(step.correct) for _, step in answers])
    families = [trace.family for trace, _ in answers]
    return pair.estimate(outcomes, families, len({trace.task_id for trace, _ in answers}))


def _revisions(pair: Paired) -> tuple[RevisionRow, ...]:
    rows = []
    traces: Mapping[Strategy, Sequence[Trace]] = pair.traces
    for number in range(1, max(len(trace.steps) for trace in traces["self-debug"])):
        reached = [trace.steps for trace in traces["self-debug"] if len(trace.steps) > number]
        redrawn = [trace.steps[number] for trace in traces["resample"] if len(trace.steps) > number]
        changes = Counter(steps[number].change for steps in reached)
        after, before = (
            pair.values("self-debug", lambda trace, most=most: right_within(trace, "answers", most))  # type: ignore[misc]
            for most in (number + 1, number)
        )
        whole = len(reached)
        rows.append(
            RevisionRow(
                number=number,
                reached=whole,
                changes={change: changes[change] / whole for change in _CHANGES},
                no_program=sum(steps[number].candidate.status != "parsed" for steps in reached) / whole,
                regressed=sum(s[number].public.passed < s[number - 1].public.passed for s in reached) / whole,
                passed=sum(steps[number].public.status == "passed" for steps in reached) / whole,
                right=sum(steps[number].correct for steps in reached) / whole,
                redrawn_right=sum(step.correct for step in redrawn) / len(redrawn) if redrawn else None,
                gain=pair.difference(after, before),
            )
        )
    return tuple(rows)
