"""Templates, and a judge that all tests of a process share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from codeself.agents.running import Settings, run_agent
from codeself.policies.backend import Policy
from codeself.policies.prompts import Template, load_template
from codeself.records.judging import JudgeConfig
from codeself.records.tasks import Task
from codeself.records.traces import Trace
from codeself.sandbox.pool import JudgePool

Run = Callable[..., list[Trace]]


@pytest.fixture(scope="session")
def pool() -> Iterator[JudgePool]:
    with JudgePool(JudgeConfig(isolation="limits"), 1) as pool:
        yield pool


@pytest.fixture
def run(root: Path, pool: JudgePool) -> Run:
    """Attempts under these settings, with the project's own templates."""

    def attempts(
        policy: Policy, tasks: Sequence[Task], settings: Settings, style: str = "completion"
    ) -> list[Trace]:
        return run_agent(
            policy,
            "p",
            tasks,
            template(root, f"{style}_v1"),
            template(root, f"revise_{style}_v1"),
            settings,
            pool,
            progress=lambda count: None,
        )

    return attempts


def template(root: Path, name: str) -> Template:
    return load_template(root / f"resources/prompts/{name}.j2")
