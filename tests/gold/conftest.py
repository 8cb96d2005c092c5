"""The public task sets as the pipeline prepares them, each made once, and one pool of judges for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from codeself.records.jsonl import dumps
from codeself.records.judging import JudgeConfig
from codeself.records.tasks import Task
from codeself.sandbox.expectations import expected_outputs
from codeself.sandbox.pool import JudgePool
from codeself.tasks.formats.evalplus import load_humanevalplus, load_mbppplus
from codeself.tasks.formats.humaneval import load_humaneval
from codeself.tasks.formats.mbpp import load_mbpp
from codeself.tasks.formats.rows import Expect


@pytest.fixture(scope="session")
def pool() -> Iterator[JudgePool]:
    with JudgePool(JudgeConfig()) as pool:
        yield pool


@pytest.fixture(scope="session")
def expect(pool: JudgePool) -> Expect:
    """Runs references in the sandbox; what several task sets ask for is run once."""
    known: dict[str, list[Any]] = {}

    def expect(asked: Sequence[tuple[str, str, list[list[Any]]]]) -> list[list[Any]]:
        keys = [dumps(item) for item in asked]
        new = {key: item for key, item in zip(keys, asked, strict=True) if key not in known}
        known.update(zip(new, expected_outputs(pool, list(new.values())), strict=True))
        return [known[key] for key in keys]

    return expect


@pytest.fixture(scope="session")
def task_set(datasets: Path, expect: Expect) -> Callable[[str], list[Task]]:
    """The tasks of a public set by name, with "+plus" for the set with EvalPlus's inputs as locked tests."""
    humaneval, humanevalplus = datasets / "HumanEval.jsonl.gz", datasets / "HumanEvalPlus.jsonl.gz"
    full, sanitized = datasets / "mbpp.jsonl", datasets / "sanitized-mbpp.json"
    mbppplus = datasets / "MbppPlus.jsonl.gz"
    makers: dict[str, Callable[[], list[Task]]] = {
        "mbpp": lambda: load_mbpp(full),
        "sanitized": lambda: load_mbpp(sanitized),
        "humaneval": lambda: load_humaneval(humaneval, expect),
        "humanevalplus": lambda: load_humanevalplus(humanevalplus, expect),
        "mbppplus": lambda: load_mbppplus(mbppplus, expect),
        "mbpp+plus": lambda: load_mbpp(full, mbppplus, expect),
        "sanitized+plus": lambda: load_mbpp(sanitized, mbppplus, expect),
        "humaneval+plus": lambda: load_humaneval(humaneval, expect, humanevalplus),
    }
    made: dict[str, list[Task]] = {}

    def task_set(name: str) -> list[Task]:
        if name not in made:
            made[name] = makers[name]()
        return made[name]

    return task_set
