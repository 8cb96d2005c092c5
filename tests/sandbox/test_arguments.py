"""Arguments that a candidate changes: what the task asks for counts, what only misleads a test does not."""

from __future__ import annotations

import pytest

from codeself.records.judging import JudgeConfig
from codeself.records.verdicts import Candidate
from codeself.sandbox.attempt import Attempt
from codeself.sandbox.changes import can_change, same, update
from codeself.sandbox.judge import Judge
from codeself.sandbox.sources import holds_nothing
from tests.sandbox.conftest import TIGHT, make_task

NO_REFERENCE = "pass"  # what the judge is given where there is none
SORTED = "def f(x, *rest): return sorted(x)"


@pytest.mark.parametrize(
    ("program", "source", "reference"),
    [
        # What the test computes from its own argument is made to agree.
        ("def f(x): x.clear(); return []", "x = [3, 1]\nassert f(x) == sorted(x)", SORTED),
        ("def f(x): x.clear(); return []", "x = [3, 1]\nassert f(x) == sorted(x)", NO_REFERENCE),
        # The same beside a function, which is no data and never was changed.
        (
            "def f(x, key): x.clear(); return []",
            "x = [3, 1]\nassert f(x, lambda n: n) == sorted(x)",
            SORTED,
        ),
        ("def f(x, key): x.clear(); return []", "x = [3, 1]\nassert f(x, len) == sorted(x)", SORTED),
        # Inside a tuple, and in other containers.
        (
            "def f(t): t[0].clear(); return []",
            "t = ([3, 1],)\nassert f(t) == sorted(t[0])",
            "def f(t): return sorted(t[0])",
        ),
        (
            "def f(x): x.clear(); return 0",
            "from collections import Counter\nx = Counter('aab')\nassert f(x) == sum(x.values())",
            "def f(x): return sum(x.values())",
        ),
        # With None for an answer.
        ("def f(d, k): d.clear()", "d = {'a': 1}\nassert f(d, 'a') == d.get('a')", "def f(d, k): return d.get(k)"),
        ("def f(d, k): d.clear()", "d = {'a': 1}\nassert f(d, 'a') == d.get('a')", NO_REFERENCE),
        # By an exception.
        (
            "def f(d, k):\n    d.clear()\n    raise KeyError(k)",
            "d = {'a': 1}\ntry:\n    assert f(d, 'a') == 1\nexcept KeyError:\n    assert 'a' not in d",
            "def f(d, k): return d[k]",
        ),
    ],
)  # fmt: skip
def test_a_change_that_only_makes_the_test_agree_is_a_wrong_answer(grade, program, source, reference):
    assert not grade(program, hidden_tests=[{"assert": source}], reference_solution=reference).correct


def test_what_a_failed_call_left_behind_is_seen(grade):
    """Whether it is undone is part of many tasks: nothing is paid when the money is not there."""
    source = (
        "x = [5]\ntry:\n    f(x, 9)\nexcept ValueError:\n    pass\nelse:\n    assert False\nassert x == [5]"
    )
    undone = "def f(x, n):\n    if n > x[0]: raise ValueError(n)\n    x[0] -= n"
    broken = "def f(x, n):\n    x[0] -= n\n    if x[0] < 0: raise ValueError(n)"
    assert grade(undone, hidden_tests=[{"assert": source}], reference_solution=undone).correct
    assert not grade(broken, hidden_tests=[{"assert": source}], reference_solution=undone).correct


