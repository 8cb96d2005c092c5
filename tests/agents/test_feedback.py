"""What a policy is told of its answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codeself.agents.feedback import observe, public_task
from codeself.agents.revising import Observed, attempt_source, render_revisions
from codeself.policies.parsing import parse_completion
from codeself.policies.prompts import Template
from codeself.records.errors import InputError
from codeself.records.tasks import AssertTest, CallTest
from codeself.records.traces import PublicResult
from codeself.sandbox.pool import Job, JudgePool
from tests.agents.conftest import template
from tests.made_tasks import adding_task


def seen(pool: JudgePool, text: str, starter: bool = True) -> tuple[Observed, PublicResult]:
    task = public_task(adding_task(3, starter=starter))
    candidate = parse_completion(text, task, "completion", "stop")
    (verdict,) = pool.verdicts([Job(task, candidate)])
    result = observe(task, verdict)
    return Observed(task, attempt_source(task, candidate, text, "completion"), result), result


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("    return x", "add_3(1) returned 1, expected 4"),
        ("    return 'a' + x", 'raised TypeError: can only concatenate str (not "int") to str'),
        ("    raise ValueError('one\\ntwo')", "raised ValueError: one two"),
        ("    while True: pass", "timeout, CPU time limit"),
        ("    return [0] * 10**10", "memory, memory limit"),
        ("    import os; os._exit(3)", "crashed, its process exited with status 3"),
    ],
    ids=["wrong", "raises", "several lines", "loops", "memory", "exits"],
)
@pytest.mark.parametrize("starter", [True, False])
def test_a_revision_is_told_the_test_and_what_happened(
    root: Path, pool: JudgePool, body: str, said: str, starter: bool
) -> None:
    observed, result = seen(pool, body if starter else f"x):\n{body}", starter)
    assert (result.passed, result.total, result.test) == (0, 1, 1)
    for name in ("revise_completion_v1", "revise_chat_v1"):
        (prompt,) = render_revisions(template(root, name), [observed])
        assert f"What happened: {said}" in prompt.text
        assert "assert add_3(1) == 4" in prompt.text
        assert body.strip() in prompt.text


def test_a_long_message_is_trimmed(pool: JudgePool) -> None:
    _, result = seen(pool, "    raise ValueError('long ' * 500)")
    assert len(result.said) <= 240
    assert result.said.startswith("raised ValueError: long long")


def test_an_answer_without_a_program_is_shown_as_it_was_written(root: Path, pool: JudgePool) -> None:
    observed, result = seen(pool, "    return (")
    assert (result.phase, result.said) == ("parse", "invalid_syntax")
    (prompt,) = render_revisions(template(root, "revise_completion_v1"), [observed])
    assert "    return (\n\n\n# The code above is not a whole function (invalid syntax)." in prompt.text
    assert prompt.text.endswith(prompt.opening)


def test_the_loops_task_holds_nothing_but_public_tests() -> None:
    task = public_task(adding_task(3, starter=False))
    assert task.public_tests == (CallTest(args=(1,), expected=4),)
    text = json.dumps(task.to_json_dict())
    assert "70707" not in text
    assert "60606" not in text
    assert task.wrong_variants == ()


@pytest.mark.parametrize(
    "source",
    ["assert f(g(1)) == 2", "assert f(1) == 2, 'why'", "assert f(1) < 2", "x = f(1)\nassert x == 2", "f(1)"],
)
def test_a_test_that_is_no_plain_comparison_stays_as_it_is(source: str) -> None:
    task = adding_task(3).model_copy(
        update={"entry_point": "f", "public_tests": (AssertTest(source=source),)}
    )
    assert public_task(task).public_tests == task.public_tests


def test_a_verdict_that_saw_hidden_tests_is_refused(pool: JudgePool) -> None:
    task = adding_task(3)
    (verdict,) = pool.verdicts([Job(task, parse_completion("    return 4", task, "completion", "stop"))])
    assert verdict.phases["hidden"].status == "failed"
    with pytest.raises(ValueError, match="more than public tests"):
        observe(task, verdict)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{{ attempt }}{{ task.hidden_tests }}{{ task.opening }}", "hidden_tests"),
        ("{{ attempt }}", "does not end with task.opening"),
        ("{{ attempt", "line 1"),
    ],
    ids=["hidden tests", "no opening", "broken"],
)
def test_a_template_cannot_ask_for_more(pool: JudgePool, source: str, words: str) -> None:
    observed, _ = seen(pool, "    return x")
    with pytest.raises(InputError, match=words):
        render_revisions(Template("made", "completion", source), [observed])
