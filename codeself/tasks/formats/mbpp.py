"""MBPP, full (mbpp.jsonl) and sanitized (sanitized-mbpp.json).

The first assert is public, the others are hidden. What a row's tests need first (test_setup_code,
test_imports) becomes setup_code, unchanged: where it names a class that the solution defines, the judge
resolves the name. With the EvalPlus file, its inputs are the locked tests of the tasks it has, and its
solution is the reference of those tasks, since it is what the locked results come from.
"""

from __future__ import annotations

import ast
from pathlib import Path

from codeself.records.errors import InputError
from codeself.records.tasks import AssertTest, CallTest, Split, Task
from codeself.tasks.examples import UNKNOWN, Fact, facts_in_source, shown_by, unknown_tests
from codeself.tasks.formats.evalplus_inputs import PlusProblem, expected_tests, read_plus
from codeself.tasks.formats.rows import Expect, Row, read_dataset
from codeself.tasks.syntax import parse


def load_mbpp(path: Path, plus: Path | None = None, expect: Expect | None = None) -> list[Task]:
    """The tasks of an MBPP file. `expect` is needed with `plus`: it runs the reference on the inputs."""
    rows = read_dataset(path)
    tasks = [_task(row) for row in rows]
    if plus is None:
        return tasks
    if expect is None:
        raise ValueError("locked results come from running the reference: pass expect")
    problems = {f"mbpp/{problem.number}": problem for problem in read_plus(plus)}
    fitting = {
        task.task_id: problems[task.task_id]
        for row, task in zip(rows, tasks, strict=True)
        if task.task_id in problems and _fits(row, task, problems[task.task_id])
    }
    tests = expected_tests(list(fitting.values()), expect)
    locked = dict(zip(fitting, tests, strict=True))
    return [
        with_locked(task, fitting[task.task_id], locked[task.task_id]) if task.task_id in fitting else task
        for task in tasks
    ]


def origin_split(number: int) -> Split:
    """The split that MBPP's authors assign: 11-510 test, 511-600 validation, the rest to learn from."""
    if 11 <= number <= 510:
        return "test"
    return "dev" if 511 <= number <= 600 else "train"


def with_locked(task: Task, problem: PlusProblem, tests: list[CallTest | AssertTest]) -> Task:
    """The task with EvalPlus's inputs as locked tests, without those that it shows anyway."""
    locked = unknown_tests(tests, task.entry_point, shown_by(task))
    return task.model_copy(
        update={
            "locked_tests": tuple(locked),
            "reference_solution": problem.program,
            "metadata": {
                **task.metadata,
                "reference": "evalplus",
                "plus_inputs_shown": len(tests) - len(locked),
                "plus_inputs_too_large": problem.left_out,
            },
        }
    )


def _task(row: Row) -> Task:
    number = row.get("task_id")
    if not isinstance(number, int):
        raise InputError(f"{row.place}: task_id is {number!r}; expected a number")
    asserts = row.texts("test_list")
    if len(asserts) < 2:
        raise InputError(
            f"{row.place}: task 'mbpp/{number}' has {len(asserts)} test(s) in test_list; expected at least"
            " two, since the first becomes public and the others hidden"
        )
    code = row.text("code")
    setup = [row.text("test_setup_code", default=""), *row.texts("test_imports", default=[])]
    return Task(
        task_id=f"mbpp/{number}",
        family=f"mbpp/{number}",
        prompt=row.text("text", "prompt"),
        entry_point=entry_point(code, asserts, row.place),
        setup_code="\n".join(part for part in setup if part.strip()),
        public_tests=(AssertTest(source=asserts[0]),),
        hidden_tests=tuple(AssertTest(source=source) for source in asserts[1:]),
        reference_solution=code,
        origin="mbpp",
        metadata={"split": origin_split(number)},
    )


def entry_point(code: str, asserts: list[str], place: str) -> str:
    """The function that the asserts call and the reference defines: of several, the one most asserts call,
    and among those the one defined last, since helpers come before what uses them."""
    try:
        defined = defined_names(parse(code))
        called = [
            {
                node.func.id
                for node in ast.walk(parse(source))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            }
            for source in asserts
        ]
    except (SyntaxError, ValueError) as error:
        raise InputError(f"{place}: holds code that Python cannot parse: {error}") from error
    counts = {name: sum(name in names for names in called) for name in defined}
    best = max(counts.values(), default=0)
    if not best:
        raise InputError(
            f"{place}: no assert calls a function that the reference defines"
            f" (defined: {', '.join(defined) or 'nothing'}); the entry point cannot be told"
        )
    return [name for name in defined if counts[name] == best][-1]


def defined_names(tree: ast.Module) -> list[str]:
    """Names that a program binds at top level, in order: functions, classes and plain assignments."""
    names = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            names.extend(target.id for target in node.targets if isinstance(target, ast.Name))
    return list(dict.fromkeys(names))


def _fits(row: Row, task: Task, problem: PlusProblem) -> bool:
    """Whether EvalPlus's problem asks the same question as this row.

    It was made from the sanitized file (whose rows have a "prompt"), in which many tasks take other arguments
    or return something else than in the full one (whose rows have a "text"). There, each of the row's asserts
    must be one of EvalPlus's, or say the same of the same call.
    """
    if problem.entry_point != task.entry_point or "text" not in row.data:
        return problem.entry_point == task.entry_point
    theirs = problem.row.text("assertion")
    spelled = {ast.unparse(statement) for statement in parse(theirs).body}
    known = facts_in_source(theirs, [task.entry_point])
    return all(
        ast.unparse(parse(source)) in spelled
        or _stated(facts_in_source(source, [task.entry_point])) & _stated(known)
        for source in row.texts("test_list")
    )


def _stated(facts: set[Fact]) -> set[Fact]:
    return {fact for fact in facts if fact.result != UNKNOWN}
