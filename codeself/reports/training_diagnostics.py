"""The diagnostics of practice, arm beside arm: what was sampled, and what the updates did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from codeself.analysis.practice_curves import Line, Run, advantage_columns, arm_lines
from codeself.records.training import ADVANTAGE_EDGES, RatioStatistics, StepRecord
from codeself.reports import training_figures as figures
from codeself.reports.content import Drawn, Evaluation, Part
from codeself.reports.drawing import Drawer
from codeself.reports.numbers import decimal, listed, percent
from codeself.reports.training_values import CRITIC, REVISIONS, SAMPLED, UPDATES, Diagnostic

# Above it a ratio is out of view: a single token may have any.
HIGHEST_RATIO = 3.0
MOST_COLUMNS = 48


def diagnostics_section(arms: Mapping[str, Sequence[Run]], drawn: Drawer) -> Evaluation:
    parts = [
        Part("What was sampled", [], [], _figures(SAMPLED, arms, drawn)),
        Part(
            "What the updates did",
            _of_updates(arms),
            [],
            [*_ratios(arms, drawn), *_figures(UPDATES, arms, drawn)],
        ),
        _advantages(arms, drawn),
    ]
    revised = _figures(REVISIONS, arms, drawn)
    if revised:
        told = (
            "A sample of `grpo-selfdebug` is an episode: what else is shown of it is said of its last answer."
        )
        parts.append(Part("Revisions", [told], [], revised))
    critic = _figures(CRITIC, arms, drawn)
    if critic:
        parts.append(Part("The value head", [], [], critic))
    return Evaluation(
        anchor="diagnostics",
        name="Diagnostics side by side",
        measured=[
            "From `metrics.jsonl` of each run; each figure names its key there. A gap is a step without an update,"
            " which has no such value."
        ],
        parts=parts,
    )


def _figures(asked: Sequence[Diagnostic], arms: Mapping[str, Sequence[Run]], drawn: Drawer) -> list[Drawn]:
    """A figure of each diagnostic that any arm has."""
    found = []
    for each in asked:
        shown = _measured(arms, each) if each.sparse else arms
        lines = [line for line in arm_lines(shown, each.value, "step") if line.has_values]
        if lines:
            figure = figures.curves(
                lines,
                "step",
                each.label,
                share=each.share,
                top=each.top,
                whole=each.whole,
                lowest=each.lowest,
            )
            found.append(drawn(each.name, figure, each.heading, f"{each.caption} Key `{each.key}`."))
    return found


def _measured(arms: Mapping[str, Sequence[Run]], asked: Diagnostic) -> dict[str, list[Run]]:
    """The runs with the steps that have the value alone; nothing of those that have none."""
    found = {}
    for arm, runs in arms.items():
        kept = [tuple(step for step in run.steps if asked.value(step) is not None) for run in runs]
        found[arm] = [replace(run, steps=steps) for run, steps in zip(runs, kept, strict=True) if steps]
    return {arm: runs for arm, runs in found.items() if runs}


def _of_updates(arms: Mapping[str, Sequence[Run]]) -> list[str]:
    """What the settings say of ratios and divergences."""
    once = [arm for arm, runs in arms.items() if max(step.updates for run in runs for step in run.steps) <= 1]
    several = [arm for arm in arms if arm not in once]
    sentences = []
    if once:
        sentences.append(
            f"{listed([f'`{arm}`' for arm in once])}: at most one update a step. The policy at the update is then the"
            " one that wrote the tokens, so ratios are 1 but for rounding and for what sampling and learning compute"
            " differently; nothing of the divergence or of clipping tells about learning."
        )
    if several:
        sentences.append(
            f"{listed([f'`{arm}`' for arm in several])}: several updates a step, so that ratios leave 1 from the second"
            " on."
        )
    if not any(
        step.reference_divergence is not None for runs in arms.values() for r in runs for step in r.steps
    ):
        sentences.append(
            "No run measured how far its policy went from the base: it has no KL term, and `divergence_every` is 0 or"
            " longer than the run."
        )
    return [" ".join(sentences)]


def _ratios(arms: Mapping[str, Sequence[Run]], drawn: Drawer) -> list[Drawn]:
    lines, bounds = {}, {}
    for arm, runs in arms.items():
        own = figures.RatioLines(*(_ratio_line(runs, *part) for part in _RATIO_PARTS))
        if any(y is not None for y in own.mean.ys):
            loss = runs[0].settings.loss
            lines[arm], bounds[arm] = own, (1 - loss.clip_low, 1 + loss.clip_high)
    if not lines:
        return []
    ends = [end for own in bounds.values() for end in own]
    ends += [
        y for own in lines.values() for line in (own.least, own.greatest) for y in line.ys if y is not None
    ]
    high = min(max(ends), HIGHEST_RATIO)
    caption = (
        "Of the chance of a token at its update to its chance when it was written. Dashed: where it is clipped."
        " Key `ratio`."
    )
    if max(ends) > high:
        caption += f" Above {decimal(high, 0)} it is out of view."
    limits = (max(0.0, min(ends) - 0.05), high + 0.05)
    return [
        drawn(f"ratio-{arm}", figures.ratio(arm, own, bounds[arm], limits), f"Ratios, {arm}", caption)
        for arm, own in lines.items()
    ]


def _ratio_line(
    runs: Sequence[Run], value: Callable[[RatioStatistics], float], together: Callable[[list[float]], float]
) -> Line:
    """One number of an arm's ratios, step by step, its runs brought together."""
    places = range(max(len(run.steps) for run in runs))
    ys: list[float | None] = []
    for place in places:
        at: list[StepRecord] = [run.steps[place] for run in runs if place < len(run.steps)]
        found = [value(step.ratio) for step in at if step.ratio]
        ys.append(together(found) if found else None)
    return Line(tuple(float(place) for place in places), tuple(ys))


def _average(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers)


# Least, mean, greatest, deviation: as RatioLines has them.
_RATIO_PARTS: tuple[tuple[Callable[[RatioStatistics], float], Callable[[list[float]], float]], ...] = (
    (lambda ratio: ratio.least, min),
    (lambda ratio: ratio.mean, _average),
    (lambda ratio: ratio.greatest, max),
    (lambda ratio: ratio.deviation, _average),
)


def _advantages(arms: Mapping[str, Sequence[Run]], drawn: Drawer) -> Part:
    columns = {arm: advantage_columns(runs, MOST_COLUMNS) for arm, runs in arms.items()}
    most = max(share for own in columns.values() for column in own for share in column.shares) or 1.0
    width = max(column.last - column.first + 1 for own in columns.values() for column in own)
    steps = "a step" if width == 1 else f"{width} steps"
    return Part(
        "Advantages",
        [
            f"The fuller a cell's colour, the larger its share of the completions that were learned from in {steps}, an"
            f" arm's runs together; full colour is {percent(most)}, in every arm. Advantages beyond"
            f" \N{MINUS SIGN}{decimal(-ADVANTAGE_EDGES[0], 0)} and {decimal(ADVANTAGE_EDGES[-1], 0)} are in the"
            " outermost cells."
        ],
        [],
        [
            drawn(
                f"advantages-{arm}",
                figures.advantages(arm, own, most),
                f"Advantages, {arm}",
                "Steps without cells learned from nothing. Key `advantages`.",
            )
            for arm, own in columns.items()
        ],
    )
