"""The project's own task distribution: what must hold for every family in resources/families."""

from __future__ import annotations

import ast
import itertools
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codeself.records.digests import sha256_lines
from codeself.records.jsonl import dumps
from codeself.records.tasks import CallTest, Task, read_tasks
from codeself.records.values import decode
from codeself.tasks.examples import examples_in_text, fact_of_example, facts_of_test
from codeself.tasks.families.building import build_task
from codeself.tasks.families.definitions import Family, parameter_names
from codeself.tasks.families.loading import family_tasks, load_families
from codeself.tasks.families.variants import Variant
from codeself.tasks.validation import validate_tasks

VARIANTS = 4


@pytest.fixture(scope="module")
def families(root: Path) -> list[Family]:
    return load_families(root / "resources" / "families")


@pytest.fixture(scope="module")
def tasks(families: list[Family]) -> list[Task]:
    return family_tasks(families, VARIANTS, 0)


def test_the_tasks_are_the_same_whatever_the_order_of_sets_of_strings(
    root: Path, tmp_path: Path, tasks: list[Task]
) -> None:
    # Seeds of string hashes that gave three different task files where a wrong variant returned a set's order.
    for seed in ("0", "4", "8"):
        made = tmp_path / f"{seed}.jsonl"
        command = [
            sys.executable,
            "-m",
            "codeself",
            "prepare-datasets",
            "--format",
            "families",
            "--name",
            "families",
        ]
        done = subprocess.run(
            [*command, "--variants", str(VARIANTS), "--output", str(made)],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert read_tasks(made) == tasks


def calls(tests: tuple) -> list[str]:
    assert all(isinstance(test, CallTest) for test in tests)
    return [dumps(test.args) for test in tests]


def function_of(program: str, task: Task) -> Callable[..., Any]:
    namespace: dict[str, Any] = {"__name__": "task"}
    exec(compile(program, task.task_id, "exec"), namespace)
    return namespace[task.entry_point]


def passes(function: Callable[..., Any], tests: tuple) -> bool:
    """Whether a function of our own passes the tests, run right here."""
    for test in tests:
        try:
            result = function(*(decode(arg) for arg in test.args))
        except Exception:
            return False
        expected = decode(test.expected)
        if test.compare == "close":
            try:
                if result != pytest.approx(expected, rel=1e-7, abs=test.atol):
                    return False
            except TypeError:
                return False
        elif result != expected:
            return False
    return True


def test_there_are_at_least_120_families(families: list[Family], tasks: list[Task]) -> None:
    assert len(families) >= 120
    assert len({task.family for task in tasks}) == len(families)
    assert len({task.task_id for task in tasks}) == len(tasks) == VARIANTS * len(families)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(families: list[Family]) -> None:
    def digest(seed: int) -> str:
        drawn = family_tasks(families[::10], VARIANTS, seed)
        return sha256_lines(dumps(task.to_json_dict()) for task in drawn)

    first = digest(0)
    assert digest(0) == first
    assert digest(1) != first


def test_a_familys_tasks_do_not_depend_on_the_others(families: list[Family], tasks: list[Task]) -> None:
    assert family_tasks(families[7:8], VARIANTS, 0) == tasks[7 * VARIANTS : 8 * VARIANTS]


def test_every_reference_passes_and_every_wrong_variant_fails_on_hidden_tests(tasks: list[Task]) -> None:
    for task in tasks:
        reference = function_of(task.reference_solution, task)
        assert passes(reference, (*task.public_tests, *task.hidden_tests, *task.locked_tests)), task.task_id
        assert len(task.wrong_variants) >= 2, task.task_id
        for index, program in enumerate(task.wrong_variants):
            wrong = function_of(program, task)
            assert not passes(wrong, task.hidden_tests), f"{task.task_id}: wrong[{index}]"


def test_no_call_stands_in_two_groups_of_tests(tasks: list[Task]) -> None:
    for task in tasks:
        groups = [calls(task.public_tests), calls(task.hidden_tests), calls(task.locked_tests)]
        assert [len(group) for group in groups] == [1, 8, 12], task.task_id
        every = [call for group in groups for call in group]
        assert len(set(every)) == len(every), task.task_id


def test_nothing_leaks_and_no_two_families_read_alike(tasks: list[Task]) -> None:
    report = validate_tasks(tasks)
    assert report.findings == ()


def test_the_docstring_shows_the_public_test(tasks: list[Task]) -> None:
    for task in tasks:
        examples = examples_in_text(task.starter_code, task.entry_point)
        (fact,) = facts_of_test(task.public_tests[0], task.entry_point)
        assert [fact_of_example(example) for example in examples] == [fact], task.task_id


def test_starter_code_ends_with_the_docstring_and_every_program_begins_with_it(tasks: list[Task]) -> None:
    for task in tasks:
        assert task.starter_code.endswith('"""\n')
        function = ast.parse(task.starter_code).body[-1]
        assert isinstance(function, ast.FunctionDef)
        assert function.name == task.entry_point
        assert ast.get_docstring(function)
        for program in (task.reference_solution, *task.wrong_variants):
            assert program.startswith(task.starter_code)


def test_variants_ask_for_different_things(tasks: list[Task]) -> None:
    assert len({task.prompt for task in tasks}) == len(tasks)
    assert len({task.starter_code for task in tasks}) == len(tasks)


def test_no_task_is_solved_by_the_solution_of_another(tasks: list[Task]) -> None:
    by_types = defaultdict(list)
    for task in tasks:
        function = ast.parse(task.starter_code).body[-1]
        assert isinstance(function, ast.FunctionDef)
        assert function.returns is not None
        types = [ast.unparse(arg.annotation) for arg in function.args.args if arg.annotation]
        by_types[(*types, ast.unparse(function.returns))].append(task)
    for group in by_types.values():
        references = {task.task_id: function_of(task.reference_solution, task) for task in group}
        for task in group:
            tests = (*task.hidden_tests, *task.locked_tests)
            solvers = [name for name, reference in references.items() if passes(reference, tests)]
            assert solvers == [task.task_id]


def test_every_choice_of_parameters_makes_a_sound_task(families: list[Family]) -> None:
    # Another seed or number of variants must not bring to light a family that fails.
    for family in families:
        choices = []
        for key, values in family.params.items():
            names = parameter_names(key)
            choices.append([list(zip(names, v if len(names) > 1 else [v], strict=True)) for v in values])
        for parts in itertools.product(*choices):
            build_task(Variant(family, dict(itertools.chain(*parts)), 1), 0)
