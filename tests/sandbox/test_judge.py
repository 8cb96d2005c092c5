"""What a verdict must say, phase by phase, for programs of every kind."""

from __future__ import annotations

import pytest

from codeself.records.judging import JudgeConfig
from codeself.records.verdicts import Candidate
from codeself.sandbox.judge import Judge
from tests.sandbox.conftest import TIGHT, make_task

LIAR = """
class Liar:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    def __gt__(self, other): return True
    def __sub__(self, other): return self
    def __rsub__(self, other): return self
    def __abs__(self): return self
    def __contains__(self, item): return True
def f(x): return Liar()
"""


@pytest.mark.parametrize(
    ("program", "phase", "status"),
    [
        ("def f(x): return x", "hidden", "failed"),
        ("def f(x): pass", "hidden", "failed"),
        ("def f(x): raise KeyError(x)", "hidden", "error"),
        ("def g(x): return sorted(x)", "hidden", "error"),
        ("def f(x):\n while True: pass", "hidden", "timeout"),
        ("import time\ndef f(x): time.sleep(60)", "hidden", "timeout"),
        ("while True: pass", "import", "timeout"),
        ("def f(x: return x", "syntax", "error"),
        ("import no_such_module_anywhere", "import", "error"),
        ("import sys; sys.exit(0)", "import", "error"),
        ("import os; os._exit(0)", "import", "crashed"),
        ("def f(x):\n import os; os._exit(0)", "hidden", "crashed"),
        ("def f(x):\n import ctypes; ctypes.string_at(0)", "hidden", "crashed"),
        ("def f(x): return bytearray(1 << 31)", "hidden", "memory"),
        ("def f(x):\n while True: print('x' * 1000)", "hidden", "output"),
        ("def f(x): return 'x' * (9 << 20)", "hidden", "output"),
        ("def f(x): return f(x)", "hidden", "error"),
        ("import os\ndef f(x):\n os.write(3, b'\\xff' * 100); return x", "hidden", "output"),
        (LIAR, "hidden", "failed"),
        ("class L(list):\n def __eq__(self, o): return True\ndef f(x): return L()", "hidden", "failed"),
    ],
)
def test_a_program_that_is_not_right_ends_in_its_own_phase_and_status(grade, program, phase, status):
    verdict = grade(program)
    assert (verdict.decided_by, verdict.status) == (phase, status), verdict.phases[phase].detail
    assert not verdict.correct


