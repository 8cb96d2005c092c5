"""What a policy is told about its answer: public tests only, and nothing that was made with any other.

The judge is given a task from which hidden and locked tests were taken out, so that what is not there cannot leak.
"""

from __future__ import annotations

import ast
import re

from codeself.policies.showing import show_test
from codeself.policies.syntax import parse
from codeself.records import values
from codeself.records.tasks import AssertTest, CallTest, CheckTest, Task
from codeself.records.traces import PublicResult
from codeself.records.verdicts import PHASES, Verdict

_SAID_CHARACTERS = 240
_NUMBERED = re.compile(r"test (\d+): ")


def public_task(task: Task) -> Task:
    """The task as the loop's judge knows it. Its reference stays, as the measure of how long an answer may take.

    An assert that compares one call with a value becomes a call, so that what was returned can be told.
    """
    # Not validated on purpose: a task of the record has hidden tests, this one must not.
    return task.model_copy(
        update={
            "public_tests": tuple(_as_call(test, task.entry_point) for test in task.public_tests),
            "hidden_tests": (),
            "locked_tests": (),
            "wrong_variants": (),
            "metadata": {},
        }
    )


def observe(task: Task, verdict: Verdict) -> PublicResult:
    """The result of the public tests.

    Raises ValueError for a verdict that was made with more than public tests: it must never get this far.
    """
    if any(verdict.phases[phase].status != "skipped" for phase in PHASES[PHASES.index("public") + 1 :]):
        raise ValueError(f"task '{task.task_id}': the verdict saw more than public tests")
    deciding = verdict.phases[verdict.decided_by]
    counts = verdict.phases["public"]
    numbered = _NUMBERED.match(deciding.detail)
    number = int(numbered[1]) if numbered and verdict.decided_by == "public" else 0
    shown = show_test(task.public_tests[number - 1], task.entry_point) if number else ""
    said = deciding.detail[numbered.end() :] if numbered else deciding.detail
    return PublicResult(
        phase=verdict.decided_by,
        status=verdict.status,
        passed=counts.passed,
        total=len(task.public_tests),
        test=number,
        shown=shown,
        said=_one_line(said),
    )


def _as_call(test: CallTest | AssertTest | CheckTest, name: str) -> CallTest | AssertTest | CheckTest:
    """`assert name(1, [2]) == 3` as the call that it is; any other test as it is."""
    if not isinstance(test, AssertTest):
        return test
    tree = parse(test.source)
    match tree.body if tree is not None else []:
        case [
            ast.Assert(
                test=ast.Compare(
                    left=ast.Call(func=ast.Name(id=called), args=args, keywords=[]),
                    ops=[ast.Eq()],
                    comparators=[expected],
                ),
                msg=None,
            )
        ] if called == name:
            try:
                plain = [values.encode(ast.literal_eval(node)) for node in (*args, expected)]
            except (ValueError, TypeError, MemoryError, RecursionError, values.NotData):
                return test
            return CallTest(args=tuple(plain[:-1]), expected=plain[-1])
    return test


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SAID_CHARACTERS else line[: _SAID_CHARACTERS - 1] + "…"