@pytest.mark.parametrize("reference", ["the program's own", NO_REFERENCE])
@pytest.mark.parametrize(
    ("program", "source"),
    [
        ("def f(x): x.sort()", "x = [3, 1]\nf(x)\nassert x == [1, 3]"),
        ("def f(x): x.sort()", "x = [3, 1]\nassert f(x) is None and x == [1, 3]"),
        ("def f(x): x.sort(); return x", "x = [3, 1]\nassert f(x) == [1, 3] and x == [1, 3]"),
        ("def f(x): x.sort(); return len(x)", "x = [3, 1]\nn = f(x)\nassert n == 2\nassert x == [1, 3]"),
        ("def f(t): t[0].sort()", "x = [3, 1]\nf((x, 1))\nassert x == [1, 3]"),
        ("def f(t): t[0][0].sort()", "x = [3, 1]\nf([(x, 1)])\nassert x == [1, 3]"),
        (
            "def f(c): c['b'] -= 1",
            "from collections import Counter\nc = Counter('ab')\nf(c)\nassert c == Counter(a=1, b=0)",
        ),
        (
            "def f(d): d.move_to_end('a')",
            "from collections import OrderedDict\nd = OrderedDict(a=1, b=2)\nf(d)\nassert [*d] == ['b', 'a']",
        ),
        ("def f(x, y): x.append(9)", "x = [1]\nf(x, x)\nassert x == [1, 9]"),
        ("def f(x, g): x.append(g(1))", "x = [1]\nf(x, lambda n: n + 1)\nassert x == [1, 2]"),
        ("def f(x): x.append(1)", "g = lambda: 5\nx = [g, len]\nf(x)\nassert x[0] is g and x[1] is len and x[2] == 1"),
        ("def f(g): return g", "g = lambda: 5\nassert f(g) is g"),
        ("def f(i): next(i); return i", "i = iter([1, 2])\nassert list(f(i)) == [2]"),
        (
            "def f(x): del x[:]; raise ValueError",
            "x = [1]\ntry:\n    f(x)\nexcept ValueError:\n    pass\nassert x == []",
        ),
    ],
)  # fmt: skip
def test_a_change_that_the_task_is_about_counts(grade, program, source, reference):
    reference = program if reference != NO_REFERENCE else NO_REFERENCE
    verdict = grade(program, hidden_tests=[{"assert": source}], reference_solution=reference)
    assert verdict.correct, verdict.phases["hidden"].detail


@pytest.mark.parametrize(
    ("source", "own"),
    [
        ("x = [1, 2]\nassert f(x) is x", True),
        ("x = [1, 2]\nassert f(x) is not x", False),
        ("x = [1, 2]\ny = f(x)\ny.append(3)\nassert x == [1, 2]", False),
        ("x = [1, 2]\ny = f(x)\ny[0] = 3\nassert x == [1, 2]", False),
        ("x = [1, 2]\ny = f(x)\nx.append(3)\ny.sort()\nassert y == [1, 2, 3]", True),
    ],
)
def test_an_argument_that_is_returned_is_told_from_a_copy(grade, source, own):
    itself, copy = "def f(x): return x", "def f(x): return x[:]"
    for program, reference in ((itself, copy), (copy, itself), (itself, NO_REFERENCE), (copy, NO_REFERENCE)):
        verdict = grade(program, hidden_tests=[{"assert": source}], reference_solution=reference)
        assert verdict.correct is (own == (program == itself)), program


def test_what_is_said_to_be_an_argument_must_be_equal_to_it(grade):
    """A list that says it is the argument, and is not: told by its content."""
    program = (
        "import sys\nframe = sys._getframe()\nwhile type(frame.f_locals.get('self')).__name__ != 'Candidate':\n"
        "    frame = frame.f_back\nharness = frame.f_locals['self']\nsend = harness._send\n"
        "harness._send = lambda frame: send(frame[:1] + [[9]] + [None, {place}] if frame[0] == 'value' else frame)\n"
        "def f(x): return x"
    )
    is_itself = [{"assert": "x = [1]\nassert f(x) is x"}]
    assert grade(program.replace("{place}", "0"), hidden_tests=is_itself).status == "failed"
    for place in ("1", "-1", "None", "True", "[]"):
        assert grade(program.replace("{place}", place), hidden_tests=is_itself).status == "output"


