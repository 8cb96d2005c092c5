"""Attempts that were killed go on where they stopped, and end as if they had not been killed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codeself.cli import app
from codeself.policies.backend import Completion, Progress, Request
from codeself.policies.mock import MockPolicy
from codeself.rollouts.kept_answers import KeptAnswers
from tests.agents.conftest import Run
from tests.agents.scripted import settings
from tests.made_tasks import adding_task, write_task_set

TASKS = [adding_task(number) for number in range(10)]


class Killed(Exception):
    pass


class Mortal(MockPolicy):
    """A mock that takes few requests at a time, and dies after some calls."""

    chunk = 8

    def __init__(self, dies_after: int = 1_000) -> None:
        super().__init__(TASKS, right=0.2, unparsable=0.1, spread=1.0)
        self.sizes: list[int] = []
        self._left = dies_after

    def complete(self, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        if self._left == 0:
            raise Killed
        self._left -= 1
        self.sizes.append(len(requests))
        return super().complete(requests, progress)


def attempt(run: Run, policy: Mortal, output: Path, seed: int = 0, code: str = "") -> list[dict[str, Any]]:
    kept = KeptAnswers(policy, output, code)
    traces = run(kept, TASKS, settings(attempts=2, seed=seed))
    kept.forget()
    return [trace.to_json_dict() for trace in traces]


def test_a_round_is_asked_in_chunks_that_are_about_equal(run: Run, tmp_path: Path) -> None:
    policy = Mortal()
    attempt(run, policy, tmp_path / "t")
    assert policy.sizes[:3] == [6, 7, 7]
    assert max(policy.sizes) <= 8


@pytest.mark.parametrize("dies_after", [1, 3, 4, 6])
def test_a_killed_run_ends_as_one_that_was_not(run: Run, tmp_path: Path, dies_after: int) -> None:
    whole, first, second = Mortal(), Mortal(dies_after), Mortal()
    expected = attempt(run, whole, tmp_path / "whole")
    with pytest.raises(Killed):
        attempt(run, first, tmp_path / "t")
    assert attempt(run, second, tmp_path / "t") == expected
    assert first.sizes + second.sizes == whole.sizes
    assert list(tmp_path.iterdir()) == []


def test_half_a_line_of_a_killed_run_is_asked_for_again(run: Run, tmp_path: Path) -> None:
    expected = attempt(run, Mortal(), tmp_path / "whole")
    with pytest.raises(Killed):
        attempt(run, Mortal(3), tmp_path / "t")
    partial = tmp_path / "t.partial"
    partial.write_bytes(partial.read_bytes()[:-50])
    second = Mortal()
    assert attempt(run, second, tmp_path / "t") == expected
    assert second.sizes[0] == 7


@pytest.mark.parametrize("changes", [{"seed": 1}, {"code": "other"}])
def test_what_another_run_left_is_not_used(run: Run, tmp_path: Path, changes: dict[str, Any]) -> None:
    expected = attempt(run, Mortal(), tmp_path / "whole", **changes)
    with pytest.raises(Killed):
        attempt(run, Mortal(3), tmp_path / "t")
    second = Mortal()
    assert attempt(run, second, tmp_path / "t", **changes) == expected
    assert second.sizes[:3] == [6, 7, 7]


def test_where_a_run_asks_something_else_what_follows_is_asked_anew(run: Run, tmp_path: Path) -> None:
    requests: list[Request] = []

    class Asked(Mortal):
        def complete(self, asked: Sequence[Request], progress: Progress) -> list[Completion]:
            requests.extend(asked)
            return super().complete(asked, progress)

    attempt(run, Asked(), tmp_path / "t")
    first, second, third = requests[:2], requests[2:4], requests[4:6]
    kept = KeptAnswers(Mortal(), tmp_path / "k", "")
    for asked in (first, second, third):
        kept.complete(asked, lambda count: None)
    policy = Mortal()
    again = KeptAnswers(policy, tmp_path / "k", "")
    assert again.complete(first, lambda count: None) == Mortal().complete(first, lambda count: None)
    assert policy.sizes == []
    other = [replace(request, seed=request.seed + 1) for request in second]
    again.complete(other, lambda count: None)
    again.complete(third, lambda count: None)
    assert policy.sizes == [2, 2]
    # What is kept now is this run's own.
    last = Mortal()
    once_more = KeptAnswers(last, tmp_path / "k", "")
    for asked in (first, other, third):
        once_more.complete(asked, lambda count: None)
    assert last.sizes == []


def test_the_command_goes_on(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    write_task_set(tmp_path, TASKS)

    def words(output: str) -> list[str]:
        return [
            *(
                "run-agentic",
                "--tasks",
                str(tmp_path / "tasks.jsonl"),
                "--splits",
                str(tmp_path / "splits.json"),
            ),
            *("--split", "test", "--policy", "base", "--backend", "mock", "--right", "0.1", "--workers", "1"),
            *("--revisions", "3", "--output", str(tmp_path / output)),
        ]

    app(words("whole"), standalone_mode=False)
    complete, calls = MockPolicy.complete, []

    def dying(self: MockPolicy, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        calls.append(len(requests))
        if len(calls) == 3:
            raise Killed
        return complete(self, requests, progress)

    monkeypatch.setattr(MockPolicy, "complete", dying)
    with pytest.raises(Killed):
        app(words("t"), standalone_mode=False)
    assert not (tmp_path / "t").exists()
    assert (tmp_path / "t.partial").exists()
    app(words("t"), standalone_mode=False)
    assert (tmp_path / "t").read_bytes() == (tmp_path / "whole").read_bytes()
    assert not (tmp_path / "t.partial").exists()
    # Two rounds were kept; the third was asked for twice.
    assert calls[2] == calls[3] < calls[0]
