"""The report on practice: every number from the rows, one page that loads nothing, and no claim."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

import pytest

from codeself.analysis.practice_curves import Run, by_arm
from codeself.records.plan import Plan
from codeself.reports.content import Report
from codeself.reports.drawing import standalone
from codeself.reports.file_links import link_html, link_markdown
from codeself.reports.pages import render_html, render_markdown
from codeself.reports.training import METHODS, compose
from codeself.reports.training_costs import compose_costs
from codeself.reports.training_figures import ending_kind
from tests.analysis.made_runs import made_run, made_step, made_timings, with_critic, without_update
from tests.experiments import experiment
from tests.reports.test_baseline import Page

# 2, 4, 6, 8 of 8 right: by two steps 0.25, 0.375, 0.625, 0.875.
RISING = [made_step(place, 2 * place + 2) for place in range(4)]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    made = experiment(tmp_path_factory.mktemp("plan"), {"grpo": 0.0}, families=6, variants=1, samples=2)
    return made.declare()


def runs() -> list[Run]:
    """Two seeds of grpo, ppo with a value head, a placebo with a step without an update."""
    flat = [made_step(0, 2), without_update(1), made_step(2, 2), made_step(3, 2)]
    return [
        made_run("random-reward", flat),
        made_run("ppo", [with_critic(step) for step in RISING]),
        made_run("grpo", RISING, seed=1),
        made_run("grpo", [made_step(place, 8 - 2 * place) for place in range(4)], seed=0),
    ]


def made(plan: Plan, own: Sequence[Run]) -> Report:
    return compose("A <title>", plan, own, [0.25, 0.75], 2, [("done.json", "ab" * 32)], "figures")


@pytest.fixture(scope="module")
def report(plan: Plan) -> Report:
    return made(plan, runs())


def text_of(report: Report) -> str:
    return render_markdown(report, METHODS)


def test_the_page_is_whole_and_loads_nothing(report: Report) -> None:
    text = render_html(report, METHODS)
    page = Page(text)
    assert page.open == []
    assert {reference[1:] for reference in page.references} <= set(page.ids)
    assert not re.search(r"@import|url\((?!#)|<script|<link", text)
    assert len(page.ids) == len(set(page.ids))


def test_figures_follow_the_scheme_and_are_files_too(report: Report) -> None:
    assert len({drawn.name for drawn in report.figures}) == len(report.figures)
    for drawn in report.figures:
        assert set(re.findall(r"#[0-9a-fA-F]{6}\b", drawn.svg)) <= {"#000000", "#ffffff"}
        assert ElementTree.fromstring(standalone(drawn.svg)).get("aria-label")
        assert f"]({drawn.path})" in text_of(report)


def test_the_order_in_which_runs_are_given_changes_nothing(plan: Plan, report: Report) -> None:
    again = made(plan, runs()[::-1])
    assert render_html(again, METHODS) == render_html(report, METHODS)
    assert text_of(again) == text_of(report)


def test_the_table_of_runs_has_the_sums_of_the_rows(report: Report) -> None:
    rows = {row[0]: row[1:] for row in report.summary.rows}
    assert list(rows) == ["`grpo-seed0`", "`grpo-seed1`", "`ppo-seed0`", "`random-reward-seed0`"]
    # Four steps of 8 completions and 40 tokens, two wasted in each, or all 8 in the step without an update.
    assert rows["`ppo-seed0`"] == ["4", "32", "8 (25.0\u00a0%)", "4", "4", "160", "120"]
    assert rows["`random-reward-seed0`"] == ["4", "32", "14 (43.8\u00a0%)", "4", "3", "160", "90"]


def test_completions_to_a_rate_are_those_of_the_smoothed_curve(report: Report) -> None:
    (table,) = report.evaluations[0].parts[1].tables
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["`ppo-seed0`"] == ["8 (step 0)", "32 (step 3)", "25.0\u00a0%", "87.5\u00a0%", "87.5\u00a0%"]
    assert rows["`grpo-seed0`"][:2] == ["8 (step 0)", "8 (step 0)"]
    # 2 of 8, then 2 of 16, 2 of 16, 4 of 16.
    assert rows["`random-reward-seed0`"] == [
        "8 (step 0)",
        "not reached",
        "25.0\u00a0%",
        "25.0\u00a0%",
        "25.0\u00a0%",
    ]


def test_the_phase_table_sets_the_first_third_against_the_last(report: Report) -> None:
    (table,) = report.evaluations[2].parts[0].tables
    assert table.header[:5] == ["ending", "`grpo` first", "`grpo` last", "`ppo` first", "`ppo` last"]
    rows = {row[0]: row[1:] for row in table.rows}
    # A third of four steps is one; the seeds of grpo run in opposite directions.
    assert rows["hidden: passed"][:4] == [
        "10 (62.5\u00a0%)",
        "10 (62.5\u00a0%)",
        "2 (25.0\u00a0%)",
        "8 (100.0\u00a0%)",
    ]
    assert rows["all"][:4] == ["16", "16", "8", "8"]


def test_no_sentence_says_that_an_arm_did_better(report: Report) -> None:
    text = text_of(report)
    disclaimer = "Curves that differ here do not show that one arm is better than another."
    assert disclaimer in text
    assert "`reports/evidence`" in text
    text = text.replace(disclaimer, "")
    assert re.findall(r"\b(improve\w*|better|worse|best|faster|outperform\w*|significan\w*)\b", text) == []


def test_the_report_holds_no_seconds(report: Report) -> None:
    assert not re.search(r"\d (s|seconds|MB)\b", text_of(report))


def test_only_what_was_recorded_is_drawn(plan: Plan, report: Report) -> None:
    names = {drawn.name for drawn in report.figures}
    assert {"value-loss", "explained-variance", "entropy", "ratio-ppo", "advantages-grpo"} <= names
    assert "reference-divergence" not in names
    assert "No run measured how far its policy went from the base" in text_of(report)
    far = made_step(0, 4, reference_divergence=0.2, updates=4)
    other = made(plan, [made_run("grpo", [far])])
    names = {drawn.name for drawn in other.figures}
    assert "reference-divergence" in names
    assert "value-loss" not in names
    assert "`grpo`: several updates a step" in text_of(other)
    assert "No run measured" not in text_of(other)


@pytest.mark.parametrize(
    "steps",
    [
        [without_update(0)],
        [made_step(0, 0, 0, endings={}, informative=None, mean_tokens=None, wasted=0)],
        [made_step(place, 8) for place in range(120)],
    ],
    ids=["nothing learned", "nothing drawn", "many steps"],
)
def test_every_run_has_a_report(plan: Plan, steps: list) -> None:
    text = text_of(made(plan, [made_run("format-reward", steps)]))
    assert not re.search(r"\b(nan|inf|None)\b", text)
    assert Page(render_html(made(plan, [made_run("format-reward", steps)]), METHODS)).open == []


def test_settings_are_shown_once_where_arms_agree_and_beside_each_other_where_not(
    plan: Plan, report: Report
) -> None:
    (table,) = report.tasksets[0].tables
    assert table.header == ["setting", "all arms"]
    clipped = {"clip_low": 0.1}
    other = made(plan, [made_run("grpo", RISING), made_run("ppo", RISING, loss=clipped, checkpoint_every=2)])
    (table,) = other.tasksets[0].tables
    rows = {row[0]: row[1:] for row in table.rows}
    assert table.header == ["setting", "`grpo`", "`ppo`"]
    assert rows["`loss.clip_low`"] == ["0.2", "0.1"]
    assert rows["`checkpoint_every`"] == ["4", "2"]
    assert "`loss.clip_low` and `checkpoint_every`" in other.tasksets[0].paragraphs[0]


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        ("hidden: passed", "right"),
        ("hidden: timeout", "fails hidden tests"),
        ("public: failed", "fails public tests"),
        ("import: error", "cannot be run"),
        ("parse: failed", "no program"),
        ("public: infrastructure", "fault of the judge"),
    ],
)
def test_every_ending_has_its_kind(ending: str, kind: str) -> None:
    assert ending_kind(ending) == kind


def test_the_page_of_costs_has_the_seconds_of_the_rows() -> None:
    own = [made_run("ppo", RISING), made_run("grpo", [made_step(place, 0) for place in range(4)])]
    timings = {run.name: made_timings(4) for run in own}
    page = compose_costs("Costs", by_arm(own), timings, [0.25, 0.75], 2, [])
    # Steps of 6 seconds, the first of 8; 160 tokens in 8 seconds, 120 in 14.
    assert page.summary.rows[1] == ["`ppo-seed0`", "4", "26.0", "20", "9", "103"]
    stages, reached = (part.tables[0].rows for part in page.evaluations[0].parts)
    assert stages[1] == ["`ppo-seed0`", "2.00", "1.00", "3.50", "6.50", "8.00", "6.00"]
    assert reached == [["`grpo-seed0`", "not reached", "not reached"], ["`ppo-seed0`", "8.0", "26.0"]]


def test_a_file_named_in_code_becomes_a_link() -> None:
    targets = {"a/b.md": "../a/b.md"}
    assert link_markdown("see `a/b.md`, not `a/c.md`", targets) == "see [`a/b.md`](../a/b.md), not `a/c.md`"
    assert link_html("<code>a/b.md</code>", targets) == '<a href="../a/b.md"><code>a/b.md</code></a>'
