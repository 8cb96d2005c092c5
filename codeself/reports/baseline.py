"""The baseline report: what a policy can do before any practice.

Numbers come into it through sentences and tables made from metrics, and in no other way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from codeself.records.locked_reads import LockedReads
from codeself.records.metrics import Estimate, Metrics, Outcomes, TaskRow
from codeself.reports import figures, power_words, sentences
from codeself.reports.content import Evaluation, Part, Report, Table
from codeself.reports.drawing import Drawer, drawing
from codeself.reports.locked_reads import further_notes
from codeself.reports.numbers import count, interval, level, percent, with_interval


def compose(
    title: str,
    evaluated: Sequence[tuple[Metrics, Sequence[TaskRow]]],
    tasksets: list[Part],
    inputs: Sequence[tuple[str, str]],
    figures_path: str,
    readings: Sequence[LockedReads] = (),
) -> Report:
    """The content of a report on one or more evaluations.

    inputs: name and sha256 of each file that the report was made from. figures_path: the folder of figure
    files as the Markdown report refers to it. readings: of locked tests; a second one is said.
    """
    several = len({metrics.policy for metrics, _ in evaluated}) > 1
    return Report(
        title=title,
        abstract=[*(sentences.headline(metrics) for metrics, _ in evaluated), *further_notes(readings)],
        summary=_summary([metrics for metrics, _ in evaluated]),
        evaluations=[_evaluation(metrics, rows, figures_path, several) for metrics, rows in evaluated],
        tasksets=tasksets,
        inputs=Table(
            ["file", "sha256"], [[f"`{name}`", f"`{digest}`"] for name, digest in inputs], [False, False]
        ),
    )


def _evaluation(metrics: Metrics, rows: Sequence[TaskRow], figures_path: str, several: bool) -> Evaluation:
    name = f"{metrics.taskset}, {metrics.split} split" if metrics.split else metrics.taskset
    if several:
        name = f"{metrics.policy} on {name}"
    anchor = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")

    drawn = Drawer(figures_path, f"{anchor}-")
    main, sampled = metrics.main, metrics.sampling.samples > 0
    with drawing():
        curve = drawn(
            "pass-at-k",
            figures.pass_curve(metrics),
            "Tasks solved within k answers",
            f"Mean over {count(main.tasks, 'task')}; the band and the bar are {level(metrics.confidence)}"
            " intervals.",
        )
        phases = drawn(
            "phases",
            figures.phases(metrics),
            "How far candidates come",
            f"{'Sampled' if sampled else 'Greedy'} candidates: those that pass each phase, and how the"
            " others end.",
        )
        lengths = drawn(
            "lengths",
            figures.lengths(metrics.lengths),
            "Length of completions",
            f"{count(metrics.lengths.completions, 'completion')}, greedy and sampled.",
        )
        of_family = (
            "points and lines are sampled rates with the interval of sampling noise on these tasks;"
            " diamonds are greedy answers."
            if len(main.by_family) <= figures.MOST_NAMED_FAMILIES
            else "the line is the sampled rate, its band the sampling noise; ticks are greedy answers."
        )
        families = drawn(
            "families",
            figures.families(metrics),
            "Family by family",
            f"{count(main.families, 'family', 'families')} by the {main.tests} tests: {of_family}",
            wide=True,
        )
        group = (
            [
                drawn(
                    "groups",
                    figures.groups(metrics, rows),
                    "What a group of samples holds",
                    "Tasks by how many of their samples are right. Grey groups are all alike.",
                )
            ]
            if sampled
            else []
        )
        parse = (
            [
                drawn(
                    "parse-failures",
                    figures.parse_reasons(metrics),
                    "Why completions hold no program",
                    f"{count(sum(metrics.parse_failures.reasons.values()), 'completion')} by the reason"
                    " named.",
                )
            ]
            if metrics.parse_failures.reasons
            else []
        )
    return Evaluation(
        anchor=anchor,
        name=name,
        measured=sentences.measured(metrics),
        parts=[
            Part(
                "Rates",
                [" ".join(sentences.results(metrics)), sentences.groups(metrics), sentences.reward(metrics)],
                [_rates(metrics)],
                [curve, *group],
            ),
            Part("Families", [], [], [families]),
            Part(
                "Where answers fail",
                [" ".join(sentences.phases(metrics)), sentences.parsing(metrics), sentences.lengths(metrics)],
                [_phase_table(metrics)],
                [phases, lengths, *parse],
            ),
            Part("What a comparison could see", power_words.power(metrics)),
        ],
    )


def _summary(all_metrics: Sequence[Metrics]) -> Table:
    # The first and the last k of each evaluation; its own table has the others.
    ks = sorted(
        {point.k for each in all_metrics for point in (each.main.pass_at_k[:1] + each.main.pass_at_k[-1:])}
    )
    header = [
        "policy",
        "task set",
        "split",
        "tests",
        "tasks",
        "families",
        "greedy",
        *(f"pass@{k}" for k in ks),
    ]
    rows = []
    for metrics in all_metrics:
        main = metrics.main
        cells = {point.k: _cell(point.estimate) for point in main.pass_at_k}
        rows.append(
            [
                f"`{metrics.policy}`",
                f"`{metrics.taskset}`",
                metrics.split or "all",
                main.tests,
                count(main.tasks),
                count(main.families),
                _cell(main.greedy),
                *(cells.get(k, "") for k in ks),
            ]
        )
    return Table(header, rows, [False] * 4 + [True] * (len(header) - 4))


def _rates(metrics: Metrics) -> Table:
    def row(name: str, outcome: Outcomes, estimate: Estimate) -> list[str]:
        return [name, outcome.tests, *_estimate_cells(estimate)]

    rows = []
    for outcome in sorted(metrics.outcomes, key=lambda o: o.tests != metrics.headline):
        if outcome.greedy:
            rows.append(row("greedy", outcome, outcome.greedy))
        rows += [row(f"pass@{point.k}", outcome, point.estimate) for point in outcome.pass_at_k]
        if outcome.informative_groups:
            rows.append(row("informative groups", outcome, outcome.informative_groups))
    rows.append(["no usable program", "parser", *_estimate_cells(metrics.parse_failures.rate)])
    return Table(
        ["rate", "tests", "estimate", f"{level(metrics.confidence)} interval", "tasks", "families"],
        rows,
        [False, False, True, True, True, True],
    )


def _phase_table(metrics: Metrics) -> Table:
    rows = [[c.phase, c.status, count(c.greedy), count(c.sampled)] for c in metrics.phases]
    return Table(["ended at", "as", "greedy", "sampled"], rows, [False, False, True, True])


def _estimate_cells(estimate: Estimate) -> list[str]:
    return [percent(estimate.value), interval(estimate), count(estimate.tasks), count(estimate.families)]


def _cell(estimate: Estimate | None) -> str:
    return with_interval(estimate) if estimate else ""
