"""What was practised, and under which settings: the arms beside each other, so that any difference is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from codeself.analysis.practice_curves import Run
from codeself.records.plan import Plan
from codeself.reports.content import Part, Table
from codeself.reports.numbers import count, listed

# Shown also where all arms have the same; any other setting only where arms differ.
ALWAYS = (
    "steps",
    "prompts_per_step",
    "samples",
    "refills",
    "informative_only",
    "temperature",
    "max_new_tokens",
    "loss.clip_low",
    "loss.clip_high",
    "loss.aggregation",
    "loss.kl_coefficient",
    "optimizer.learning_rate",
    "optimizer.epochs",
    "optimizer.minibatches",
)
_NOT_OF_AN_ARM = {"arms", "seeds", "overrides", "writers"}


def practised(plan: Plan, arms: Mapping[str, Sequence[Run]]) -> Part:
    """Tasks, base and settings. The runs of an arm have the same settings: they are of one plan."""
    first = next(iter(arms.values()))[0]
    bases = list(
        dict.fromkeys(
            f"`{run.record.base.source}` ({run.record.base.backend})" for own in arms.values() for run in own
        )
    )
    seeds = sorted({run.record.seed for own in arms.values() for run in own})
    told = {
        arm: _flat(own[0].settings.model_dump(mode="json", exclude=_NOT_OF_AN_ARM))
        for arm, own in arms.items()
    }
    names = dict.fromkeys(name for settings in told.values() for name in settings)
    differing = [name for name in names if len({str(settings.get(name)) for settings in told.values()}) > 1]
    columns = (
        {f"`{arm}`": settings for arm, settings in told.items()}
        if differing
        else {"all arms": told[first.record.arm]}
    )
    rows = [
        [f"`{name}`", *(_shown(settings.get(name)) for settings in columns.values())]
        for name in names
        if name in ALWAYS or name in differing
    ]
    where = f"the {first.settings.split} split of `{first.settings.taskset or plan.design.taskset}`"
    same = (
        f"Arms differ in {listed([f'`{name}`' for name in differing])} as well as in what they pay for."
        if differing
        else "All arms were told the same settings, and differ in what they pay for and in how they learn from it."
    )
    return Part(
        "What was practised",
        [
            f"{count(first.record.tasks, 'task')} of {where}, with the reward `{plan.reward}` where an arm is no"
            f" placebo; training {'seed' if len(seeds) == 1 else 'seeds'} {listed([str(seed) for seed in seeds])}."
            f" Runs began from {listed(bases)}. {same}"
        ],
        [
            Table(
                ["setting", *columns],
                rows,
                [False] + [True] * len(columns),
                "By `settings` in each `done.json`; `config/README.md` explains each.",
            )
        ],
    )


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def _shown(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)