@pytest.mark.parametrize(
    "program",
    [
        "def f(x): return sorted(x)",
        "f = sorted",
        "f = lambda x: sorted(x)",
        "class C:\n def __call__(self, x): return sorted(x)\nf = C()",
        "from typing import List\ndef f(x: List[int]) -> List[int]:\n    print('noise')\n    return sorted(x)",
        "class L(list): pass\ndef f(x): return L(sorted(x))",
        "import threading\ndef f(x):\n out = []\n t = threading.Thread(target=lambda: out.extend(sorted(x)))\n"
        " t.start(); t.join(); return out",
        "import asyncio\nasync def g(x): return sorted(x)\ndef f(x): return asyncio.run(g(x))",
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    n: int\ndef f(x): return [p.n for p in "
        "sorted((P(i) for i in x), key=lambda p: p.n)]",
        "if __name__ == '__main__':\n    raise SystemExit\ndef f(x): return sorted(x)",
    ],
)
def test_every_honest_way_to_be_right_passes(grade, program):
    verdict = grade(program, public_tests=[{"args": [[3, 1]], "expected": [1, 3]}])
    assert verdict.correct, verdict.phases
    assert verdict.phases["public"].passed == verdict.phases["hidden"].passed == 1


def test_a_lying_object_does_not_pass_tests_that_compute_with_it(grade):
    for source in ("assert f(1) == 5", "assert abs(f(1) - 5) < 1e-6", "assert f(1) > 3", "assert 5 in f(1)"):
        assert not grade(LIAR, hidden_tests=[{"assert": source}]).correct, source


def test_locked_tests_run_only_when_asked_for_and_decide_alone(grade):
    locked = [{"args": [[1, 1]], "expected": [1]}]
    program = "def f(x): return sorted(x)"
    without = grade(program, locked_tests=locked)
    assert without.correct
    assert without.correct_locked is None
    assert without.phases["locked"].status == "skipped"
    with_locked = grade(program, locked_tests=locked, locked=True)
    assert with_locked.correct
    assert with_locked.correct_locked is False


def test_a_failed_public_test_spares_the_hidden_ones_and_says_what_was_expected(grade):
    verdict = grade("def f(x): return x", public_tests=[{"args": [[2, 1]], "expected": [1, 2]}])
    assert verdict.phases["hidden"].status == "skipped"
    assert verdict.phases["public"].detail == "test 1: f([2, 1]) returned [2, 1], expected [1, 2]"


def test_the_detail_of_a_hidden_test_tells_nothing_of_it(grade):
    verdict = grade("def f(x): return 123456", hidden_tests=[{"args": [777], "expected": 888}])
    assert "777" not in verdict.phases["hidden"].detail
    assert "888" not in verdict.phases["hidden"].detail


def test_statements_and_check_functions_run_unchanged(grade):
    tests = [
        {"assert": "x = [3, 1]\nassert f(x) == [1, 3]\nassert x == [3, 1]"},
        {"check": "def check(candidate):\n    assert math.isclose(sum(candidate([2.5, 1])), 3.5)"},
    ]
    assert grade("def f(x): return sorted(x)", hidden_tests=tests).correct
    assert not grade("def f(x): x.sort(); return x", hidden_tests=tests).correct


def test_in_place_changes_of_arguments_come_back(grade):
    test = {
        "assert": "x = [3, [2, 1]]\ny = x[1]\nassert f(x) is None\nassert y == [1, 2] and x == [3, [1, 2], 9]"
    }
    assert grade("def f(x):\n x[1].sort(); x.append(9)", hidden_tests=[test]).correct
    test = {"assert": "x = {'a': [2, 1]}\nf(x)\nassert x == {'a': [1, 2], 'b': 0}"}
    assert grade("def f(x):\n x['a'].sort(); x['b'] = 0", hidden_tests=[test]).correct


def test_functions_passed_by_tests_are_called_where_they_live(grade):
    test = {
        "assert": "seen = []\nassert f(lambda n: seen.append(n) or n * 2) == [2, 4]\nassert seen == [1, 2]"
    }
    assert grade("def f(g): return [g(1), g(2)]", hidden_tests=[test]).correct


def test_objects_of_the_candidates_own_classes_can_be_used_but_never_compared(grade):
    program = (
        "class Node:\n def __init__(self, n): self.n = n; self.next = None\n def get(self): return self.n\n"
        "def f(node): return node.n + node.next.get()"
    )
    test = {
        "assert": "a = Node(1)\na.next = Node(2)\nassert f(a) == 3 and a.n == 1\nassert a.next.get() == 2"
    }
    assert grade(program, hidden_tests=[test]).correct
    assert not grade(program, hidden_tests=[{"assert": "a = Node(1)\nassert a == a"}]).correct


def test_generators_and_iterators_can_be_consumed(grade):
    program = "def f(n):\n for i in range(n): yield i"
    test = {"assert": "assert list(f(3)) == [0, 1, 2]\ng = f(2)\nassert next(g) == 0 and next(g) == 1"}
    assert grade(program, hidden_tests=[test]).correct


def test_exceptions_arrive_as_the_builtin_type_they_derive_from(grade):
    program = "class Mine(ValueError): pass\ndef f(x): raise Mine('no')"
    test = {
        "assert": "try:\n    f(1)\nexcept ValueError as e:\n    assert str(e) == 'no'\nelse:\n    assert False"
    }
    assert grade(program, hidden_tests=[test]).correct


def test_a_test_that_catches_everything_cannot_save_a_candidate_that_ended(grade):
    test = {"assert": "try:\n    f(1)\nexcept Exception:\n    pass"}
    assert grade("def f(x): raise ValueError", hidden_tests=[test]).correct
    assert grade("def f(x):\n import os; os._exit(0)", hidden_tests=[test]).status == "crashed"
    assert grade("def f(x): raise SystemExit", hidden_tests=[test]).status == "error"
    assert grade("def f(x):\n while 1: pass", hidden_tests=[test]).status == "timeout"


def test_a_candidate_cannot_supply_the_modules_that_tests_use(grade):
    program = "class math:\n    @staticmethod\n    def isclose(a, b): return True\ndef f(x): return 0"
    assert not grade(program, hidden_tests=[{"assert": "assert math.isclose(f(1), 5)"}]).correct


def test_setup_code_is_the_judges_and_wins_over_the_candidates_names(grade):
    program = "def helper(x): return 5\ndef f(x): return x"
    changes = {
        "setup_code": "def helper(x): return x",
        "hidden_tests": [{"assert": "assert helper(f(1)) == 5"}],
    }
    assert not grade(program, **changes).correct


def test_no_state_passes_from_one_candidate_to_the_next(grade):
    leave = (
        "import sys, builtins, math\nbuiltins.mark = 1\nmath.mark = 1\nsys.modules['mark'] = sys\n"
        "def f(x): return sorted(x)"
    )
    find = (
        "import sys, builtins, math\ndef f(x):\n    assert 'mark' not in sys.modules\n"
        "    assert not hasattr(builtins, 'mark') and not hasattr(math, 'mark')\n    return sorted(x)"
    )
    assert grade(leave).correct
    assert grade(find).correct


def test_a_scan_that_blocks_refuses_and_one_that_warns_records():
    candidate = Candidate(status="parsed", program="import os\ndef f(x): return sorted(x)")
    with Judge(JudgeConfig(scan="block", limits=TIGHT)) as judge:
        verdict = judge.verdict(make_task(), candidate)
        assert (verdict.decided_by, verdict.status) == ("scan", "refused")
        assert verdict.findings[0].detail == "imports os"
        assert not verdict.correct


def test_an_unparsed_completion_is_decided_at_once(judge):
    verdict = judge.verdict(make_task(), Candidate(status="no_code"))
    assert (verdict.decided_by, verdict.status) == ("parse", "failed")
    assert verdict.phases["parse"].detail == "no_code"


def test_a_judge_outlives_the_loss_of_its_zygote():
    with Judge(JudgeConfig(limits=TIGHT)) as judge:
        judge._zygote(TIGHT)._process.kill()
        candidate = Candidate(status="parsed", program="def f(x): return sorted(x)")
        assert judge.verdict(make_task(), candidate).correct


def test_what_a_candidate_started_is_dead_afterwards(grade, tmp_path):
    mark = tmp_path / "mark"
    program = (
        f"import os, time\ndef f(x):\n try: pid = os.fork()\n except OSError: return sorted(x)\n if pid == 0:\n"
        f"  os.setsid(); time.sleep(0.7); open({str(mark)!r}, 'w').write('alive'); os._exit(0)\n return sorted(x)"
    )
    assert grade(program).correct
    import time

    time.sleep(1.0)
    assert not mark.exists()


def test_a_change_of_the_arguments_by_a_candidate_that_fails_its_public_test_is_a_wrong_answer():
    task = make_task(public_tests=[{"assert": "assert f([3, 1]) == [1, 3]"}])
    with Judge(JudgeConfig(limits=TIGHT)) as judge:
        verdict = judge.verdict(task, Candidate(status="parsed", program="def f(x): x.append(0); return 5"))
    assert (verdict.decided_by, verdict.status) == ("public", "failed")
