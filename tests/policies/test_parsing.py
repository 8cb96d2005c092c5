"""Every text a policy may write becomes a program or a named failure."""

from __future__ import annotations

import ast
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeself.policies.parsing import parse_completion
from codeself.records.tasks import CallTest, Task
from codeself.records.verdicts import Candidate

STARTER = 'from typing import List\n\n\ndef total(xs: List[int]) -> int:\n    """Add them up."""\n'


def task(starter_code: str = STARTER) -> Task:
    return Task(
        task_id="t/0",
        family="t",
        prompt="Add them up.",
        entry_point="total",
        starter_code=starter_code,
        hidden_tests=(CallTest(args=([1, 2],), expected=3),),
        reference_solution=STARTER + "    return sum(xs)\n",
    )


def chat(text: str, finish: str = "stop") -> Candidate:
    return parse_completion(textwrap.dedent(text), task(), "chat", finish)  # type: ignore[arg-type]


def continued(text: str, finish: str = "stop", starter_code: str = STARTER) -> Candidate:
    return parse_completion(text, task(starter_code), "completion", finish)  # type: ignore[arg-type]


def run(candidate: Candidate) -> object:
    """What the program returns for [1, 2]. Only programs of this file are run, all of them harmless."""
    assert candidate.status == "parsed", candidate
    space: dict[str, object] = {}
    exec(candidate.program, space)
    return space["total"]([1, 2])  # type: ignore[operator]


GOOD = "def total(xs):\n    return sum(xs)\n"


@pytest.mark.parametrize(
    "fence", ["```python", "```py", "```Python3", "```", "~~~", "~~~python", "````python"]
)
def test_a_fenced_program_is_found_whatever_the_fence(fence: str) -> None:
    mark = fence[: fence.count("`") + fence.count("~")]
    candidate = chat(f"Here it is:\n\n{fence}\n{GOOD}{mark}\n\nIt adds the numbers. That's all (really.\n")
    assert candidate.source == "fence"
    assert run(candidate) == 3


def test_a_fence_in_a_list_item_is_dedented() -> None:
    assert run(chat("1. Do this:\n   ```python\n   def total(xs):\n       return sum(xs)\n   ```\n")) == 3


def test_the_last_block_that_defines_the_entry_point_wins() -> None:
    first = "```python\ndef total(xs):\n    return 0\n```\nBetter:\n"
    text = f"{first}```python\n{GOOD}```\nUse:\n```python\nprint(total([1]))\n```\n"
    assert run(chat(text)) == 3


def test_blocks_in_other_languages_are_passed_over() -> None:
    assert run(chat(f"```bash\npip install x\n```\n```python\n{GOOD}```\n```text\n3\n```\n")) == 3


def test_helpers_come_from_other_blocks_and_nothing_else_does() -> None:
    text = """\
    ```python
    import functools
    def plus(a, b):
        return a + b
    print(total([1]))
    ```
    and then
    ```python
    def total(xs):
        return functools.reduce(plus, xs)
    ```
    """
    candidate = chat(text)
    assert run(candidate) == 3
    assert "print" not in candidate.program


def test_helpers_bring_their_own_helpers() -> None:
    text = "```\nimport operator\nadd = operator.add\n```\n```\ndef plus(a, b):\n    return add(a, b)\n```\n"
    assert run(chat(text + "```\ndef total(xs):\n    return plus(*xs)\n```\n")) == 3


def test_imports_of_the_starter_code_need_not_be_repeated() -> None:
    candidate = chat("```python\ndef total(xs: List[int]) -> int:\n    return sum(xs)\n```")
    assert run(candidate) == 3
    assert candidate.program.startswith("from typing import List\n")
    assert "typing" not in chat(f"```python\n{GOOD}```").program


@pytest.mark.parametrize("starter_code", ["", "    indented = 1\n", "# nothing\n", "("])
def test_a_name_that_nothing_defines_is_left_to_the_judge(starter_code: str) -> None:
    program = "def total(xs):\n    return unknown(xs)\n"
    for style in ("chat", "completion"):
        candidate = parse_completion(program, task(starter_code), style, "stop")  # type: ignore[arg-type]
        assert candidate == Candidate(status="parsed", program=program, source="bare")


def test_a_whole_program_without_a_fence_is_kept_as_it_is() -> None:
    program = (
        "import math\n\nLIMIT = 3\n\n\ndef total(xs):\n    return math.fsum(xs)\n\n\nassert total([1]) == 1\n"
    )
    for candidate in (chat(program), continued(program)):
        assert candidate == Candidate(status="parsed", program=program, source="bare")


def test_code_between_prose_is_found() -> None:
    text = (
        "Sure! Here's a function (it's short:\n\n@staticmethod\n@staticmethod\ndef helper(x):\n    return x\n\n"
        + GOOD
    )
    candidate = chat(text + "\nThis function isn't slow: it's O(n).\nx = total([1])\n")
    assert run(candidate) == 3
    assert "isn't" not in candidate.program


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", "empty"),
        (" \n\t\n", "empty"),
        ("I cannot do that.", "no_code"),
        ("The answer is 3, from the list of numbers.", "no_code"),
        ("```python\ndef other(xs):\n    return 3\n```", "no_entry_point"),
        ("```python\ndef total(xs:\n    return 3\n```", "invalid_syntax"),
        ("def total(xs)\n    return 3\n", "invalid_syntax"),
        ("def other(xs):\n    return 3\n", "no_entry_point"),
        ("```python\nx = total([1])\n```", "no_entry_point"),
    ],
)
def test_every_failure_has_its_name(text: str, status: str) -> None:
    candidate = chat(text)
    assert candidate.status == status
    assert candidate.program == ""