@pytest.mark.parametrize("source", ["x = [3, 1]\nassert f(x) == [1, 3]", "assert f([3, 1]) == [1, 3]"])
def test_a_change_in_passing_does_no_harm(grade, source):
    program = "def f(x):\n    x.sort()\n    return x"
    assert grade(program, hidden_tests=[{"assert": source}], reference_solution=SORTED).correct
    assert grade(program, hidden_tests=[{"assert": source}], reference_solution=NO_REFERENCE).correct


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("assert f([3, 1]) == [1, 3]", True),
        ("assert candidate({'a': [1]}, k=(2, [3])) == f([f([1])])", True),
        ("assert f(list(range(3))) in [[1], None], 'a message'", True),
        ("assert not any([f([1]), f([2])])", True),
        ("x = [3, 1]\nassert f(x) == [1, 3]", False),
        ("assert f(x) == [1, 3]", False),
        ("assert f(x := [3, 1]) == x", False),
        ("list = [3, 1]\nassert f(list) == list", False),
        ("for x in [[1], [2]]: assert f(x) == x", False),
        ("assert [f(x) for x in [[1], [2]]] == [[1], [2]]", False),
        ("assert (lambda x: f(x) == x)([1])", False),
        ("assert sorted([[2], [1]], key=f) == [[1], [2]]", False),
        ("def check(candidate):\n    x = [1]\n    assert candidate(x) == x", False),
        ("exec('x = [1]; assert f(x) == x')", False),
        ("assert f([3, 1]).pop() == 3", False),
        ("import math\nassert f([1]) == math.pi", False),
    ],
)
def test_a_test_that_holds_no_argument_is_known_by_its_source(source, expected):
    assert holds_nothing(source, frozenset(("f", "candidate"))) is expected


def test_nothing_is_asked_about_a_change_that_nobody_could_see(monkeypatch, grade):
    runs = []
    monkeypatch.setattr(Judge, "_reference_run", lambda self, *_: runs.append(1) or Attempt({}))
    program = "def f(x): x.sort(); return x"
    for source, asked in (("assert f([3, 1]) == [1, 3]", 0), ("x = [3, 1]\nassert f(x) == [1, 3]", 1)):
        assert grade(program, hidden_tests=[{"assert": source}], reference_solution=SORTED).correct
        assert len(runs) == asked


def test_a_library_function_that_a_test_passes_is_not_called_for_the_candidate(grade):
    """It is the candidate's to call in its own process, and only its own."""
    call = (
        "import sys\nframe = sys._getframe()\nwhile type(frame.f_locals.get('self')).__name__ != 'Candidate':\n"
        "    frame = frame.f_back\nharness = frame.f_locals['self']\n"
        "def f(g):\n    return harness.call_back(0, ('41 + 1',), {})"
    )
    verdict = grade(call, hidden_tests=[{"assert": "assert f(eval) == 42"}])
    assert verdict.status == "output", verdict.phases["hidden"]


def test_two_tasks_of_one_name_and_one_reference_are_two():
    program = "def f(x):\n    if x == [3, 1]:\n        x.sort()\n    return x"
    purposeful = make_task(
        reference_solution=program, hidden_tests=[{"assert": "x = [3, 1]\nassert f(x) == [1, 3] == x"}]
    )
    other = purposeful.model_copy(update={"hidden_tests": make_task().hidden_tests})
    with Judge(JudgeConfig(isolation="limits", limits=TIGHT)) as judge:
        judge._reference(other, TIGHT)
        assert judge.verdict(purposeful, Candidate(status="parsed", program=program)).correct


def test_same_data_has_the_same_types_throughout():
    nan = float("nan")
    for one, other in (
        ([1], [True]),
        ([1], [1.0]),
        ([1], (1,)),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ([object()], [object()]),
    ):
        assert not same(one, other)
    for value in ([1, (2, {3}), {"a": [nan]}], bytearray(b"ab"), {1: {2: 3}}):
        assert same(value, eval(repr(value), {"nan": float("nan")}))


def test_an_update_keeps_the_identity_of_every_part_that_can_change():
    inner, key = [1], {"k": [2]}
    ours = [inner, (inner, 5), key]
    update(ours, [[9], ([9], 5), {"k": [2, 3], "l": 0}])
    assert ours[0] is inner
    assert ours[1][0] is inner
    assert ours[2] is key
    assert ours == [[9], ([9], 5), {"k": [2, 3], "l": 0}]
    assert can_change((1, ([],)))
    assert not can_change((1, "a", (2,), frozenset({1})))
