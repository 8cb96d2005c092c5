"""Which draws are made, and that a killed run goes on where it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from codeself.policies.backend import Completion, Policy, Progress, Request
from codeself.policies.mock import MockPolicy
from codeself.policies.prompts import Template
from codeself.records.errors import InputError
from codeself.records.jsonl import read_record, read_records
from codeself.records.rollouts import Rollout
from codeself.records.tasks import SplitManifest
from codeself.rollouts.sampling import Draws, run_rollouts, tasks_of_shard
from tests.made_tasks import adding_task, write_task_set

TASKS = [adding_task(n) for n in range(1, 11)]
TEMPLATE = Template("plain", "completion", "{# style: completion #}{{ task.opening }}")
DRAWS = Draws(samples=2, greedy=True, temperature=0.7, top_p=0.9, max_new_tokens=32, seed=5)


class Killed(Exception):
    pass


class Mortal(MockPolicy):
    """A mock that takes few requests at a time, and dies after some calls."""

    chunk = 9

    def __init__(self, dies_after: int = 1_000) -> None:
        super().__init__(TASKS, right=0.5, unparsable=0.1, spread=1.0)
        self.asked: list[str] = []
        self._left = dies_after

    def complete(self, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        if self._left == 0:
            raise Killed
        self._left -= 1
        self.asked += [request.task_id for request in requests]
        return super().complete(requests, progress)


def run(policy: Policy, output: Path, draws: Draws = DRAWS, code: str = "") -> list[int]:
    steps: list[int] = []
    run_rollouts(policy, "base", TASKS, TEMPLATE, draws, output, steps.append, code=code)
    return steps


def test_each_task_gets_its_greedy_answer_and_its_samples(tmp_path: Path) -> None:
    run(Mortal(), tmp_path / "r.jsonl")
    rollouts = read_records(tmp_path / "r.jsonl", Rollout)
    assert [rollout.rollout_id for rollout in rollouts[:4]] == [
        "base/made/add_1/greedy-0",
        "base/made/add_1/sampled-0",
        "base/made/add_1/sampled-1",
        "base/made/add_2/greedy-0",
    ]
    assert len(rollouts) == len({rollout.rollout_id for rollout in rollouts}) == 30
    assert len({rollout.seed for rollout in rollouts}) == 30
    greedy, sampled = rollouts[:2]
    assert (greedy.temperature, greedy.top_p) == (0.0, 1.0)
    assert (sampled.temperature, sampled.top_p, sampled.max_new_tokens) == (0.7, 0.9, 32)


def test_without_greedy_there_are_samples_alone(tmp_path: Path) -> None:
    run(Mortal(), tmp_path / "r.jsonl", replace(DRAWS, greedy=False))
    assert {rollout.decoding for rollout in read_records(tmp_path / "r.jsonl", Rollout)} == {"sampled"}


def test_a_killed_run_goes_on_and_ends_as_if_it_had_not_been_killed(tmp_path: Path) -> None:
    run(Mortal(), tmp_path / "whole.jsonl")
    output = tmp_path / "r.jsonl"
    with pytest.raises(Killed):
        run(Mortal(dies_after=2), output)
    assert not output.exists()
    second = Mortal()
    steps = run(second, output)
    assert output.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert "made/add_1" not in second.asked
    assert "made/add_10" in second.asked
    assert steps[0] > 0
    assert sum(steps) == 30
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_half_a_line_of_a_killed_run_is_dropped(tmp_path: Path) -> None:
    run(Mortal(), tmp_path / "whole.jsonl")
    output = tmp_path / "r.jsonl"
    with pytest.raises(Killed):
        run(Mortal(dies_after=2), output)
    partial = tmp_path / "r.jsonl.partial"
    partial.write_bytes(partial.read_bytes()[:-100])
    with pytest.raises(Killed):
        run(Mortal(dies_after=1), output)
    run(Mortal(), output)
    assert output.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@pytest.mark.parametrize("change", ["seed", "code", "template"])
def test_what_other_settings_left_is_not_used(
    tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "r.jsonl"
    with pytest.raises(Killed):
        run(Mortal(dies_after=2), output)
    if change == "template":
        monkeypatch.setitem(globals(), "TEMPLATE", replace(TEMPLATE, source=TEMPLATE.source + "{# other #}"))
    policy = Mortal()
    draws = replace(DRAWS, seed=6) if change == "seed" else DRAWS
    steps = run(policy, output, draws, code="other" if change == "code" else "")
    assert steps[0] == 0
    assert "made/add_1" in policy.asked


def test_shards_share_the_split_out(tmp_path: Path) -> None:
    _, splits = write_task_set(tmp_path, TASKS)
    manifest = read_record(splits, SplitManifest)
    shards = [[t.task_id for t in tasks_of_shard(TASKS, manifest, "test", shard, 3)] for shard in range(3)]
    assert sorted(chain(*shards)) == sorted(task.task_id for task in TASKS)
    assert [len(shard) for shard in shards] == [4, 3, 3]


def test_a_shard_that_does_not_exist_and_a_split_without_tasks_are_errors(tmp_path: Path) -> None:
    _, splits = write_task_set(tmp_path, TASKS)
    manifest = read_record(splits, SplitManifest)
    with pytest.raises(InputError, match="shard 3: expected one from 0 to 2"):
        tasks_of_shard(TASKS, manifest, "test", 3, 3)
    with pytest.raises(InputError, match="split 'dev' of task set 'made' has no task"):
        tasks_of_shard(TASKS, manifest, "dev", 0, 1)
    with pytest.raises(InputError, match="names task 'made/add_1', which is not in the task file"):
        tasks_of_shard(TASKS[1:], manifest, "test", 0, 1)
