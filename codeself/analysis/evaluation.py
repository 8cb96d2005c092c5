"""An evaluation: graded rollouts in, Metrics and per-task rows out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from codeself.analysis.matching import Graded
from codeself.analysis.outcomes import Settings, estimate_mean, outcomes_by
from codeself.analysis.planning import plan_power
from codeself.records.errors import InputError
from codeself.records.metrics import (
    InputDigests,
    Lengths,
    Metrics,
    ParseFailures,
    PhaseCount,
    RewardSummary,
    SamplingFacts,
    TaskRow,
    TestKind,
)
from codeself.records.rollouts import Rollout
from codeself.records.verdicts import PHASES, Verdict

HISTOGRAM_BINS = 16


def evaluate(
    graded: Sequence[Graded],
    infrastructure: Sequence[Graded],
    rewards: Sequence[float],
    reward_name: str,
    settings: Settings,
    inputs: InputDigests,
) -> tuple[Metrics, list[TaskRow]]:
    """All metrics of one evaluation.

    graded: rollouts with a full verdict, ordered by task; rewards: one for each. infrastructure: those that a
    fault of ours left without one, which are counted and enter no rate.
    """
    if not graded:
        raise InputError("every verdict is an infrastructure fault; there is nothing to evaluate")
    rollouts = [item.rollout for item in (*graded, *infrastructure)]
    first = rollouts[0]
    rows = _task_rows(graded, infrastructure)
    drawn = max(Counter(r.task_id for r in rollouts if r.decoding == "sampled").values(), default=0)
    kinds: list[TestKind] = (
        ["hidden", "locked"] if any(row.right_locked is not None for row in rows) else ["hidden"]
    )
    outcomes = tuple(outcomes_by(kind, rows, drawn, settings) for kind in kinds)
    headline: TestKind = (
        "locked" if outcomes[-1].tests == "locked" and outcomes[-1].tasks == len(rows) else "hidden"
    )
    sampled = next((r for r in rollouts if r.decoding == "sampled"), None)
    parsed = [float(item.verdict.candidate.status != "parsed") for item in graded]
    metrics = Metrics(
        taskset=settings.taskset,
        split=settings.split,
        policy=first.policy,
        identity=first.identity,
        sampling=SamplingFacts(
            samples=drawn,
            greedy=any(rollout.decoding == "greedy" for rollout in rollouts),
            temperature=sampled.temperature if sampled else None,
            top_p=sampled.top_p if sampled else None,
            max_new_tokens=first.max_new_tokens,
            prompt_name=first.prompt_name,
            prompt_style=first.prompt_style,
            prompt_digest=first.prompt_digest,
        ),
        confidence=settings.confidence,
        resamples=settings.resamples,
        seed=settings.seed,
        tasks=len(rows),
        families=len({row.family for row in rows}),
        completions=len(rollouts),
        infrastructure=len(infrastructure),
        isolation=dict(sorted(Counter(item.verdict.isolation for item in graded).items())),
        headline=headline,
        outcomes=outcomes,
        parse_failures=ParseFailures(
            rate=estimate_mean(*_task_means(graded, parsed), settings),
            reasons=dict(
                sorted(Counter(s for g in graded if (s := g.verdict.candidate.status) != "parsed").items())
            ),
        ),
        phases=_phase_table([*graded, *infrastructure]),
        passed_public_only=sum(_passed_public_only(item.verdict) for item in graded),
        scan_findings=dict(sorted(Counter(f.rule for item in graded for f in item.verdict.findings).items())),
        reward=RewardSummary(
            name=reward_name, candidates=len(rewards), mean=float(np.mean(rewards)), sd=float(np.std(rewards))
        ),
        lengths=_lengths(rollouts),
        power=plan_power(rows, headline, settings.hoped_for_gain),
        inputs=inputs,
    )
    return metrics, rows


def is_right(item: Graded, tests: TestKind) -> bool:
    """Whether a candidate counts as right.

    On hidden tests: it passed every public and hidden one. On locked tests: it passed those as well, so a
    candidate that an earlier phase stopped is wrong. Raises InputError where a right candidate's locked tests
    were not run.
    """
    if tests == "hidden" or not item.verdict.correct:
        return item.verdict.correct
    if item.verdict.correct_locked is None:
        raise InputError(
            f"rollout '{item.rollout.rollout_id}': task '{item.task.task_id}' has locked tests, which this"
            " verdict lacks while others have theirs; judge all of them with locked tests, or none"
        )
    return item.verdict.correct_locked


def _task_rows(graded: Sequence[Graded], infrastructure: Sequence[Graded]) -> list[TaskRow]:
    # Locked tests count as run when any verdict shows them; a wrong candidate may have been stopped before.
    locked_run = any(item.verdict.correct_locked is not None for item in graded)
    lost = Counter(item.task.task_id for item in infrastructure)
    by_task: dict[str, list[Graded]] = {}
    for item in graded:
        by_task.setdefault(item.task.task_id, []).append(item)
    rows = []
    for task_id, items in by_task.items():
        locked = locked_run and bool(items[0].task.locked_tests)
        sampled = [item for item in items if item.rollout.decoding == "sampled"]
        greedy = next((item for item in items if item.rollout.decoding == "greedy"), None)
        right = sum(is_right(item, "hidden") for item in sampled)
        rows.append(
            TaskRow(
                task_id=task_id,
                family=items[0].task.family,
                greedy_hidden=is_right(greedy, "hidden") if greedy else None,
                greedy_locked=is_right(greedy, "locked") if greedy and locked else None,
                samples=len(sampled),
                right_hidden=right,
                right_locked=sum(is_right(item, "locked") for item in sampled) if locked else None,
                informative=0 < right < len(sampled) if sampled else None,
                parse_failures=sum(item.verdict.candidate.status != "parsed" for item in items),
                truncated=sum(item.rollout.finish_reason == "length" for item in items),
                mean_tokens=float(np.mean([item.rollout.completion_tokens for item in items])),
                infrastructure=lost[task_id],
            )
        )
    return rows


def _task_means(graded: Sequence[Graded], values: Sequence[float]) -> tuple[list[float], list[str]]:
    by_task: dict[str, list[float]] = {}
    family = {}
    for item, value in zip(graded, values, strict=True):
        by_task.setdefault(item.task.task_id, []).append(value)
        family[item.task.task_id] = item.task.family
    return [float(np.mean(own)) for own in by_task.values()], [family[task_id] for task_id in by_task]


def _phase_table(graded: Sequence[Graded]) -> tuple[PhaseCount, ...]:
    counts = Counter((item.verdict.decided_by, item.verdict.status, item.rollout.decoding) for item in graded)
    cells = sorted({(phase, status) for phase, status, _ in counts}, key=lambda c: (PHASES.index(c[0]), c[1]))
    return tuple(
        PhaseCount(
            phase=phase,
            status=status,
            greedy=counts[(phase, status, "greedy")],
            sampled=counts[(phase, status, "sampled")],
        )
        for phase, status in cells
    )


def _passed_public_only(verdict: Verdict) -> bool:
    public = verdict.phases.get("public")
    hidden = verdict.phases.get("hidden")
    return (
        public is not None and public.status == "passed" and hidden is not None and hidden.status != "passed"
    )


def _lengths(rollouts: Sequence[Rollout]) -> Lengths:
    tokens = np.array([rollout.completion_tokens for rollout in rollouts], dtype=np.int64)
    top = max(int(tokens.max()), 1)
    width = -(-top // HISTOGRAM_BINS)
    edges = np.arange(0, top + width, width)
    counts, _ = np.histogram(tokens, bins=edges)
    return Lengths(
        completions=len(rollouts),
        mean=float(tokens.mean()),
        median=float(np.median(tokens)),
        p90=float(np.quantile(tokens, 0.9)),
        longest=int(tokens.max()),
        truncated=sum(rollout.finish_reason == "length" for rollout in rollouts),
        edges=tuple(int(edge) for edge in edges),
        histogram=tuple(int(count) for count in counts),
    )
