"""Examples of a call and its result, wherever they stand: in prose, in a docstring, in asserts, as data.

Public examples of a dataset are read from its docstrings this way, and a leak is found this way: a hidden
test leaks when the same call with the same result can be read in what the policy is shown. Nothing is
executed; arguments and results are read as literals.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from codeself.records.jsonl import dumps
from codeself.records.tasks import AssertTest, CallTest, CheckTest, Task
from codeself.records.values import NotData, decode, encode
from codeself.tasks.syntax import parse

Case = TypeVar("Case", bound=CallTest | AssertTest | CheckTest)

# What stands between a call and its result in the wild: "f(2) == 4", "f(2) => 4", "f(2) should return 4".
_BETWEEN = re.compile(
    r"[ \t]*(?:(?:==+>?|=>|->|-->|=|➞|→|:|#|is|gives|equals|outputs?"
    r"|(?:should |must |will )?(?:return|be)s?)[ \t]*)+"
)
_DOCTEST = re.compile(r"[ \t]*(?:#[^\n]*)?\n[ \t]*(?!>>>)")
_AFTER = re.compile(r"[ \t]*(?:[.,;!)]|#|\n|$|\()")
_ATOM = re.compile(r"[-+]?(?:\d[\d_]*\.?\d*(?:[eE][-+]?\d+)?j?|\.\d+)|[Tt]rue\b|[Ff]alse\b|None\b")
_LOWER = {"true": "True", "false": "False"}
_CLOSING = {"(": ")", "[": "]", "{": "}"}
UNKNOWN = "?"  # the result of a test that does not state it as a literal


@dataclass(frozen=True)
class Example:
    """A call of the entry point with literal arguments, and the literal it is said to return."""

    args: tuple[Any, ...]
    expected: Any
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fact:
    """A call and its result in a form that does not depend on how they were written."""

    call: str
    result: str


class Knowledge:
    """Facts that somebody has been shown about one entry point."""

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._results: dict[str, set[str]] = {}
        self.add(facts)

    def add(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self._results.setdefault(fact.call, set()).add(fact.result)

    def holds(self, fact: Fact) -> bool:
        """Whether the same call is known with the same result (or one of the two results is not stated)."""
        results = self._results.get(fact.call, set())
        return bool(results) and (fact.result in results or UNKNOWN in results or fact.result == UNKNOWN)

    def holds_any(self, facts: Iterable[Fact]) -> bool:
        return any(self.holds(fact) for fact in facts)


def shown_by(task: Task) -> Knowledge:
    """What can be read about the entry point in the prompt, the starter code and the public tests."""
    name = task.entry_point
    known = Knowledge(facts_in_text(task.prompt, name) | facts_in_text(task.starter_code, name))
    for test in task.public_tests:
        known.add(facts_of_test(test, name))
    return known


def unknown_tests(tests: Sequence[Case], name: str, known: Knowledge) -> list[Case]:
    """The tests of which nothing is known yet, each call once; what they say becomes known."""
    kept = []
    for test in tests:
        facts = facts_of_test(test, name)
        if not known.holds_any(facts):
            kept.append(test)
            known.add(facts)
    return kept


def examples_in_text(text: str, name: str) -> list[Example]:
    """Examples that a reader finds in prose or a docstring, in order, each once."""
    found: list[Example] = []
    seen = set()
    for match in re.finditer(rf"(?<![\w.]){re.escape(name)}\s*\(", text):
        example = _example_at(text, match.start(), match.end() - 1)
        if example is None:
            continue
        fact = fact_of_example(example)
        if fact not in seen:
            seen.add(fact)
            found.append(example)
    return found


def _example_at(text: str, start: int, bracket: int) -> Example | None:
    end = _end_of_literal(text, bracket)
    if end is None:
        return None
    try:
        call = ast.parse(text[start:end].strip(), mode="eval").body
        if not isinstance(call, ast.Call):
            return None
        args = tuple(ast.literal_eval(argument) for argument in call.args)
        kwargs = {keyword.arg or "": ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None
    line_start = text.rfind("\n", 0, start) + 1
    before = text[line_start:start].strip()
    if before in ("assert", "assert not") and _AFTER.match(text, end):
        return Example(args, before == "assert", kwargs)
    between = (before == ">>>" and _DOCTEST.match(text, end)) or _BETWEEN.match(text, end)
    if not between:
        return None
    stop = _end_of_literal(text, between.end())
    if stop is None or not _AFTER.match(text, stop):
        return None
    try:
        literal = text[between.end() : stop].strip()
        return Example(args, ast.literal_eval(_LOWER.get(literal, literal)), kwargs)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return None


def _end_of_literal(text: str, start: int) -> int | None:
    """Where the bracket, string, number or name at `start` ends."""
    opening = text[start : start + 1]
    if opening in _CLOSING:
        return _end_of_bracket(text, start)
    if opening in ("'", '"'):
        return _end_of_string(text, start)
    atom = _ATOM.match(text, start)
    return atom.end() if atom else None


def _end_of_bracket(text: str, start: int) -> int | None:
    expected = []
    position = start
    while position < len(text):
        char = text[position]
        if char in _CLOSING:
            expected.append(_CLOSING[char])
        elif char in ")]}":
            if not expected or expected.pop() != char:
                return None
            if not expected:
                return position + 1
        elif char in ("'", '"'):
            end = _end_of_string(text, position)
            if end is None:
                return None
            position = end
            continue
        position += 1
    return None


def _end_of_string(text: str, start: int) -> int | None:
    quote = text[start]
    position = start + 1
    while position < len(text):
        if text[position] == "\\":
            position += 2
            continue
        if text[position] == quote:
            return position + 1
        if text[position] == "\n":
            return None
        position += 1
    return None


def facts_in_text(text: str, name: str) -> set[Fact]:
    """Facts about `name` that can be read in a text: examples in prose, doctests, and whole asserts."""
    facts = {fact_of_example(example) for example in examples_in_text(text, name)}
    for match in re.finditer(r"^[ \t>]*(assert\b.*(?:\n(?:[ \t]+\S.*))*)", text, re.MULTILINE):
        lines = match.group(1).split("\n")
        for count in range(1, len(lines) + 1):
            try:
                tree = parse("\n".join(lines[:count]))
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue
            facts.update(_facts_in_tree(tree, (name,)))
            break
    return facts


def facts_in_source(source: str, names: Iterable[str]) -> set[Fact]:
    """Facts that the asserts of a program state about any of `names`. Empty if it cannot be parsed."""
    try:
        return set(_facts_in_tree(parse(source), tuple(names)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()


def facts_of_test(test: CallTest | AssertTest | CheckTest, name: str) -> set[Fact]:
    """What somebody who was shown this test knows about the entry point `name`."""
    if isinstance(test, CallTest):
        example = Example(
            tuple(decode(arg) for arg in test.args),
            decode(test.expected),
            {key: decode(value) for key, value in test.kwargs.items()},
        )
        return {fact_of_example(example)}
    names = (name, "candidate") if isinstance(test, CheckTest) else (name,)
    return facts_in_source(test.source, names)


def fact_of_example(example: Example) -> Fact:
    return Fact(_call_text(example.args, example.kwargs), _value_text(example.expected))


def _facts_in_tree(tree: ast.AST, names: tuple[str, ...]) -> Iterator[Fact]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assert):
            continue
        calls = [
            inner
            for inner in ast.walk(node.test)
            if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id in names
        ]
        for call in calls:
            result = _stated_result(node.test, call) if len(calls) == 1 else UNKNOWN
            yield Fact(_call_node_text(call), result)


def _stated_result(test: ast.expr, call: ast.Call) -> str:
    """The literal that an assert's condition says the call returns, or UNKNOWN."""
    if test is call:
        return _value_text(True)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and test.operand is call:
        return _value_text(False)
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq | ast.Is):
        sides = (test.left, test.comparators[0])
        for side, other in (sides, sides[::-1]):
            if side is call:
                try:
                    return _value_text(ast.literal_eval(other))
                except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                    return UNKNOWN
    return UNKNOWN


def _call_node_text(call: ast.Call) -> str:
    try:
        args = tuple(ast.literal_eval(argument) for argument in call.args)
        kwargs = {keyword.arg or "": ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        # Not all literals: the code itself, in one spelling, without the name that was called.
        return "code:" + ", ".join(ast.unparse(node) for node in [*call.args, *call.keywords])
    return _call_text(args, kwargs)


def _call_text(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    return (
        "("
        + ",".join([*map(_value_text, args), *(f"{k}={_value_text(kwargs[k])}" for k in sorted(kwargs))])
        + ")"
    )


def _value_text(value: Any) -> str:
    try:
        return dumps(encode(_plain_numbers(value)))
    except NotData:
        return repr(value)


def _plain_numbers(value: Any) -> Any:
    """The value with True as 1 and 2.0 as 2, which Python too calls equal."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(_plain_numbers(item) for item in value)
    if isinstance(value, dict):
        # Order is no part of a dict's value.
        items = [(_plain_numbers(key), _plain_numbers(item)) for key, item in value.items()]
        return dict(sorted(items, key=lambda item: (type(item[0]).__name__, repr(item[0]))))
    return value
