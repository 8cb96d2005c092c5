"""The evidence report: whether practice helped, and what stands beside the claim.

Claims are made in codeself.reports.claims, from declared tests alone. The rest describes, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from codeself.records.comparisons import Comparisons, EndpointResult
from codeself.records.plan import Plan
from codeself.records.tasks import SplitManifest
from codeself.reports import comparison_figures as figures
from codeself.reports.claims import bare_p, claim, level_free, placebo_note, runs_note, with_bounds
from codeself.reports.comparison_sections import (
    control_section,
    elsewhere_section,
    plan_section,
    slices_section,
)
from codeself.reports.comparison_words import TESTS, drawn_how, endpoint_title
from codeself.reports.content import Evaluation, Part, Report, Table
from codeself.reports.drawing import Drawer, drawing
from codeself.reports.locked_reads import further_notes
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
    drawn = Drawer(figures_path)
    with drawing():
        sections = [
            _tests(plan, found, drawn),
            *(control_section(plan, found, control, drawn) for control in found.controls),
            *([elsewhere_section(found)] if found.elsewhere else []),
            *([slices_section(found)] if found.slices else []),
            plan_section(plan, found),
        ]
    return Report(
        title=title,
        abstract=_abstract(plan, found),
        summary=_summary(plan, found),
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
    for result in found.endpoints:
        if result.endpoint.role == "control":
            note = placebo_note(result, alpha=plan.alpha, margin=plan.margin)
            paragraphs.append(" ".join([_say(plan, result), *([note] if note else [])]))
    return [*paragraphs, runs_note(list(found.endpoints)), *further_notes(found.locked_reads)]


def _summary(plan: Plan, found: Comparisons) -> Table:
    """Rates, gain over base and over each placebo, a row a side."""
    samples = plan.design.samples
    over = list(dict.fromkeys(r.endpoint.comparator.name for r in found.endpoints))
    header = [
        "policy",
        "runs",
        "sampled",
        f"one of {samples}",
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
    words = [
        f"Sampled: right ones among {count(samples, 'answer')} a task, averaged over tasks. One of {samples}: tasks"
        " with a right one among them.",
        "Greedy: tasks whose one greedy answer is right.",
        f"Over: differences of {'sampled' if samples else 'greedy'} rates, whose p-values stand in the last column, in"
        f" this order. {level(plan.confidence)} intervals.",
    ]
    return Table(header, rows, [False] + [True] * (len(header) - 1), " ".join(words[0 if samples else 1 :]))


def _tests(plan: Plan, found: Comparisons, drawn: Drawer) -> Evaluation:
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
            level_free(d.tango),
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
                    "Tango's",
                ],
                mcnemar,
                [False] + [True] * 8,
                "Greedy answers task by task, with McNemar's test as if tasks were unrelated: shown beside the"
                " declared test, not in place of it.",
            )
        )
    return Evaluation(
        anchor="tests",
        name="What the declared tests found",
        measured=[
            f"{count(found.tasks, 'task')} in {count(found.families, 'family', 'families')}, the {found.split} split"
            f" of `{found.taskset}`, by the {found.tests} tests; {drawn_how(found.sampling)}."
            f" {level(plan.confidence)} intervals; differences in percentage points. The sentences below, and no others"
            " in this report, are claims."
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
                        f"{level(plan.confidence)} intervals of each rate alone. How sure a difference is shows above:"
                        " differences are paired by task. Ticks, where an arm was trained several times, are its runs.",
                    ),
                ],
            )
        ],
    )
