"""The sections of the evidence report that describe: what a difference is made of, where it shows, what was planned.

None of their sentences is a claim; those are made in codeself.reports.claims.
"""

from __future__ import annotations

from codeself.records.comparisons import Comparisons, Controls
from codeself.records.plan import Plan
from codeself.reports import comparison_figures as figures
from codeself.reports.claims import bare_p, with_bounds
from codeself.reports.comparison_words import TESTS, chance, endpoint_title, plan_words
from codeself.reports.content import Evaluation, Part, Table
from codeself.reports.drawing import Drawer
from codeself.reports.locked_reads import further_notes, readings_table
from codeself.reports.numbers import count, decimal, percent, points


def control_section(plan: Plan, found: Comparisons, control: Controls, drawn: Drawer) -> Evaluation:
    gain = control.gain
    sentences = [
        f"{control.answers.capitalize()} answers of `{control.arm}` differ from the base's by"
        f" {with_bounds(gain)}: {with_bounds(control.formatting)} comes from answers that held no usable program"
        f" and {with_bounds(control.solving)} from answers that failed otherwise."
    ]
    if gain.low > 0:
        sentences.append(f"Formatting is {percent(control.formatting.value / gain.value)} of the difference.")
    if control.at_most is not None:
        meaning = ": little of it beside a large gain says that the same tasks are solved more often, not more of them."
        sentences.append(
            f"Tasks solved at least once in {count(plan.design.samples, 'sample')} differ by"
            f" {with_bounds(control.at_most)}{meaning if gain.low > 0 else '.'}"
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
                        f" `{control.arm}`, averaged over tasks; the last column is what the arm has right, the last"
                        " row what the base had right.",
                    )
                ],
            )
        ],
    )


def elsewhere_section(found: Comparisons) -> Evaluation:
    rows = [
        [
            f"`{each.arm}`",
            f"`{each.taskset}`",
            each.tests,
            count(each.tasks),
            count(each.families),
            percent(each.before),
            with_bounds(each.difference),
            percent(each.survives) if each.survives is not None else "",
        ]
        for each in found.elsewhere
    ]
    header = ["arm", "task set", "tests", "tasks", "families", "base", "difference", "share of the planned"]
    return Evaluation(
        anchor="elsewhere",
        name="Does it show elsewhere?",
        measured=[
            "Differences to the base on other task sets; where the config has them, the same tasks under other names,"
            " with examples in another order, or with other constants. Described, not tested: none of this is a claim."
            " The last column is the share of the difference on the planned tasks, where that one's interval is above"
            " 0. Families that may have been practised are left out."
        ],
        parts=[
            Part(
                "Differences on other task sets",
                tables=[Table(header, rows, [False] * 3 + [True] * 5)],
            )
        ],
    )


def slices_section(found: Comparisons) -> Evaluation:
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
            " Hochberg's, over all slices of all arms. Over n families no p is below 2/2^n, so that five or fewer"
            " cannot pass at 5 %; their intervals rest on as few, and are no guide."
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


def plan_section(plan: Plan, found: Comparisons) -> Evaluation:
    words = plan_words(plan)
    digests = [
        ["plan that every judged run was trained under", f"`{found.inputs.plan}`"],
        *([name.replace("_", " "), f"`{digest}`"] for name, digest in plan.digests if digest),
    ]
    runs = ", ".join(str(seed) for seed in plan.training_seeds)
    return Evaluation(
        anchor="plan",
        name="The plan, as declared before training",
        measured=list(words[:1]),
        parts=[
            Part(
                "What this design could see",
                [*words[1:], *_measured(found)],
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
            *([_readings(found)] if found.locked_reads else []),
        ],
    )


def _measured(found: Comparisons) -> list[str]:
    """How sampled differences spread, beside what was planned with."""
    own = [
        (result.standard_error, result.endpoint.planned.standard_error)
        for result in found.endpoints
        if result.endpoint.answers == "sampled" and result.standard_error and result.endpoint.planned
    ]
    expected = next((planned for _, planned in own if planned), None)
    if expected is None:
        return []
    errors = sorted(error for error, _ in own)
    return [
        f"Measured after training, the standard errors of sampled differences are {decimal(100 * errors[0])} to"
        f" {points(errors[-1])}, where {decimal(100 * expected)} were expected. What a test sees is counted from the"
        " larger of the two."
    ]


def _readings(found: Comparisons) -> Part:
    once = not any(each.further for each in found.locked_reads)
    words = (
        "Locked tests were read once for each policy and task set, by the final evaluation, with the answers that this"
        " report compares."
    )
    return Part(
        "Who read the locked tests",
        [words] if once else further_notes(found.locked_reads),
        [readings_table(found.locked_reads)],
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
