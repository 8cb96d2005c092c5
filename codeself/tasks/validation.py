"""What must not be wrong with a task set before a policy sees it.

Errors: a hidden or locked test that can be read in the prompt, the starter code or a public test (the same
call with the same result, however it is written); a reference solution that can be read there; an id that
stands twice; a task that is there twice. Warnings: near-duplicates in different families, which a split by
hash puts on one side.
Public datasets have such flaws of their own (HumanEval's check repeats examples of its docstrings, MBPP has a
task twice). `allow_origin_leaks` turns those two, leaks of hidden tests and repeated tasks, into warnings; a
locked test or a reference solution that can be read is an error for every task set.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from codeself.records.base import Record
from codeself.records.tasks import CheckTest, Task
from codeself.tasks.examples import facts_of_test, shown_by
from codeself.tasks.similarity import near_duplicates
from codeself.tasks.syntax import parse

Rule = Literal[
    "duplicate_id",
    "duplicate_task",
    "hidden_test_shown",
    "locked_test_shown",
    "solution_shown",
    "near_duplicate",
]
# Below this many syntax nodes a body is what anybody would write ("return n * 2"), not a secret.
TRIVIAL_NODES = 8


class Finding(Record):
    """One thing that is wrong, or that should be known, about one task."""

    rule: Rule
    severity: Literal["error", "warning"]
    task_id: str
    detail: str


class ValidationReport(Record):
    """All findings of one task set. It is valid when none is an error."""

    tasks: int
    tests: dict[str, int]
    allow_origin_leaks: bool
    errors: int
    warnings: dict[str, int]
    findings: tuple[Finding, ...]


def validate_tasks(tasks: Sequence[Task], *, allow_origin_leaks: bool = False) -> ValidationReport:
    """Look for leaks and duplicates. Findings are in the order of tasks."""
    lenient: Literal["error", "warning"] = "warning" if allow_origin_leaks else "error"
    findings = list(_repeated_ids(tasks))
    for task in tasks:
        findings.extend(_shown_tests(task, lenient))
        if place := shown_solution(task):
            findings.append(
                Finding(
                    rule="solution_shown",
                    severity="error",
                    task_id=task.task_id,
                    detail=f"its reference solution stands in its {place}",
                )
            )
    findings.extend(_repeated_tasks(tasks, lenient))
    findings.extend(_alike(tasks))
    return ValidationReport(
        tasks=len(tasks),
        tests={v: sum(len(task.tests(v)) for task in tasks) for v in ("public", "hidden", "locked")},
        allow_origin_leaks=allow_origin_leaks,
        errors=sum(finding.severity == "error" for finding in findings),
        warnings=dict(sorted(Counter(f.rule for f in findings if f.severity == "warning").items())),
        findings=tuple(findings),
    )


def _repeated_ids(tasks: Sequence[Task]) -> Iterator[Finding]:
    for task_id, count in Counter(task.task_id for task in tasks).items():
        if count > 1:
            yield Finding(
                rule="duplicate_id", severity="error", task_id=task_id, detail=f"its id stands {count} times"
            )


def _shown_tests(task: Task, lenient: Literal["error", "warning"]) -> Iterator[Finding]:
    known = shown_by(task)
    for test in task.hidden_tests:
        shown = sorted(fact.call for fact in facts_of_test(test, task.entry_point) if known.holds(fact))
        if shown:
            what = (
                f"{len(shown)} of the asserts in its check"
                if isinstance(test, CheckTest)
                else "a hidden test"
            )
            yield Finding(
                rule="hidden_test_shown",
                severity=lenient,
                task_id=task.task_id,
                detail=f"{what} can be read in its prompt, starter code or public tests:"
                f" {task.entry_point}{_short(shown[0])}",
            )
    for test in task.locked_tests:
        for fact in facts_of_test(test, task.entry_point):
            if known.holds(fact):
                yield Finding(
                    rule="locked_test_shown",
                    severity="error",
                    task_id=task.task_id,
                    detail="a locked test can be read in its prompt, starter code or public tests:"
                    f" {task.entry_point}{_short(fact.call)}",
                )


def shown_solution(task: Task) -> str | None:
    """Where the body of the reference's entry point can be read: "prompt", "starter code" or None."""
    bodies = [body for body in _bodies(task.reference_solution, task.entry_point) if len(body) > 0]
    if not bodies:
        return None
    for place, text in (("prompt", task.prompt), ("starter code", task.starter_code)):
        squeezed = _squeeze(text)
        if any(body in squeezed for body in bodies):
            return place
    return None


def _bodies(source: str, name: str) -> set[str]:
    """The entry point's body as written and as Python writes it: no docstring, comments or white space."""
    try:
        tree = parse(source)
    except (SyntaxError, ValueError):
        return set()
    function = next((n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name), None)
    if function is None:
        return set()
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if sum(1 for statement in body for _ in ast.walk(statement)) < TRIVIAL_NODES:
        return set()
    written = "\n".join(ast.get_source_segment(source, statement) or "" for statement in body)
    return {_squeeze(written), _squeeze("\n".join(map(ast.unparse, body)))} - {""}


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", "", re.sub(r"#[^\n]*", "", text)).replace('"', "'")


def _repeated_tasks(tasks: Sequence[Task], lenient: Literal["error", "warning"]) -> Iterator[Finding]:
    first: dict[tuple[str, str], str] = {}
    for task in tasks:
        key = (" ".join(task.prompt.lower().split()) + task.starter_code, _squeeze(task.reference_solution))
        if key in first and first[key] != task.task_id:
            yield Finding(
                rule="duplicate_task",
                severity=lenient,
                task_id=task.task_id,
                detail=f"it has the prompt and the reference solution of '{first[key]}'",
            )
        first.setdefault(key, task.task_id)


def _alike(tasks: Sequence[Task]) -> Iterator[Finding]:
    for pair in near_duplicates(tasks):
        first, second = tasks[pair.first], tasks[pair.second]
        if first.family != second.family:
            yield Finding(
                rule="near_duplicate",
                severity="warning",
                task_id=second.task_id,
                detail=f"it is {pair.similarity:.0%} like '{first.task_id}' of another family",
            )


def _short(text: str, width: int = 80) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
