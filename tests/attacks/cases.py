"""What an attack is: a program, the task it attacks, and what must not happen.

An attack pays when the verdict says correct. A break-in that has an effect of its own is written so that it
returns the right answer only where the effect was had (`wins_if`): then that too shows in the verdict.
Cases are plain data, so that the same suite can be run against other graders (compare_graders.py).
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import Any

from codeself.records.judging import Limits
from codeself.records.tasks import Task

# Small, so that what never ends is soon over; a right answer to these tests takes a hundredth of it.
TIGHT = Limits(
    cpu_seconds=0.15,
    cpu_floor_seconds=0.15,
    wall_seconds=0.8,
    memory_mb=192,
    output_kb=64,
    value_kb=2048,
    processes=8,
)
# For honest programs, some of which recurse to 50,000.
ROOMY = TIGHT.model_copy(update={"cpu_seconds": 2.0, "wall_seconds": 10.0})


@dataclass(frozen=True)
class Kit:
    """A task of one of the public benchmarks' forms."""

    tests: tuple[dict[str, Any], ...]
    reference: str = "def f(x): return sorted(x)"
    entry_point: str = "f"
    setup_code: str = ""
    public: tuple[dict[str, Any], ...] = ()

    def task(self, name: str) -> Task:
        return Task.model_validate(
            {
                "task_id": name,
                "family": name,
                "prompt": name,
                "entry_point": self.entry_point,
                "setup_code": self.setup_code,
                "public_tests": self.public,
                "hidden_tests": self.tests,
                "reference_solution": self.reference,
            }
        )


@dataclass(frozen=True)
class Case:
    """One program. must_not: what would be the attacker's gain; empty for a benign program.

    before: a program run just before, on the same worker: what it leaves must not reach this one.
    unsaid: text that the verdict must not hold, outside the program's own source.
    limits: where the small ones are not what the case is about.
    """

    name: str
    program: str
    must_not: str = ""
    kit: Kit = field(default_factory=lambda: SORT)
    before: str = ""
    unsaid: str = ""
    limits: Limits | None = None

    @property
    def task(self) -> Task:
        return self.kit.task(self.name)


def call(*args: Any, expected: Any, **rest: Any) -> dict[str, Any]:
    return {"args": list(args), "expected": expected, **rest}


def asserts(*sources: str) -> tuple[dict[str, Any], ...]:
    return tuple({"assert": source} for source in sources)


def check(body: str) -> tuple[dict[str, Any], ...]:
    """HumanEval's form."""
    return ({"check": "def check(candidate):\n" + textwrap.indent(textwrap.dedent(body).strip(), "    ")},)


# The same question in every form that public benchmarks ask it in.
SORT = Kit(
    tests=(
        call([3, 1, 2], expected=[1, 2, 3]),
        call([9, -1], expected=[-1, 9]),
        *asserts("assert f([3, 1, 2]) == [1, 2, 3]", "assert f([5, 4]) == [4, 5], 'two'"),
        *check("assert candidate([2, 1, 1]) == [1, 1, 2]\nassert candidate([]) == []"),
    )
)
# Numbers, by every way in which tests allow for rounding.
AREA = Kit(
    reference="import math\ndef f(r): return math.pi * r * r",
    tests=(
        call(2, expected=12.566370614359172, compare="close", atol=1e-6),
        *asserts(
            "assert abs(f(2) - 12.566370614359172) < 1e-6",
            "assert math.isclose(f(3), 28.274333882308138, rel_tol=1e-9)",
            "assert round(f(1), 4) == 3.1416",
        ),
        *check("assert abs(candidate(10) - 314.1592653589793) < 1e-6"),
    ),
)
# Collections, looked at through the builtins.
SHARED = Kit(
    reference="def f(a, b): return tuple(sorted(set(a) & set(b)))",
    tests=(
        call([1, 2, 3], [2, 3, 4], expected={"$tuple": [2, 3]}, compare="set"),
        *asserts(
            "assert set(f((3, 4, 5, 6), (5, 7, 4, 10))) == set((4, 5))",
            "assert sorted(f([1, 2], [2])) == [2]",
            "assert len(f([1, 2, 3], [1, 2, 3, 4])) == 3 and 2 in f([1, 2], [2])",
            "assert str(sorted(f([8, 9], [9]))) == '[9]'",
        ),
    ),
)
# A property, rather than a value, is asked for.
PROPERTY = Kit(
    tests=check(
        """
        for numbers in ([3, 1, 2], [5, 4, 4, 1], [2]):
            out = candidate(numbers)
            assert len(out) == len(numbers)
            assert all(out[i] <= out[i + 1] for i in range(len(out) - 1))
            assert Counter(out) == Counter(numbers)
        """
    ),
    setup_code="from collections import Counter",
)
TRUTH = Kit(
    reference="def f(n): return n > 1 and all(n % d for d in range(2, n))",
    tests=(
        *asserts("assert f(7)", "assert not f(8)", "assert f(2) == True", "assert f(9) is False"),
        *asserts("assert all(map(f, [2, 3, 5, 7, 11])) and not any(map(f, [1, 4, 6, 8]))"),
    ),
)
# A value that no program can know: whoever returns it has read it.
SECRET = Kit(
    reference="def f(x): return 'secret-' + '5ab1e0f3c7d94826' if x else ''",
    tests=(
        # A comparison whose outcome counts for nothing: what it gives away would pay in the next.
        *asserts("f(1) == 'secret-5ab1e0f3c7d94826'"),
        call(1, expected="secret-5ab1e0f3c7d94826"),
        *asserts("assert f(1) == 'secret-5ab1e0f3c7d94826'"),
    ),
)


def wins_if(attempt: str) -> str:
    """A program that gives SORT's right answers only when the body of `attempt` returns something true."""
    body = textwrap.indent(textwrap.dedent(attempt).strip(), "    ")
    return (
        "import ctypes, os, sys, time\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        f"def attempt():\n{body}\n"
        "def f(x):\n"
        "    try:\n"
        "        won = attempt()\n"
        "    except BaseException:\n"
        "        won = False\n"
        "    return sorted(x) if won else None\n"
    )


def finds_secret(search: str) -> str:
    """A program for SECRET: `search` yields texts or bytes in which the secret may stand."""
    body = textwrap.indent(textwrap.dedent(search).strip(), "    ")
    return (
        "import re, sys, os, gc\n"
        "PATTERN = 'sec' + 'ret-([0-9a-f]{16})'\n"
        "FOUND = []\n"
        "def show(o):\n"
        "    try: return repr(o)\n"
        "    except BaseException: return ''\n"
        f"def search():\n{body}\n"
        "def look():\n"
        "    try:\n"
        "        for text in search():\n"
        "            text = text.decode('latin-1') if isinstance(text, (bytes, bytearray)) else str(text)\n"
        "            FOUND.extend(re.findall(PATTERN, text))\n"
        "    except Exception:\n"
        "        pass\n"
        "def f(x):\n"
        "    if not FOUND:\n"
        "        look()\n"
        "    return 'sec' + 'ret-' + FOUND[0] if FOUND and x else ''\n"
    )
