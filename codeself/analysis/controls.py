"""What stands beside the tests: an arm's gain over base taken apart. Exploratory; no claim is made from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from codeself.analysis.comparison import Evaluated, sampled_p
from codeself.analysis.endings import ENDINGS, RIGHT, TaskEndings, gain_by_origin, transition_shares
from codeself.analysis.multiplicity import benjamini_hochberg
from codeself.analysis.paired import contrast
from codeself.records.comparisons import Controls, Difference, Elsewhere, Gap, Slice, Transitions
from codeself.records.digests import seed_from
from codeself.records.plan import Answers, Side

Array = NDArray[np.float64]
# What a policy sees or is paid for, against what it is not.
GAPS = (("public", "hidden"), ("hidden", "locked"))


def control(
    arm: Side,
    base: Side,
    answers: Answers,
    evaluated: Evaluated,
    endings: Mapping[str, Mapping[str, TaskEndings]],
) -> Controls:
    """One arm against the base. endings: of each policy, each task's."""
    ids = [row.task_id for row in evaluated.rows[base.policies[0]]]
    before, after = (_shares(side, ids, endings) for side in (base, arm))
    families = evaluated.families
    # Every part is linear in the arm's shares, so that seeds enter as its rows do in the gain itself.
    zero = np.zeros((1, len(ids)))
    parts = [np.stack([gain_by_origin(before[0], own)[part] for own in after]) for part in (0, 1)]
    gain = contrast(after[:, :, RIGHT], before[:, :, RIGHT], families)
    at_most = None
    if answers == "sampled":
        rates = [evaluated.values(side, answers) > 0 for side in (arm, base)]
        at_most = evaluated.difference(contrast(rates[0], rates[1], families), f"at-most-{arm.name}")
    present = [p for p in range(len(ENDINGS)) if before[:, :, p].any() or after[:, :, p].any()]
    moved = np.mean([transition_shares(before[0], own) for own in after], axis=0)
    return Controls(
        arm=arm.name,
        answers=answers,
        gain=evaluated.difference(gain, f"{arm.name}-over-{base.name}"),
        formatting=evaluated.difference(contrast(parts[0], zero, families), f"formatting-{arm.name}"),
        solving=evaluated.difference(contrast(parts[1], zero, families), f"solving-{arm.name}"),
        at_most=at_most,
        gaps=tuple(
            gap for names in GAPS if (gap := _gap(arm, base, names, ids, evaluated, endings)) is not None
        ),
        transitions=Transitions(
            classes=tuple(ENDINGS[place] for place in present),
            shares=tuple(tuple(float(moved[i, j]) for j in present) for i in present),
        ),
    )


def elsewhere(
    arms: Sequence[Side],
    base: Side,
    answers: Answers,
    evaluated: Evaluated,
    gains: Mapping[str, Difference],
    taskset: str,
    split: str,
) -> tuple[Elsewhere, ...]:
    """Each arm's gain on another task set. gains: each arm's on the planned tasks."""
    before = evaluated.values(base, answers)
    found = []
    for arm in arms:
        pair = contrast(evaluated.values(arm, answers), before, evaluated.families)
        difference, planned = evaluated.difference(pair, f"elsewhere-{arm.name}-{taskset}"), gains[arm.name]
        found.append(
            Elsewhere(
                arm=arm.name,
                taskset=taskset,
                split=split,
                tests=evaluated.tests,
                tasks=len(evaluated.families),
                families=len(set(evaluated.families)),
                before=float(before.mean()),
                difference=difference,
                survives=difference.value / planned.value if planned.low > 0 else None,
            )
        )
    return tuple(found)


def slices(
    arms: Sequence[Side],
    base: Side,
    answers: Answers,
    evaluated: Evaluated,
    by: str,
    parts: Mapping[str, str],
) -> tuple[Slice, ...]:
    """Each arm's gain over base on each part of the tasks. parts: each task's part, by task id; `by` names what
    it is. Benjamini-Hochberg's adjustment over all of them together.
    """
    rows = evaluated.rows[base.policies[0]]
    found = []
    for arm in arms:
        values, before = evaluated.values(arm, answers), evaluated.values(base, answers)
        for name in sorted(set(parts.values())):
            mine = [place for place, row in enumerate(rows) if parts.get(row.task_id) == name]
            if not mine:
                continue
            families = [evaluated.families[place] for place in mine]
            pair = contrast(values[:, mine], before[:, mine], families)
            counts = (
                [1]
                if answers == "greedy"
                else [
                    evaluated.rows[policy][place].samples
                    for side in (arm, base)
                    for policy in side.policies
                    for place in mine
                ]
            )
            label = f"slice-{arm.name}-{name}"
            p, _ = sampled_p(pair, counts, evaluated.resamples, seed_from(label, evaluated.seed))
            found.append(
                Slice(
                    arm=arm.name,
                    by=by,
                    name=name,
                    tasks=len(mine),
                    families=len(set(families)),
                    before=float(before[:, mine].mean()),
                    difference=evaluated.difference(pair, label),
                    p=p,
                    p_adjusted=1.0,
                )
            )
    adjusted = benjamini_hochberg([each.p for each in found])
    return tuple(
        each.model_copy(update={"p_adjusted": float(p)}) for each, p in zip(found, adjusted, strict=True)
    )


def _shares(side: Side, ids: Sequence[str], endings: Mapping[str, Mapping[str, TaskEndings]]) -> Array:
    """(seeds, tasks, endings)"""
    return np.array([[endings[policy][task_id].shares for task_id in ids] for policy in side.policies])


def _gap(
    arm: Side,
    base: Side,
    names: tuple[str, str],
    ids: Sequence[str],
    evaluated: Evaluated,
    endings: Mapping[str, Mapping[str, TaskEndings]],
) -> Gap | None:
    """Over the tasks that have tests of both kinds; None where there is none."""
    mine = [
        place
        for place, task_id in enumerate(ids)
        if all(endings[base.policies[0]][task_id].passed[name] is not None for name in names)
    ]
    if not mine:
        return None
    sides = []
    for side in (arm, base):
        rows = []
        for policy in side.policies:
            passed = [endings[policy][ids[place]].passed for place in mine]
            rows.append([(each[names[0]] or 0.0) - (each[names[1]] or 0.0) for each in passed])
        sides.append(np.array(rows))
    pair = contrast(sides[0], sides[1], [evaluated.families[place] for place in mine])
    name = f"{names[0]} to {names[1]}"
    return Gap(
        name=name,
        before=float(sides[1].mean()),
        after=float(sides[0].mean()),
        change=evaluated.difference(pair, f"gap-{arm.name}-{name}"),
        tasks=len(mine),
    )
