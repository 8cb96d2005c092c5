"""Prompts show what is public, and say which template and which text they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeself.policies.prompts import Template, load_template, public_view
from codeself.policies.showing import show_test
from codeself.records.errors import InputError
from codeself.records.tasks import AssertTest, CallTest
from codeself.records.values import encode
from tests.made_tasks import adding_task


def template(source: str) -> Template:
    return Template("mine", "completion", source)


def test_a_completion_prompt_is_the_starter_code_up_to_the_docstrings_end(root: Path) -> None:
    (prompt,) = load_template(root / "resources/prompts/completion_v1.j2").render([adding_task(3)])
    assert prompt.text == 'def add_3(x: int) -> int:\n    """Add 3 to x."""'
    assert prompt.style == "completion"
    assert prompt.opening == prompt.text


def test_without_starter_code_the_prompt_shows_the_text_and_the_public_test(root: Path) -> None:
    (prompt,) = load_template(root / "resources/prompts/completion_v1.j2").render(
        [adding_task(3, starter=False)]
    )
    assert prompt.text == '"""\nAdd 3 to x.\nassert add_3(1) == 4\n"""\ndef add_3('
    assert prompt.opening == "def add_3("


def test_a_chat_prompt_asks_for_one_block(root: Path) -> None:
    for task in (adding_task(3), adding_task(3, starter=False)):
        (prompt,) = load_template(root / "resources/prompts/chat_v1.j2").render([task], "a" * 64)
        assert prompt.style == "chat"
        assert prompt.opening == ""
        assert "Add 3 to x." in prompt.text
        assert "assert add_3(1) == 4" in prompt.text
        assert "```python block" in prompt.text


@pytest.mark.parametrize("name", ["completion_v1", "chat_v1"])
def test_hidden_and_locked_tests_and_solutions_are_in_no_prompt(root: Path, name: str) -> None:
    tasks = [adding_task(n, starter=n % 2 == 0) for n in range(4)]
    for task, prompt in zip(
        tasks, load_template(root / f"resources/prompts/{name}.j2").render(tasks), strict=True
    ):
        for secret in ("70707", "60606", "return x", "wrong"):
            assert secret not in prompt.text
        assert task.entry_point in prompt.text


def test_a_view_has_no_field_but_public_ones() -> None:
    assert set(vars(public_view(adding_task(1)))) == {
        *("prompt", "entry_point", "starter_code", "opening", "public_tests")
    }


@pytest.mark.parametrize(
    "field", ["hidden_tests", "locked_tests", "reference_solution", "wrong_variants", "metadata"]
)
def test_a_template_that_asks_for_a_secret_is_an_error(field: str) -> None:
    with pytest.raises(InputError, match=f"prompt template 'mine'.*{field}"):
        template(f"{{# style: completion #}}{{{{ task.{field} }}}}{{{{ task.opening }}}}").render(
            [adding_task(1)]
        )


@pytest.mark.parametrize(
    "source",
    ["{{ task.prompt.__class__.__mro__ }}", "{{ ''.__class__ }}", "{{ task.__init__.__globals__['sys'] }}"],
)
def test_a_template_reaches_nothing_of_the_interpreter(source: str) -> None:
    with pytest.raises(InputError, match="unsafe"):
        template(source).render([adding_task(1)])


def test_a_completion_template_must_end_in_the_opening() -> None:
    with pytest.raises(InputError, match=r"does not end with task\.opening"):
        template("{# style: completion #}{{ task.opening }} Go on.").render([adding_task(1)])


def test_a_broken_template_is_an_error_with_its_line() -> None:
    with pytest.raises(InputError, match="prompt template 'mine', line 2:"):
        template("{# style: completion #}\n{% if %}").render([adding_task(1)])


@pytest.mark.parametrize("first", ["Hello", "{# style: poem #}", ""])
def test_a_template_that_does_not_say_its_style_is_an_error(tmp_path: Path, first: str) -> None:
    path = tmp_path / "mine.j2"
    path.write_text(first + "\n{{ task.opening }}")
    with pytest.raises(InputError, match=r"mine\.j2, line 1: .*expected the style"):
        load_template(path)


def test_the_digest_changes_with_the_template_and_in_chat_style_with_the_models_own() -> None:
    one, two = (Template("t", "chat", source) for source in ("a", "b"))
    assert one.digest("x") != two.digest("x")
    assert one.digest("x") != one.digest("y")
    completion = Template("t", "completion", "a")
    assert completion.digest("x") == completion.digest("y")


def test_tests_read_as_python() -> None:
    def shown(**fields: object) -> str:
        return show_test(CallTest.model_validate(fields), "f")

    assert (
        shown(args=[1, encode((2,))], kwargs={"k": "a"}, expected=None) == "assert f(1, (2,), k='a') == None"
    )
    assert shown(args=[], expected=0.5, compare="close", atol=0.1) == "assert f() == 0.5  # approximately"
    assert shown(args=[], expected=[1, 2], compare="set") == "assert set(f()) == {1, 2}"
    assert shown(args=[], expected=3, compare="not_none") == "assert f() is not None"
    assert shown(args=[], expected=encode({"b", "a", "c"})) == "assert f() == {'a', 'b', 'c'}"
    assert shown(args=[], expected=encode({1: frozenset()})) == "assert f() == {1: frozenset()}"
    assert show_test(AssertTest(source="assert f() == 1 "), "f") == "assert f() == 1"
