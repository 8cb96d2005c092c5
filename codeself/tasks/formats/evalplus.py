"""EvalPlus's own task sets: HumanEval+ and MBPP+ as they stand in its files.

Public: the examples of the docstring, or the first assert. Hidden: the base inputs. Locked: the plus inputs.
No input is in two of these, and what the prompt shows is in neither of the last two.
"""

from __future__ import annotations

from pathlib import Path

from codeself.records.errors import InputError
from codeself.records.tasks import AssertTest, CallTest, Task
from codeself.tasks.examples import shown_by, unknown_tests
from codeself.tasks.formats.evalplus_inputs import PlusProblem, expected_tests, read_plus
from codeself.tasks.formats.humaneval import humaneval_task, with_agreeing_examples
from codeself.tasks.formats.mbpp import origin_split
from codeself.tasks.formats.rows import Expect

Tests = list[CallTest | AssertTest]


def load_humanevalplus(path: Path, expect: Expect) -> list[Task]:
    """HumanEval+ as a task set. `expect` runs EvalPlus's solutions on the inputs."""
    problems = _of_kind(path, "HumanEval/")
    tests = expected_tests(problems, expect)
    tasks = [
        humaneval_task(
            problem.row,
            task_id=f"humanevalplus/{problem.number}",
            family=f"humaneval/{problem.number}",
            origin="humanevalplus",
            hidden_tests=tuple(made[: len(problem.base)]),
        )
        for problem, made in zip(problems, tests, strict=True)
    ]
    tasks = with_agreeing_examples(tasks, expect)
    return [_parted(task, problem, made) for task, problem, made in zip(tasks, problems, tests, strict=True)]


def load_mbppplus(path: Path, expect: Expect) -> list[Task]:
    """MBPP+ as a task set. `expect` runs EvalPlus's solutions on the inputs."""
    problems = _of_kind(path, "Mbpp/")
    tests = expected_tests(problems, expect)
    return [
        _parted(_mbpp_task(problem, made), problem, made)
        for problem, made in zip(problems, tests, strict=True)
    ]


def _mbpp_task(problem: PlusProblem, tests: Tests) -> Task:
    # The prompt is a docstring with the text and, below it, the first assert.
    text = problem.row.text("prompt").strip().strip('"')
    prompt, _, _ = text.partition("\nassert ")
    return Task(
        task_id=f"mbppplus/{problem.number}",
        family=f"mbpp/{problem.number}",
        prompt=prompt.strip(),
        entry_point=problem.entry_point,
        # The first assert's own input, compared as all others are: some asserts fix an arbitrary order.
        public_tests=(tests[0],),
        hidden_tests=tuple(tests[1:]),
        reference_solution=problem.program,
        origin="mbppplus",
        metadata={"split": origin_split(problem.number)},
    )


def _parted(task: Task, problem: PlusProblem, tests: Tests) -> Task:
    """The task with base inputs hidden and plus inputs locked, each input once, none of them shown."""
    known = shown_by(task)
    hidden = unknown_tests(tests[: len(problem.base)], task.entry_point, known)
    locked = unknown_tests(tests[len(problem.base) :], task.entry_point, known)
    if not hidden:
        # Every base input is an example in the prompt. The first plus inputs then pay the reward.
        hidden, locked = locked[:3], locked[3:]
    if not hidden:
        raise InputError(f"{problem.row.place}: {problem.task_id} has no input that its prompt does not show")
    metadata = {**task.metadata, "plus_inputs_too_large": problem.left_out}
    return task.model_copy(
        update={"hidden_tests": tuple(hidden), "locked_tests": tuple(locked), "metadata": metadata}
    )


def _of_kind(path: Path, prefix: str) -> list[PlusProblem]:
    problems = read_plus(path)
    for problem in problems:
        if not problem.task_id.startswith(prefix):
            raise InputError(
                f"{problem.row.place}: task_id is '{problem.task_id}'; expected {prefix}<number>."
                " Is it the file of the other EvalPlus set?"
            )
    return problems
