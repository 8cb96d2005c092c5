"""The baseline report: every number from the metrics, one page that loads nothing, the same bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from codeself.records.audits import AuditReport
from codeself.records.metrics import Metrics, TaskRow
from codeself.reports import power_words, sentences
from codeself.reports.baseline import compose
from codeself.reports.content import Report
from codeself.reports.drawing import standalone
from codeself.reports.pages import render_html, render_markdown
from codeself.reports.tasksets import describe, describe_audit, describe_splits
from tests.analysis.test_evaluation import run
from tests.evaluations import made_up

Evaluated = tuple[Metrics, Sequence[TaskRow]]


@pytest.fixture(scope="module")
def evaluated() -> list[Evaluated]:
    """Named families with locked tests, and many single-task families without."""
    many = made_up(families=70, variants=1, samples=4, locked=False, taskset="mbpp")
    one, other = run(made_up(families=8, variants=2, samples=4)), run(many)
    return [one, (other[0].model_copy(update={"taskset": "mbpp"}), other[1])]


@pytest.fixture(scope="module")
def report(evaluated: list[Evaluated]) -> Report:
    parts = [describe_splits(made_up(families=8, variants=2).splits)]
    return compose("A <title> & more", evaluated, parts, [("metrics.json", "ab" * 32)], "figures")


class Page(HTMLParser):
    """Checks that tags are closed, and collects what the page refers to."""

    VOID = frozenset(("meta", "br", "img", "link", "hr", "input"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.references: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.references += [
            value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "srcset")
        ]
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing(report: Report) -> None:
    text = render_html(report)
    page = Page(text)
    assert page.open == []
    assert "<title>A &lt;title&gt; &amp; more</title>" in text
    assert [reference for reference in page.references if not reference.startswith("#")] == []
    assert {reference[1:] for reference in page.references} <= set(page.ids)
    assert not re.search(r"@import|url\((?!#)|<script|<link", text)
    assert len(page.ids) == len(set(page.ids))


def test_both_schemes_have_every_colour(report: Report) -> None:
    text = render_html(report)
    used = set(re.findall(r"var\((--[a-z]+)\)", text))
    light, dark = text.split("@media (prefers-color-scheme: dark)", 1)
    assert used <= set(re.findall(r"(--[a-z]+):", light))
    assert used <= set(re.findall(r"(--[a-z]+):", dark.split("</style>")[0]))
    # No stand-in colour is left that could not change with the scheme.
    for drawn in report.figures:
        assert set(re.findall(r"#[0-9a-fA-F]{6}\b", drawn.svg)) <= {"#000000", "#ffffff"}


def test_a_report_is_the_same_bytes_each_time(evaluated: list[Evaluated], report: Report) -> None:
    again = compose("A <title> & more", evaluated, report.tasksets, [("metrics.json", "ab" * 32)], "figures")
    assert render_html(again) == render_html(report)
    assert render_markdown(again) == render_markdown(report)


def test_figures_are_files_of_their_own_too(report: Report) -> None:
    assert len({drawn.name for drawn in report.figures}) == len(report.figures)
    for drawn in report.figures:
        root = ElementTree.fromstring(standalone(drawn.svg))
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root.get("aria-label")
        assert not re.search(r"\d{4}-\d\d-\d\dT|matplotlib (v|\d)|dc:date", drawn.svg)


def test_markdown_shows_every_figure_and_sentence_of_the_page(report: Report) -> None:
    text = render_markdown(report)
    for evaluation in report.evaluations:
        assert f"\n## {evaluation.name}\n" in text
        for part in evaluation.parts:
            assert all(f"\n\n{paragraph}\n\n" in text for paragraph in part.paragraphs)
    for drawn in report.figures:
        assert f"]({drawn.path})" in text
    # A table's rows stand together and have as many cells as their header.
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
        assert len(block.splitlines()) >= 3


def test_templates_state_no_number_of_their_own(report: Report) -> None:
    """Each number in the page's prose is in the content that was composed, not in a template."""
    bare = Report(report.title, [], report.summary, [], [], report.inputs)
    before_methods = render_markdown(bare).split("## Methods")[0]
    rest = before_methods.replace(report.title, "")
    assert set(re.findall(r"\d+", rest)) <= set(re.findall(r"\d+", str(report.summary)))


