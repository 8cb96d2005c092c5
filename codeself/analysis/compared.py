"""A whole comparison: every declared test, and the controls beside them, from rows and endings that belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codeself.analysis.comparison import Evaluated, gather, judge_endpoints, side_rates
from codeself.analysis.controls import control, elsewhere, slices
from codeself.analysis.endings import TaskEndings
from codeself.records.comparisons import ComparisonDigests, Comparisons, Elsewhere, TrainingFact
from codeself.records.locked_reads import LockedReads
from codeself.records.metrics import SamplingFacts, TaskRow
from codeself.records.plan import Plan

Tables = Mapping[str, Sequence[TaskRow]]


def compare(
    plan: Plan,
    evaluated: Evaluated,
    endings: Mapping[str, Mapping[str, TaskEndings]],
    *,
    by: str,
    parts: Mapping[str, str],
    others: Mapping[tuple[str, str], Tables],
    sampling: SamplingFacts,
    training: tuple[TrainingFact, ...],
    locked_reads: tuple[LockedReads, ...],
    inputs: ComparisonDigests,
) -> Comparisons:
    """endings: of each policy, each task's. by, parts: as in controls.slices. others: each policy's rows on each
    other task set and split.
    """
    base, arms, answers = plan.base_side, plan.arms, plan.answers
    controls = tuple(control(arm, base, answers, evaluated, endings) for arm in arms)
    gains = {each.arm: each.gain for each in controls}
    shown: list[Elsewhere] = []
    for (taskset, split), tables in others.items():
        locked = all(row.right_locked is not None for rows in tables.values() for row in rows)
        there = gather(plan, "locked" if locked else "hidden", tables)
        shown += elsewhere(arms, base, answers, there, gains, taskset, split)
    return Comparisons(
        taskset=plan.design.taskset,
        split=plan.design.split,
        tests=evaluated.tests,
        tasks=len(evaluated.families),
        families=len(set(evaluated.families)),
        sampling=sampling,
        training=training,
        locked_reads=locked_reads,
        sides=tuple(side_rates(side, plan, evaluated) for side in (base, *arms)),
        endpoints=judge_endpoints(plan, evaluated),
        controls=controls,
        slices=slices(arms, base, answers, evaluated, by, parts),
        elsewhere=tuple(shown),
        inputs=inputs,
    )