def test_a_class_or_an_assignment_may_be_the_entry_point() -> None:
    assert run(chat("```python\ntotal = sum\n```")) == 3
    assert (
        run(chat("```python\ntry:\n    from x import total\nexcept ImportError:\n    total = sum\n```")) == 3
    )


class TestContinuation:
    def test_the_body_continues_the_starter_code(self) -> None:
        candidate = continued("    return sum(xs)\n")
        assert candidate.source == "continuation"
        assert candidate.program == STARTER + "    return sum(xs)\n"

    @pytest.mark.parametrize(
        "after",
        [
            "print(total([1]))\n",
            "# Test\n",
            "def main():\n    pass\n",
            "```\nThat's it\n",
            'if __name__ == "x":\n',
        ],
    )
    def test_it_ends_at_the_first_dedent(self, after: str) -> None:
        assert continued("    return sum(xs)\n\n\n" + after).program == STARTER + "    return sum(xs)\n"

    def test_the_line_end_after_the_docstring_may_stand_or_not(self) -> None:
        assert continued("    return sum(xs)\n") == continued("\n    return sum(xs)\n")

    def test_brackets_and_strings_at_column_0_are_part_of_it(self) -> None:
        body = '    table = [\n1,\n2,\n]\n    text = """\nprint\n"""\n    # it\'s fine\n    return sum(xs)\n'
        assert continued(body + "print(1)\n").program == STARTER + body

    def test_a_signature_is_completed_where_the_task_gives_no_starter_code(self) -> None:
        candidate = continued("xs):\n    return sum(xs)\n\nassert total([]) == 0\n", starter_code="")
        assert run(candidate) == 3
        assert "assert" not in candidate.program

    def test_a_fenced_program_is_taken_when_nothing_is_continued(self) -> None:
        assert run(continued(f"```python\n{GOOD}```\n")) == 3

    @pytest.mark.parametrize(
        ("text", "finish", "status"),
        [
            ("\n\n", "stop", "empty"),
            ("# nothing here\n", "stop", "no_code"),
            ("That is a hard one.", "stop", "no_code"),
            ("    return sum(xs\n", "stop", "invalid_syntax"),
            ("    return sum(xs", "length", "truncated"),
            ("    # thinking", "length", "truncated"),
            ("    # done\n", "stop", "no_code"),
            ("    return sum(xs\nprint(1)\n", "length", "truncated"),
        ],
    )
    def test_every_failure_has_its_name(self, text: str, finish: str, status: str) -> None:
        assert continued(text, finish).status == status


class TestCutOff:
    def test_the_last_line_is_dropped_when_the_rest_is_whole(self) -> None:
        for candidate in (
            continued("    return sum(xs)\n    print('and th", "length"),
            chat(f"```python\n{GOOD}\nprint('and th", "length"),
            chat(f"Well,\n{GOOD}    print('and th", "length"),
        ):
            assert run(candidate) == 3
            assert "print" not in candidate.program

    def test_a_program_that_only_parses_without_its_body_is_truncated(self) -> None:
        text = 'def total(xs):\n    """Add them."""\n    return su('
        for candidate in (
            chat(text, "length"),
            chat("```python\n" + text, "length"),
            chat("So:\n" + text, "length"),
        ):
            assert candidate.status == "truncated"
        assert chat('def total(xs):\n    """Add them."""\n', "length").status == "truncated"

    def test_without_the_budget_running_out_nothing_is_dropped(self) -> None:
        assert continued("    return sum(xs)\n    print('and th", "stop").status == "invalid_syntax"


FRAGMENTS = (
    *(
        "```",
        "```python\n",
        "~~~",
        "\n",
        "def total(xs):",
        "    return ",
        "xs",
        "(",
        ")",
        "[",
        '"""',
        "'",
        "\\",
    ),
    *("#", "@a\n", "\0", "\ud800", "import os\n", "else:", "class A:\n", "    ", "lambda: ", "-", "x = 1\n"),
    *("Sure, it's: ", "def total(xs):\n    return unknown(xs)\n", "def unknown(x):\n", "  unknown = 3\n"),
)


def check_any(text: str, finish: str) -> None:
    for style in ("chat", "completion"):
        for starter_code in (STARTER, ""):
            candidate = parse_completion(text, task(starter_code), style, finish)  # type: ignore[arg-type]
            if candidate.status == "parsed":
                ast.parse(candidate.program)
                assert "total" in candidate.program
            else:
                assert candidate.program == ""


@settings(deadline=None)
@given(
    st.one_of(st.text(), st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join)),
    st.sampled_from(["stop", "length"]),
)
def test_no_text_is_too_strange(text: str, finish: str) -> None:
    check_any(text, finish)


HOSTILE = {
    "brackets": "(" * 100_000,
    "minus": "-" * 100_000 + "1",
    "not": "not " * 40_000 + "1",
    "sum": "1" + "+1" * 50_000,
    "attributes": "def total(x):\n    return a" + ".b" * 50_000,
    "fences": "```python\n" * 5_000,
    "elif": "if x:\n    pass\n" + "elif x:\n    pass\n" * 5_000,
    "indentation": "".join(" " * i + "if x:\n" for i in range(300)),
    "definitions": "def f(:\n" * 20_000,
    "decorators": "@a\n" * 50_000,
    "one long line": "x" * 1_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_that_is_long_or_deep_ends_the_interpreter(name: str) -> None:
    check_any(HOSTILE[name], "stop")
