"""HumanEval (HumanEval.jsonl.gz).

The examples in the docstring are public, as far as they can be read as a call and a literal and the reference
agrees with them; `check` is hidden. Imports and helper functions of the prompt go to setup_code, so that a
check that uses them (poly, encode_shift) uses ours and never the candidate's. With the EvalPlus file, its
inputs are the locked tests and its solution is the reference.
"""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Any

from codeself.records.errors import InputError
from codeself.records.tasks import CallTest, CheckTest, Task
from codeself.records.values import decode, encode
from codeself.tasks.examples import Example, examples_in_text
from codeself.tasks.formats.evalplus_inputs import call_test, expected_tests, read_plus
from codeself.tasks.formats.mbpp import with_locked
from codeself.tasks.formats.rows import Expect, Row, read_dataset
from codeself.tasks.syntax import parse


def load_humaneval(path: Path, expect: Expect, plus: Path | None = None) -> list[Task]:
    """The tasks of a HumanEval file. `expect` runs the reference on the docstrings' examples."""
    tasks = with_agreeing_examples([_task(row) for row in read_dataset(path)], expect)
    if plus is None:
        return tasks
    problems = {f"humaneval/{problem.number}": problem for problem in read_plus(plus)}
    missing = [task.task_id for task in tasks if task.task_id not in problems]
    if missing:
        raise InputError(
            f"{plus}: lacks {missing[0]} (and {len(missing) - 1} more) of {path}; is it HumanEval+?"
        )
    tests = expected_tests([problems[task.task_id] for task in tasks], expect)
    return [
        with_locked(task, problems[task.task_id], locked) for task, locked in zip(tasks, tests, strict=True)
    ]


def with_agreeing_examples(tasks: list[Task], expect: Expect) -> list[Task]:
    """Tasks whose public tests are the docstring's examples that the reference agrees with.

    Some docstrings are wrong about their own function; such an example would fail right answers.
    """
    found = {task.task_id: _readable(task) for task in tasks}
    asked = [task for task in tasks if found[task.task_id]]
    results = expect(
        [
            (
                task.reference_solution,
                task.entry_point,
                [[*map(encode, example.args)] for example in found[task.task_id]],
            )
            for task in asked
        ]
    )
    outputs = {task.task_id: output for task, output in zip(asked, results, strict=True)}
    return [_with_examples(task, found[task.task_id], outputs.get(task.task_id, [])) for task in tasks]


def _readable(task: Task) -> list[Example]:
    return [
        example for example in examples_in_text(task.starter_code, task.entry_point) if not example.kwargs
    ]


def _with_examples(task: Task, examples: list[Example], outputs: list[Any]) -> Task:
    tests: list[CallTest] = []
    for example, output in zip(examples, outputs, strict=True):
        if rounded(example.expected) == rounded(decode(output)):
            tests.append(call_test([*map(encode, example.args)], output, atol=0.0))
    metadata = dict(task.metadata)
    if len(tests) < len(examples):
        metadata["examples_contradicted"] = len(examples) - len(tests)
    return task.model_copy(update={"public_tests": tuple(tests), "metadata": metadata})


def rounded(value: Any) -> Any:
    """The value with its floats at six decimals: docstrings do not show more."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, list | tuple):
        return type(value)(rounded(item) for item in value)
    return value


def _task(row: Row) -> Task:
    number = row.text("task_id").rsplit("/", 1)[-1]
    return humaneval_task(
        row,
        task_id=f"humaneval/{number}",
        family=f"humaneval/{number}",
        origin="humaneval",
        hidden_tests=(CheckTest(source=row.text("test")),),
    )


def humaneval_task(
    row: Row, *, task_id: str, family: str, origin: str, hidden_tests: tuple[Any, ...]
) -> Task:
    """A task from the keys that HumanEval and HumanEval+ share. Public tests are still to be filled in."""
    prompt = row.text("prompt")
    name = row.text("entry_point")
    try:
        tree = parse(prompt + "\n    pass\n")
    except SyntaxError as error:
        raise InputError(f"{row.place}: prompt is not the beginning of a Python program: {error}") from error
    function = next((n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name), None)
    if function is None:
        raise InputError(f"{row.place}: prompt does not define the entry point '{name}'")
    return Task(
        task_id=task_id,
        family=family,
        prompt=_docstring(function),
        entry_point=name,
        starter_code=prompt,
        setup_code="\n".join(ast.unparse(node) for node in tree.body if node is not function),
        hidden_tests=hidden_tests,
        reference_solution=prompt + row.text("canonical_solution"),
        origin=origin,
        metadata={"split": "test"},
    )


def _docstring(function: ast.FunctionDef) -> str:
    # One prompt has an import before its docstring, which Python then no longer takes for one.
    for node in function.body:
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            return inspect.cleandoc(node.value.value)
    return ""
