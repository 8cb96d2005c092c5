"""The evidence report: whether practice helped, and what stands beside the claim.

Claims are made in codeself.reports.claims, from declared tests alone. The rest describes, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from codeself.records.comparisons import Comparisons, Controls, EndpointResult
from codeself.records.plan import Plan
from codeself.records.tasks import SplitManifest
from codeself.reports import comparison_figures as figures
from codeself.reports.claims import bare_p, claim, runs_note, with_bounds
from codeself.reports.comparison_words import TESTS, chance, endpoint_title, plan_words
from codeself.reports.content import Drawn, Evaluation, Part, Report, Table
from codeself.reports.drawing import drawing, svg
from codeself.reports.numbers import count, level, percent, points, with_interval
from codeself.reports.tasksets import describe_splits

PLACEBO = "random-reward"
METHODS = "comparison_methods.txt"


def compose(
    title: str,
    plan: Plan,
    found: Comparisons,
    splits: SplitManifest | None,
    inputs: Sequence[tuple[str, str]],
    figures_path: str,
) -> Report:
    """The content of the report. inputs, figures_path: as in the baseline report."""

    def drawn(name: str, figure: figures.Figure, heading: str, caption: str, wide: bool = False) -> Drawn:
        return Drawn(
            name,
            heading,
            caption,
            svg(figure, name, f"{heading}. {caption}".replace("`", "")),
            f"{figures_path}/{name}.svg",
            wide,
        )

    with drawing():
        sections = [
            _tests(plan, found, drawn),
            *(_control(plan, found, control, drawn) for control in found.controls),
            *([_slices(found)] if found.slices else []),
            _plan(plan, found),
        ]
    return Report(
        title=title,
        abstract=_abstract(plan, found),
        summary=_summary(found),
        evaluations=sections,
        tasksets=[describe_splits(splits)] if splits else [],
        inputs=Table(
            ["file", "sha256"], [[f"`{name}`", f"`{digest}`"] for name, digest in inputs], [False, False]
        ),
    )


def _say(plan: Plan, result: EndpointResult) -> str:
    return claim(result, alpha=plan.alpha, power=plan.power, margin=plan.margin).text


def _abstract(plan: Plan, found: Comparisons) -> list[str]:
    """The claims that count most: sampled gains over base and over the random-reward arm."""
    of_arm: dict[str, list[str]] = {}
    for result in found.endpoints:
        point = result.endpoint
        first = point.answers == "sampled" or not plan.design.samples
        if first and (point.role == "gain" or point.comparator.name == PLACEBO):
            of_arm.setdefault(point.arm.name, []).append(_say(plan, result))
    paragraphs = [" ".join(sentences) for sentences in of_arm.values()]
    if of_arm and not any(result.endpoint.comparator.name == PLACEBO for result in found.endpoints):
        paragraphs.append(
            f"No `{PLACEBO}` arm was run. Updates sharpen a policy whatever they are paid for, so a gain over the"
            " base alone does not show that feedback taught anything."
        )
    paragraphs += [_say(plan, r) for r in found.endpoints if r.endpoint.role == "control"]
    return [*paragraphs, runs_note(list(found.endpoints))]


def _summary(found: Comparisons) -> Table:
    """Rates, gain over base and over each placebo, a row a side."""
    over = list(dict.fromkeys(r.endpoint.comparator.name for r in found.endpoints))
    header = [
        "policy",
        "runs",
        "sampled",
        "at least one of all",
        "greedy",
        *(f"over {name}" for name in over),
    ]
    header += ["p after Holm"]
    by_pair = {
        (r.endpoint.arm.name, r.endpoint.comparator.name): r
        for r in reversed(found.endpoints)
        if r.endpoint.answers == "sampled" or found.sides[0].sampled is None
    }
    rows = []
    for side in found.sides:
        own = [by_pair.get((side.name, name)) for name in over]
        rows.append(
            [
                f"`{side.name}`",
                count(len(side.policies)),
                *(with_interval(e) if e else "" for e in (side.sampled, side.at_most, side.greedy)),
                *(with_bounds(each.difference) if each else "" for each in own),
                "; ".join(bare_p(each.p_adjusted) for each in own if each),
            ]
        )
    return Table(header, rows, [False] + [True] * (len(header) - 1))


def _tests(plan: Plan, found: Comparisons, drawn: Callable[..., Drawn]) -> Evaluation:
    rows = [
        [
            endpoint_title(r.endpoint),
            TESTS[r.endpoint.test],
            with_bounds(r.difference),
            bare_p(r.p),
            bare_p(r.p_adjusted),
            "yes" if r.significant else "no",
            points(r.detectable) if r.detectable is not None else "none",
            percent(r.better),
        ]
        for r in found.endpoints
    ]
    header = ["endpoint", "test", "difference", "p", "after Holm", "passed", "sees", "higher on a task"]
    greedy = [r for r in found.endpoints if r.discordant is not None]
    mcnemar = [
        [
            endpoint_title(r.endpoint),
            *(count(n) for n in (d.both, d.lost, d.won, d.neither)),
            bare_p(d.p_exact),
            bare_p(d.p_mid),
            with_bounds(d.interval),
        ]
        for r in greedy
        if (d := r.discordant) is not None
    ]
    tables = [
        Table(
            header,
            rows,
            [False, False, True, True, True, False, True, True],
            "Every declared test. Sees: the difference found with the planned power at Holm's strictest step."
            " Higher on a task: chance that the arm scores higher on a task drawn at random, ties counting half.",
        )
    ]
    if mcnemar:
        tables.append(
            Table(
                [
                    "endpoint",
                    "both right",
                    "lost",
                    "won",
                    "neither",
                    "exact p",
                    "mid-p",
                    "Newcombe's interval",
                ],
                mcnemar,
                [False] + [True] * 7,
                "Greedy answers task by task, with McNemar's test as if tasks were unrelated: shown beside the"
                " declared test, not in place of it.",
            )
        )
    return Evaluation(
        anchor="tests",
        name="What the declared tests found",
        measured=[
            f"{count(found.tasks, 'task')} in {count(found.families, 'family', 'families')}, the {found.split} split"
            f" of `{found.taskset}`, by the {found.tests} tests. {level(plan.confidence)} intervals; differences in"
            " percentage points. The sentences below, and no others in this report, are claims."
        ],
        parts=[
            Part(
                "Claims",
                [_say(plan, result) for result in found.endpoints],
                tables,
                [
                    drawn(
                        "differences",
                        figures.differences(found.endpoints),
                        "Declared differences",
                        f"Lines are {level(plan.confidence)} intervals; a filled mark is a test passed after"
                        " Holm. Short grey bars: the smallest difference the test sees reliably.",
                        wide=True,
                    ),
                    drawn(
                        "rates",
                        figures.rates(found.sides),
                        "Rates of each side",
                        f"{level(plan.confidence)} intervals of the rates themselves: wider than those of"
                        " differences, as tasks differ. Ticks, where an arm was trained several times, are its"
                        " runs.",
                    ),
                ],
            )
        ],
    )


def _control(plan: Plan, found: Comparisons, control: Controls, drawn: Callable[..., Drawn]) -> Evaluation:
    gain = control.gain
    sentences = [
        f"{control.answers.capitalize()} answers of `{control.arm}` differ from the base's by"
        f" {with_bounds(gain)}: {with_bounds(control.formatting)} comes from answers that held no usable program"
        f" and {with_bounds(control.solving)} from answers that failed otherwise."
    ]
    if gain.low > 0:
        sentences.append(f"Formatting is {percent(control.formatting.value / gain.value)} of the difference.")
    if control.at_most is not None:
        sentences.append(
            f"Tasks solved at least once in {count(plan.design.samples, 'sample')} differ by"
            f" {with_bounds(control.at_most)}: little of it beside a large gain says that the same tasks are"
            " solved more often, not more of them."
        )
    rows = [
        [gap.name, percent(gap.before), percent(gap.after), with_bounds(gap.change), count(gap.tasks)]
        for gap in control.gaps
    ]
    tables = []
    if rows:
        tables.append(
            Table(
                ["gap", "base", control.arm, "change", "tasks"],
                rows,
                [False, True, True, True, True],
                "Answers that pass the first kind of tests and fail the second: a gap that grows is overfitting to"
                " what was shown, or paid for.",
            )
        )
    return Evaluation(
        anchor=f"control-{control.arm}",
        name=f"{control.arm}: what the difference is made of",
        measured=["Described, not tested: none of this is a claim."],
        parts=[
            Part(
                "Formatting, solving, overfitting",
                [" ".join(sentences)],
                tables,
                [
                    drawn(
                        f"transitions-{control.arm}",
                        figures.transitions(control.transitions, control.arm),
                        "From one ending to another",
                        "Shares of all pairs of answers to the same task, one of the base and one of"
                        f" `{control.arm}`, averaged over tasks; the right column is what is right now, the last row"
                        " what was right before.",
                    )
                ],
            )
        ],
    )


def _slices(found: Comparisons) -> Evaluation:
    rows = [
        [
            f"`{each.arm}`",
            each.name,
            count(each.tasks),
            count(each.families),
            percent(each.before),
            with_bounds(each.difference),
            bare_p(each.p),
            bare_p(each.p_adjusted),
        ]
        for each in found.slices
    ]
    by = found.slices[0].by
    return Evaluation(
        anchor="slices",
        name=f"Slices by {by}",
        measured=[
            "Exploratory: nothing here was declared, and none of it is a claim. Adjusted p-values are Benjamini and"
            " Hochberg's, over all slices of all arms."
        ],
        parts=[
            Part(
                f"Gain over the base by {by}",
                tables=[
                    Table(
                        ["arm", by, "tasks", "families", "base", "difference", "p", "adjusted"],
                        rows,
                        [False, False] + [True] * 6,
                    )
                ],
            )
        ],
    )


def describe_plan(plan: Plan) -> str:
    """The plan as a Markdown page of its own, to be read before there is anything to compare."""
    table = _power_table(plan)
    rows = [table.header, ["---"] * len(table.header), *table.rows]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n\n".join(["# The plan, before training", *plan_words(plan), "\n".join(lines)]) + "\n"


def _plan(plan: Plan, found: Comparisons) -> Evaluation:
    words = plan_words(plan)
    digests = [
        ["plan that every judged run was trained under", f"`{found.inputs.plan}`"],
        *([name.replace("_", " "), f"`{digest}`"] for name, digest in plan.digests),
    ]
    runs = ", ".join(str(seed) for seed in plan.training_seeds)
    return Evaluation(
        anchor="plan",
        name="The plan, as declared before training",
        measured=list(words[:1]),
        parts=[
            Part(
                "What this design could see",
                list(words[1:]),
                [_power_table(plan)],
            ),
            Part(
                "What was fixed",
                [
                    f"Reward `{plan.reward}`; training seeds {runs}; seed {plan.seed} of every other draw;"
                    f" {count(plan.resamples, 'bootstrap replicate')}. {count(len(found.training), 'training run')}"
                    " judged here, each with the digest of this very plan."
                ],
                [Table(["what", "sha256"], digests, [False, False])],
            ),
        ],
    )


def _power_table(plan: Plan) -> Table:
    rows = []
    for point in plan.endpoints:
        planned = point.planned
        rows.append(
            [
                endpoint_title(point),
                TESTS[point.test],
                *(
                    points(size) if size is not None else "none"
                    for size in (
                        (planned.detectable, planned.detectable_first_step) if planned else (None, None)
                    )
                ),
                *(
                    chance(share)
                    for share in (
                        (planned.power_at_gain, planned.power_first_step) if planned else (None, None)
                    )
                ),
            ]
        )
    gain = points(plan.hoped_for_gain)
    header = ["endpoint", "test", f"sees at {plan.alpha:g}", "at the strictest step", f"power at {gain}"]
    return Table([*header, "at the strictest step"], rows, [False, False] + [True] * 4)