def test_numbers_in_the_abstract_are_those_of_the_metrics(evaluated: list[Evaluated], report: Report) -> None:
    for (metrics, _), sentence in zip(evaluated, report.abstract, strict=True):
        main = metrics.main
        assert main.greedy is not None
        for estimate in (main.greedy, main.pass_at_k[0].estimate, main.pass_at_k[-1].estimate):
            for value in (estimate.value, estimate.low, estimate.high):
                assert f"{100 * value:.1f}" in sentence
        assert f"{main.tests} tests" in sentence
        assert f"{main.tasks} tasks" in sentence


def test_the_power_plan_is_put_in_words(evaluated: list[Evaluated]) -> None:
    metrics, _ = evaluated[0]
    text = " ".join(power_words.power(metrics))
    plan = metrics.power.paired
    assert plan is not None
    assert f"could detect a gain of {100 * plan.detectable_gain:.1f}\u00a0points" in text
    assert "correlate at 0.8" in text
    assert f"{plan.families_needed} families" in text


def test_certainty_is_never_rounded_up_to(evaluated: list[Evaluated]) -> None:
    metrics, _ = evaluated[0]
    plan = metrics.power.paired
    assert plan is not None
    sure = metrics.power.model_copy(update={"paired": plan.model_copy(update={"power_at_gain": 0.99999})})
    text = " ".join(power_words.power(metrics.model_copy(update={"power": sure})))
    assert "above 99.9\u00a0%" in text
    assert "100.0\u00a0%" not in text


def test_faults_of_the_judge_are_reported() -> None:
    metrics, _ = run(made_up(families=6, variants=2, samples=6), faults=2)
    assert "2 of 84 (2.4\u00a0%) completions without a result" in " ".join(sentences.measured(metrics))


@pytest.mark.parametrize(
    "settings", [{"samples": 0}, {"greedy": False}, {"right": 1e-9}, {"right": 1 - 1e-9}]
)
def test_every_shape_of_evaluation_has_a_report(settings: dict) -> None:
    made = made_up(**({"families": 3, "variants": 2, "samples": 4} | settings))
    report = compose("t", [run(made)], [], [], "figures")
    assert Page(render_html(report)).open == []
    assert "nan" not in render_markdown(report).lower()


def test_near_duplicates_on_two_sides_are_shown() -> None:
    splits = made_up(families=2).splits
    pair = {"first": "a/1", "second": "b/2", "similarity": 0.93, "splits": ("train", "test")}
    part = describe_splits(type(splits).model_validate(splits.model_dump() | {"near_duplicates": [pair]}))
    assert "1 pair of tasks read alike, and 1 of them stand on two sides" in " ".join(part.paragraphs)
    assert part.tables[-1].rows == [["`a/1` (train)", "`b/2` (test)", "0.93"]]


AUDIT = AuditReport(
    tasks=40,
    failed=(),
    wrong_variants=30,
    wrong_variants_rejected=30,
    mutants=200,
    mutants_rejected=190,
    mutation_score=0.95,
    rejected_by_locked_alone=3,
    audits=(),
)


def test_an_audit_is_put_in_words_beside_its_splits() -> None:
    parts = describe([made_up(families=2).splits], {"families": AUDIT, "mine": AUDIT})
    assert [part.heading for part in parts] == ["families", "mine"]
    text = " ".join(parts[0].paragraphs)
    assert "Whole families are dealt out" in text
    assert "30 of 30 (100.0\u00a0%) of the listed wrong programs" in text
    assert "they reject 190 (95.0\u00a0%); 10 live, and locked tests reject 3" in text
    assert "All 40 tasks pass the audit" in text


def test_tasks_that_fail_their_audit_are_named() -> None:
    failed = tuple(f"t/{number}" for number in range(11))
    words = describe_audit(AUDIT.model_copy(update={"failed": failed, "mutation_score": None}))
    assert "11 tasks of 40 fail the audit: `t/0`, " in words
    assert "`t/7` and 3 more." in words
    assert "mutant" not in words
