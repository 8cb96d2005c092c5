"""The report on practice: what each arm drew, was paid and did, step after step, PPO beside GRPO.

It describes and claims nothing: training curves are not the declared tests. Seconds are on a page of their own, as
this one is the same bytes for the same record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codeself.analysis.practice_curves import (
    Along,
    Run,
    arm_lines,
    by_arm,
    endings_of,
    first_reached,
    smoothed_lines,
    smoothed_pass_rates,
    thirds,
)
from codeself.records.plan import Plan
from codeself.reports import training_figures as figures
from codeself.reports.content import Evaluation, Part, Report, Table
from codeself.reports.drawing import Drawer, drawing
from codeself.reports.numbers import DASH, count, level, listed, percent
from codeself.reports.training_diagnostics import diagnostics_section
from codeself.reports.training_settings import practised
from codeself.reports.training_values import CURVES

METHODS = "training_methods.txt"
# Names in the text that become links: the report of the declared tests, and the page of seconds.
EVIDENCE, COSTS = "reports/evidence", "benchmarks/training.md"
NOT_REACHED = "not reached"


def compose(
    title: str,
    plan: Plan,
    runs: Sequence[Run],
    rates: Sequence[float],
    window: int,
    inputs: Sequence[tuple[str, str]],
    figures_path: str,
) -> Report:
    """The content of the report. runs: at least one, all of this plan. rates: pass rates that are looked for, on
    a curve smoothed over window steps. inputs, figures_path: as in the baseline report.
    """
    arms = by_arm(runs)
    drawn = Drawer(figures_path)
    with drawing():
        sections = [
            _curves_section(arms, rates, window, drawn),
            diagnostics_section(arms, drawn),
            _endings_section(arms, drawn),
        ]
    return Report(
        title=title,
        abstract=_abstract(arms),
        summary=_summary(arms),
        evaluations=sections,
        tasksets=[practised(plan, arms)],
        inputs=Table(
            ["file", "sha256"], [[f"`{name}`", f"`{digest}`"] for name, digest in inputs], [False, False]
        ),
    )


def rate_headers(rates: Sequence[float]) -> list[str]:
    return [f"to {level(rate)}" for rate in rates]


def _abstract(arms: Mapping[str, Sequence[Run]]) -> list[str]:
    runs = [run for own in arms.values() for run in own]
    samples = sum(run.record.samples for run in runs)
    return [
        f"{count(len(runs), 'training run')} of {count(len(arms), 'arm')},"
        f" {listed([f'`{arm}`' for arm in arms])}, drew {count(samples, 'completion')} in all. Shown is what"
        " each arm was paid, how often it was right, and what its updates did to the policy.",
        "This report describes practice and claims nothing. A training curve is no declared test: it is of tasks"
        " that the policy practises on, other ones at each step, and of a policy that changes underway. Curves that"
        " differ here do not show that one arm is better than another. What practice changed on held-out tasks, and"
        f" how surely, is in the evidence report (`{EVIDENCE}`).",
        f"Seconds, tokens a second and memory depend on the machine; they are in `{COSTS}`.",
    ]


def _summary(arms: Mapping[str, Sequence[Run]]) -> Table:
    rows = [
        [
            f"`{run.name}`",
            count(run.record.steps),
            count(run.record.samples),
            _part(run.record.wasted, run.record.samples),
            count(sum(step.refills for step in run.steps)),
            count(sum(step.updates for step in run.steps)),
            count(run.record.sampled_tokens),
            count(run.record.learned_tokens),
        ]
        for own in arms.values()
        for run in own
    ]
    header = ["run", "steps", "drawn", "wasted", "refills", "updates", "sampled tokens", "learned tokens"]
    return Table(
        header,
        rows,
        [False] + [True] * 7,
        "By `done.json` of each run; refills and updates by `metrics.jsonl`.",
    )


def _curves_section(
    arms: Mapping[str, Sequence[Run]], rates: Sequence[float], window: int, drawn: Drawer
) -> Evaluation:
    several = any(len(runs) > 1 for runs in arms.values())
    lines = " Thin lines are runs, thick ones an arm's mean." if several else ""
    ways: tuple[tuple[Along, str], ...] = (("step", "step"), ("samples", "completions drawn"))
    shown = [
        drawn(
            f"{each.name}-by-{along}",
            figures.curves(
                arm_lines(arms, each.value, along),
                along,
                each.label,
                share=each.share,
                top=each.top,
                whole=each.whole,
            ),
            f"{each.heading} by {words}",
            f"{each.caption}{lines}",
        )
        for each in CURVES
        for along, words in ways
    ]
    smoothed = drawn(
        "smoothed-pass-rate",
        figures.curves(
            smoothed_lines(arms, window),
            "samples",
            "smoothed pass rate",
            share=True,
            top=1.0,
            whole=True,
            marks=rates,
        ),
        "Smoothed pass rate",
        f"Over up to {count(window, 'step')}, by completions drawn. Dotted lines are the rates of the table.{lines}",
    )
    return Evaluation(
        anchor="curves",
        name="Learning curves",
        measured=["From `metrics.jsonl` of each run: `pass_rate`, `reward` and `completions` of every step."],
        parts=[
            Part("Pass rate and reward", [], [], shown),
            Part(
                "Completions to a pass rate",
                [
                    f"Completions drawn by the end of the first step whose pass rate, over it and up to"
                    f" {count(window - 1, 'step')} before, comes to the one given. Steps count from 0, where a run"
                    " still is what it began as. Beside them the first, the highest and the last of these smoothed"
                    " pass rates."
                ],
                [_reached_table(arms, rates, window)],
                [smoothed],
            ),
        ],
    )


def _reached_table(arms: Mapping[str, Sequence[Run]], rates: Sequence[float], window: int) -> Table:
    rows = []
    for run in (run for own in arms.values() for run in own):
        cells = []
        for rate in rates:
            found = first_reached(run.steps, rate, window)
            cells.append(f"{count(found.samples)} (step {found.step})" if found else NOT_REACHED)
        smooth = [rate for rate in smoothed_pass_rates(run.steps, window) if rate is not None]
        ends = [percent(rate) for rate in (smooth[0], max(smooth), smooth[-1])] if smooth else [DASH] * 3
        rows.append([f"`{run.name}`", *cells, *ends])
    return Table(
        ["run", *rate_headers(rates), "first", "highest", "last"],
        rows,
        [False] + [True] * (len(rates) + 3),
    )


def _endings_section(arms: Mapping[str, Sequence[Run]], drawn: Drawer) -> Evaluation:
    found = {arm: thirds(runs) for arm, runs in arms.items()}
    names = endings_of(list(found.values()))
    columns = [
        (f"`{arm}` {third}", counts)
        for arm, each in found.items()
        for third, counts in (("first", each.first), ("last", each.last))
    ]
    rows = [
        [name, *(_part(counts.get(name, 0), sum(counts.values())) for _, counts in columns)] for name in names
    ]
    rows.append(["all", *(count(sum(counts.values())) for _, counts in columns)])
    sizes = dict.fromkeys(each.steps for each in found.values())
    table = Table(["ending", *(name for name, _ in columns)], rows, [False] + [True] * len(columns))
    return Evaluation(
        anchor="endings",
        name="How completions ended",
        measured=[
            "From `endings` in `metrics.jsonl` of each run: the phase of the judge that decided a completion, and how."
            " `hidden: passed` is a right answer."
        ],
        parts=[
            Part(
                "First third of the steps against the last",
                [
                    "Completions of the first and of the last third of a run's steps"
                    f" ({listed([count(size, 'step') for size in sizes])}), an arm's runs together."
                ],
                [table],
                [
                    drawn(
                        "endings",
                        figures.endings(found),
                        "Endings in the first and the last third",
                        "Numbers are percent of the third's completions. Cannot be run: refused by the scan, not"
                        " valid Python, or failing on import.",
                    )
                ],
            )
        ],
    )


def _part(number: int, total: int) -> str:
    return f"{count(number)} ({percent(number / total if total else 0.0)})"
