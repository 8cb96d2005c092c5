"""A variant's task: its public, hidden and locked tests chosen, its programs written out.

The public tests are the docstring's examples: plain calls, never an edge. (One unless more are asked for, because a
small model solves fewer tasks with two, and the fewer tokens a prompt has the faster it is.) Hidden tests are chosen
so that they reject every wrong variant, and so that answers repeat as little as they can (a predicate sees both
truth values). Locked tests are chosen the same way from the calls that are left: no call stands in two of
the three.
"""

from __future__ import annotations

import textwrap
from collections import Counter

from codeself.records.errors import InputError
from codeself.records.jsonl import dumps
from codeself.records.tasks import CallTest, Task
from codeself.records.values import decode
from codeself.tasks.families.variants import (
    Call,
    Outcome,
    Variant,
    agree,
    function,
    holds_float,
)

HIDDEN, LOCKED = 8, 12
_EXAMPLE_WIDTH = 70  # characters of an example and its result at most
_DOC_WIDTH = 88

Answers = dict[Call, Outcome]


def build_task(variant: Variant, number: int, examples: int = 1) -> Task:
    """The canonical task of a variant: families/<family>/<number>. examples: shown in its docstring."""
    answers = {call: variant.reference(call) for call in variant.calls}
    for call, answer in answers.items():
        if answer.raised:
            raise InputError(f"{variant.place}: reference: raised {answer.raised} on {_shown(call)}")
    if len(answers) < examples + HIDDEN + LOCKED:
        raise InputError(
            f"{variant.place}: inputs: give {len(answers)} distinct calls with the edges,"
            f" expected at least {examples + HIDDEN + LOCKED}"
        )
    rejecting = [_rejecting(variant, index, answers) for index in range(len(variant.family.wrong))]
    shown = _examples(variant, answers, examples)
    rest = {call: answer for call, answer in answers.items() if call not in shown}
    hidden = _chosen(rest, rejecting, HIDDEN)
    _require_strength(variant, hidden, rest, rejecting)
    rest = {call: answer for call, answer in rest.items() if call not in hidden}
    locked = _chosen(rest, rejecting, LOCKED)
    signature = variant.fill("signature", variant.family.signature)
    starter = variant.head + _docstring(variant, shown, answers)
    return Task(
        task_id=f"families/{variant.family.name}/{number}",
        family=variant.family.name,
        prompt=f"Write a Python function `{signature}`.\n{variant.doc}",
        entry_point=variant.entry_point,
        starter_code=starter,
        public_tests=_tests(shown, answers),
        hidden_tests=_tests(hidden, answers),
        locked_tests=_tests(locked, answers),
        reference_solution=starter + variant.body("reference", variant.family.reference),
        wrong_variants=tuple(
            starter + variant.body(f"wrong[{index}]", body) for index, body in enumerate(variant.family.wrong)
        ),
        origin="families",
        metadata={"params": variant.params, "topic": variant.family.topic},
    )


def _rejecting(variant: Variant, index: int, answers: Answers) -> set[Call]:
    """The calls whose answers tell a wrong variant from the reference."""
    key = f"wrong[{index}]"
    run = function(variant, variant.head + variant.body(key, variant.family.wrong[index]), key)
    return {call for call, answer in answers.items() if not agree(answer, run(call))}


def _examples(variant: Variant, answers: Answers, count: int) -> list[Call]:
    """The calls that the docstring shows: the shortest that are no edge and whose answer tells something."""

    def width(call: Call) -> int:
        return len(_shown(call)) + len(repr(answers[call].value))

    def plainness(call: Call) -> tuple[bool, bool, int, int]:
        answer = answers[call]
        telling = bool(answer.value) and answer.encoded != call.args[0]
        small = any(isinstance(arg, str | list | dict) and len(arg) < 2 for arg in call.args)
        return not telling, small, _shown(call).count("-"), width(call)

    fitting = [
        call
        for call in answers
        if not call.edge
        and width(call) <= _EXAMPLE_WIDTH
        and "\\" not in _shown(call) + repr(answers[call].value)
    ]
    if len(fitting) >= count:
        return sorted(fitting, key=plainness)[:count]
    raise InputError(
        f"{variant.place}: inputs: give {len(fitting) or 'no'} calls that fit a docstring, expected {count} that are"
        f" written with their result in {_EXAMPLE_WIDTH} characters and no backslash"
    )


def _chosen(answers: Answers, rejecting: list[set[Call]], count: int) -> list[Call]:
    """Up to `count` calls: some edges, those that reject wrong variants, then answers not yet seen."""
    chosen = [call for call in answers if call.edge][: count // 2]
    alive = [calls for calls in rejecting if not calls.intersection(chosen)]
    while alive and len(chosen) < count:
        # The call that rejects most of the wrong variants still alive.
        best = max(answers, key=lambda call: sum(call in calls for calls in alive))
        if not any(best in calls for calls in alive):
            break
        chosen.append(best)
        alive = [calls for calls in alive if best not in calls]
    text = {call: dumps(answer.encoded) for call, answer in answers.items()}
    seen = Counter(text[call] for call in chosen)
    left = [call for call in answers if call not in chosen]
    while left and len(chosen) < count:
        call = min(left, key=lambda call: seen[text[call]])
        left.remove(call)
        chosen.append(call)
        seen[text[call]] += 1
    return chosen


def _require_strength(
    variant: Variant, hidden: list[Call], answers: Answers, rejecting: list[set[Call]]
) -> None:
    for index, calls in enumerate(rejecting):
        if not calls.intersection(hidden):
            raise InputError(
                f"{variant.place}: wrong[{index}]: no call among {len(answers)} tells it from the reference;"
                " expected a body that the hidden tests can reject (add an edge, or widen inputs)"
            )
    if len({dumps(answers[call].encoded) for call in hidden}) < 2:
        raise InputError(
            f"{variant.place}: inputs: every hidden test has one answer,"
            f" {answers[hidden[0]].value!r}; expected at least two different ones"
        )


def _tests(calls: list[Call], answers: Answers) -> tuple[CallTest, ...]:
    return tuple(
        CallTest(args=call.args, expected=value, compare="close", atol=1e-9)
        if holds_float(value)
        else CallTest(args=call.args, expected=value)
        for call, value in ((call, answers[call].encoded) for call in calls)
    )


def _docstring(variant: Variant, examples: list[Call], answers: Answers) -> str:
    doc = variant.doc
    if "\\" in doc or '"""' in doc or doc.endswith('"'):
        raise InputError(f"{variant.place}: doc: holds a backslash or quotes that would end the docstring")
    lines = textwrap.wrap(doc, _DOC_WIDTH, break_long_words=False, break_on_hyphens=False)
    shown = "\n".join(
        f">>> {variant.entry_point}{_shown(call)}\n{answers[call].value!r}" for call in examples
    )
    return textwrap.indent('"""' + "\n".join(lines) + "\n\n" + shown + '\n"""\n', "    ")


def _shown(call: Call) -> str:
    return "(" + ", ".join(repr(decode(arg)) for arg in call.args) + ")"
