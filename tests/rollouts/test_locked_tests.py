"""Who may ask a judge for locked tests: a list that a new caller must be added to on purpose."""

from __future__ import annotations

import ast
from pathlib import Path

READERS = {
    "rollouts/grading.py",  # hands on what its caller asks for
    "cli/execute_rollouts.py",  # the final evaluation, on answers that open-locked-tests wrote down
    "cli/audit_tasks.py",  # reference solutions and wrong variants: no policy's answers
    "provenance/regrading.py",  # the recorded answers again
}


def test_nothing_else_asks_a_judge_for_locked_tests(root: Path) -> None:
    package = root / "codeself"
    found = set()
    for path in package.rglob("*.py"):
        name = path.relative_to(package).as_posix()
        if name.startswith("sandbox/"):  # the judge itself
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and asks(node):
                found.add(name)
    assert found == READERS


def asks(call: ast.Call) -> bool:
    """Whether a call of a judge hands on `locked` as anything but False, by name or as a job's fourth value."""
    called = getattr(call.func, "id", None) or getattr(call.func, "attr", None)
    if called not in ("Job", "grade", "verdict"):
        return False
    named = [keyword.value for keyword in call.keywords if keyword.arg == "locked"]
    placed = call.args[3:4] if called == "Job" else []
    return any(not (isinstance(value, ast.Constant) and value.value is False) for value in [*named, *placed])
