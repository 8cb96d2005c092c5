"""Runs a task's tests, on the judge's side, against a candidate behind proxies.

Tests are trusted source: they come with the task. Nothing of the candidate's is ever executed here.
"""

from __future__ import annotations

import builtins
import importlib
import random
import reprlib
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from codeself.records import values
from codeself.records.tasks import AssertTest, CallTest, CheckTest, Task
from codeself.records.verdicts import PhaseResult, Status
from codeself.sandbox.comparison import matches
from codeself.sandbox.details import detail_text
from codeself.sandbox.handles import Handle
from codeself.sandbox.proxy import Remote
from codeself.sandbox.raised import builtin_name
from codeself.sandbox.session import CandidateEnded
from codeself.sandbox.sources import compiled, holds_nothing, read_reference

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 120
_repr.maxlist = _repr.maxtuple = _repr.maxset = _repr.maxdict = 12


class TestScope(dict[str, Any]):
    """The globals of tests. A name that the tests do not define is a standard module or the candidate's.

    Standard modules come first, and what the reference imports: a candidate cannot supply its own `math` or
    `isclose` to the tests that judge it.
    """

    __test__ = False  # not a pytest class

    def __init__(self, remote: Remote, task: Task) -> None:
        super().__init__(__name__="tests")
        self._remote = remote
        self._reference = read_reference(task.reference_solution)
        remote.classes = self._reference.classes
        remote.classes_asked_for = task.entry_point in remote.classes
        self[task.entry_point] = self["candidate"] = remote.function(task.entry_point)
        if task.setup_code:
            # MBPP's setup code calls the candidate's classes, so it runs once for each candidate.
            exec(compiled(task.setup_code), self)
            self[task.entry_point] = self["candidate"] = remote.function(task.entry_point)

    def __missing__(self, name: str) -> Any:
        if hasattr(builtins, name):
            raise KeyError(name)
        if name in sys.stdlib_module_names:
            self[name] = importlib.import_module(name)
        elif name in self._reference.imports:
            self[name] = self._reference.imported(name)
        else:
            self[name] = self._remote.get_global(name)
        return self[name]


def run_tests(
    remote: Remote, task: Task, tests: Sequence[CallTest | AssertTest | CheckTest], show: bool
) -> PhaseResult:
    """Run every test; a wrong answer does not stop the later ones, the end of the candidate does.

    show: whether the detail may say what was called, returned and expected (public tests only).
    """
    passed = 0
    failure: tuple[Status, str] | None = None
    if "random" in task.setup_code or any("random" in t.source for t in tests if not isinstance(t, CallTest)):
        random.seed(0)  # such a check draws its inputs
    scope: TestScope | None = None
    functions = frozenset((task.entry_point, "candidate"))
    for number, test in enumerate(tests, start=1):
        try:
            source = "" if isinstance(test, CallTest) else test.source
            remote.start_test(source, bool(task.setup_code) or not holds_nothing(source, functions))
            if isinstance(test, CallTest):
                trouble = _run_call(remote, task.entry_point, test, show)
            else:
                if scope is None:
                    scope = TestScope(remote, task)
                trouble = _run_source(scope, test)
        except CandidateEnded as ended:
            remote.ended = ended
        except AssertionError as error:
            trouble = ("failed", f"assertion does not hold{_shown(show, error)}")
        except RecursionError:
            trouble = ("error", "raised RecursionError")
        except (Exception, SystemExit) as error:
            # The name of a type of the candidate's could tell what it was asked.
            name = type(error).__name__ if show else builtin_name(error)
            trouble = ("error", f"raised {name}{_shown(show, error)}")
        if remote.ended is not None:  # whether or not the test let it through
            end = remote.ended
            return PhaseResult(
                status=end.status,
                passed=passed,
                total=len(tests),
                detail=detail_text(f"test {number}: {end.detail}"),
            )
        if trouble is None:
            passed += 1
        elif failure is None:
            failure = (trouble[0], f"test {number}: {trouble[1]}")
    if failure is None:
        return _all_passed(passed)
    return PhaseResult(status=failure[0], passed=passed, total=len(tests), detail=detail_text(failure[1]))


@lru_cache(maxsize=256)
def _all_passed(tests: int) -> PhaseResult:
    return PhaseResult(status="passed", passed=tests, total=tests)


def _run_call(remote: Remote, entry_point: str, test: CallTest, show: bool) -> tuple[Status, str] | None:
    returned = remote.ask_encoded(entry_point, list(test.args), test.kwargs)
    expected = values.decode(test.expected)
    if not isinstance(returned, Handle) and matches(test, expected, returned):
        return None
    if not show:
        return "failed", "wrong answer"
    call = _call_text(entry_point, test)
    return "failed", f"{call} returned {_text(returned)}, expected {_text(expected)}"


def _run_source(scope: TestScope, test: AssertTest | CheckTest) -> tuple[Status, str] | None:
    exec(compiled(test.source), scope)
    if isinstance(test, CheckTest):
        scope["check"](scope["candidate"])
    return None


def _call_text(entry_point: str, test: CallTest) -> str:
    parts = [_text(values.decode(item)) for item in test.args]
    parts += [f"{key}={_text(values.decode(item))}" for key, item in test.kwargs.items()]
    return f"{entry_point}({', '.join(parts)})"


def _text(value: Any) -> str:
    try:
        return _repr.repr(value)
    except ValueError:  # integers of thousands of digits have no text
        return f"a large {type(value).__name__}"


def _shown(show: bool, error: BaseException) -> str:
    try:
        return f": {error}" if show and str(error) else ""
    except ValueError:
        return ""
