"""Arm grpo-selfdebug: what is asked, told, paid and learned in episodes of several answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codeself.agents.changes import change_of
from codeself.learning.advantages import group_advantages
from codeself.learning.assignment import Assignment
from codeself.learning.learner import Texts
from codeself.learning.mock_learner import MockLearner
from codeself.learning.practice_log import PracticeLog
from codeself.learning.trainer import Trainer
from codeself.learning.update import Group, grouped, learn
from codeself.policies.backend import Completion, Progress, Prompt, Request
from codeself.policies.mock import MockPolicy
from codeself.policies.prompts import load_template
from codeself.provenance.regrading import judged_sample
from codeself.records.errors import InputError
from codeself.records.practice import Arm
from codeself.records.tasks import Task
from codeself.records.traces import PublicResult
from codeself.records.training import PracticeSample
from codeself.records.verdicts import Verdict
from codeself.rewards import reward_v0_correctness
from codeself.sandbox.pool import Job, JudgePool
from tests.learning.batches import completion, paid, settings
from tests.learning.test_update import Listener
from tests.made_tasks import adding_task

TASKS = [adding_task(number, starter=number % 2 == 0) for number in range(10, 18)]
# Numbers of the made tasks' hidden and locked tests; no other text has them.
SECRETS = ("70707", "60606")


class Heard(MockPolicy):
    """A mock that remembers what it was asked."""

    def __init__(self, *settings: Any) -> None:
        super().__init__(*settings)
        self.asked: list[Request] = []
        self.rounds: list[int] = []

    def complete(self, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        self.asked += requests
        self.rounds.append(len(requests))
        return super().complete(requests, progress)


def practise(
    root: Path,
    pool: Any,
    folder: Path,
    arm: Arm = "grpo-selfdebug",
    *,
    right: float = 0.3,
    repair: float | None = 0.3,
    style: str = "completion",
    tasks: Sequence[Task] = TASKS,
    **changes: Any,
) -> tuple[Heard, PracticeLog]:
    config = settings(**{"optimizer": {"learning_rate": 0.1}, "checkpoint_every": 100} | changes)
    policy = Heard(tasks, right, 0.1, 0.5, repair)
    names = (f"{style}_v1", f"revise_{style}_v1")
    first, revision = (load_template(root / f"resources/prompts/{name}.j2") for name in names)
    reward = reward_v0_correctness
    assignment = Assignment(arm, 0, config, tasks, first, pool, reward, revision)
    trainer = Trainer(MockLearner(policy, config, critic=False), assignment)
    return policy, trainer.run(folder / "state", "d", lambda done: None, lambda record, timing: None)


# What is asked and told


@pytest.mark.parametrize("style", ["completion", "chat"])
def test_no_prompt_of_practice_holds_a_hidden_or_a_locked_test(
    root: Path, pool: JudgePool, tmp_path: Path, style: str
) -> None:
    policy, log = practise(root, pool, tmp_path, style=style, right=0.2, samples=8)
    text = "\n".join(request.prompt.text for request in policy.asked)
    told = "\n".join(json.dumps(sample.to_json_dict()["earlier"]) for sample in log.samples)
    revisions = [request for request in policy.asked if request.prompt.name == f"revise_{style}_v1"]
    assert len(revisions) > 60
    assert all("returned" in told and each.prompt.text for each in revisions)
    for task in TASKS:
        calls = [f"{task.entry_point}({number})" for number in (5, -70707, 60606)]
        assert not [call for call in calls if call in text or call in told]
    assert not [secret for secret in SECRETS if secret in text or secret in told]
    # No request holds a task either: these are all that a backend with weights is given.
    assert not any(secret in repr(request) for request in policy.asked for secret in SECRETS)


def test_a_public_test_that_fails_is_what_a_revision_is_told(
    root: Path, pool: JudgePool, tmp_path: Path
) -> None:
    policy, log = practise(root, pool, tmp_path, right=0.2)
    seeds = {request.seed: request for request in policy.asked}
    revised = [sample for sample in log.samples if sample.earlier]
    assert revised
    for sample in revised:
        later = [*(answer.seed for answer in sample.earlier[1:]), sample.seed]
        for before, seed in zip(sample.earlier, later, strict=True):
            assert before.public.status in ("failed", "error")
            asked = seeds[seed].prompt
            assert asked.name == "revise_completion_v1"
            assert before.public.phase in ("parse", "syntax") or before.public.said in asked.text


def test_an_episode_ends_where_public_tests_pass_or_no_answer_is_left(
    root: Path, pool: JudgePool, tmp_path: Path
) -> None:
    _, log = practise(root, pool, tmp_path, revisions=3)
    counts = {len(sample.earlier) for sample in log.samples}
    assert counts == {0, 1, 2, 3}
    for sample in log.samples:
        assert all(answer.public.status != "passed" for answer in sample.earlier)
        if len(sample.earlier) < 3:
            # It passes the public tests; here whatever does is right.
            assert sample.correct
    assert any(not sample.correct for sample in log.samples if len(sample.earlier) == 3)


def test_a_round_asks_once_for_all_that_go_on(root: Path, pool: JudgePool, tmp_path: Path) -> None:
    policy, log = practise(root, pool, tmp_path, steps=1)
    answers = [1 + len(sample.earlier) for sample in log.samples]
    assert policy.rounds == [sum(count > turn for count in answers) for turn in range(3)]


def test_every_answer_has_a_seed_of_its_own_and_the_first_are_those_of_grpo(
    root: Path, pool: JudgePool, tmp_path: Path
) -> None:
    policy, _ = practise(root, pool, tmp_path, steps=1)
    seeds = [request.seed for request in policy.asked]
    assert len(set(seeds)) == len(seeds)
    plain, log = practise(root, pool, tmp_path / "plain", "grpo", steps=1)
    assert policy.asked[: len(plain.asked)] == plain.asked
    assert all(not sample.earlier for sample in log.samples)
    assert log.records[0].revisions is None


def test_without_public_tests_an_answer_is_final(root: Path, pool: JudgePool, tmp_path: Path) -> None:
    bare = [task.model_copy(update={"public_tests": ()}) for task in TASKS]
    policy, log = practise(root, pool, tmp_path, tasks=bare, steps=1)
    assert policy.rounds == [16]
    assert not any(sample.earlier for sample in log.samples)


def test_a_revision_in_another_style_is_refused(root: Path) -> None:
    first, revision = (
        load_template(root / f"resources/prompts/{name}.j2") for name in ("completion_v1", "revise_chat_v1")
    )
    pool: Any = None
    with pytest.raises(InputError, match="is in chat style, 'completion_v1' in completion style"):
        Assignment("grpo-selfdebug", 0, settings(), TASKS, first, pool, reward_v0_correctness, revision)


class FaultyInPublic:
    """A real pool, whose judge has a fault with the public tests of one answer in nine."""

    def __init__(self, pool: JudgePool) -> None:
        self._pool = pool

    def verdicts(self, jobs: Iterable[Job]) -> Iterator[Verdict]:
        jobs = list(jobs)
        for place, (job, verdict) in enumerate(zip(jobs, self._pool.verdicts(jobs), strict=True)):
            fault = not job.task.hidden_tests and place % 9 == 1
            yield verdict.model_copy(update={"status": "infrastructure"}) if fault else verdict


def test_a_fault_on_the_way_leaves_the_whole_group_out(root: Path, pool: JudgePool, tmp_path: Path) -> None:
    _, log = practise(root, FaultyInPublic(pool), tmp_path, steps=2)
    assert sum(record.faulty_groups for record in log.records) > 0
    groups = [log.samples[at : at + 4] for at in range(0, len(log.samples), 4)]
    unpaid = [group for group in groups if any(sample.reward is None for sample in group)]
    assert len(unpaid) == sum(record.faulty_groups for record in log.records) < len(groups)
    assert all(sample.reward is None and not sample.informative for group in unpaid for sample in group)


def test_what_was_told_on_the_way_is_what_a_later_check_finds(
    root: Path, pool: JudgePool, tmp_path: Path
) -> None:
    _, log = practise(root, pool, tmp_path, steps=1)
    tasks = {task.task_id: task for task in TASKS}
    rows = [
        each
        for sample in log.samples
        for each in judged_sample(sample, tasks[sample.task_id], "completion", 1)
    ]
    assert len(rows) == sum(1 + len(sample.earlier) for sample in log.samples) > len(log.samples)
    found = [
        row.read(verdict) for row, verdict in zip(rows, pool.verdicts(row.job for row in rows), strict=True)
    ]
    assert found == [row.recorded for row in rows]


# What is paid and learned


def test_rows_agree_with_the_episodes_they_are_made_from(root: Path, pool: JudgePool, tmp_path: Path) -> None:
    _, log = practise(root, pool, tmp_path)
    for record in log.records:
        samples = [sample for sample in log.samples if sample.step == record.step]
        learned = [sample for sample in samples if sample.informative]
        assert record.completions == len(samples) == 16
        assert record.sampled_tokens == sum(sample.tokens for sample in samples)
        assert record.learned_tokens == sum(sample.tokens for sample in learned)
        assert (record.learned_completions, record.wasted) == (len(learned), 16 - len(learned))
        assert sum(record.advantages) == len(learned)
        revised = [sample for sample in samples if sample.earlier]
        found = record.revisions
        assert found is not None
        assert found.answers == pytest.approx(np.mean([1 + len(sample.earlier) for sample in samples]))
        assert found.revised == pytest.approx(len(revised) / 16)
        assert found.repaired == pytest.approx(np.mean([sample.correct for sample in revised]))
        assert found.unchanged == pytest.approx(np.mean([same for s in revised for same in repeats(s)]))
    assert PracticeLog.from_json_dict(log.to_json_dict()) == log


def repeats(sample: PracticeSample) -> list[bool]:
    texts = [*(answer.completion for answer in sample.earlier), sample.completion]
    return [change_of(before, after) == "unchanged" for before, after in pairwise(texts)]


def test_the_last_answer_is_what_is_paid(root: Path, pool: JudgePool, tmp_path: Path) -> None:
    policy, log = practise(root, pool, tmp_path)
    for sample in log.samples:
        assert sample.reward == float(sample.correct)
        assert sample.correct == ((sample.decided_by, sample.status) == ("hidden", "passed"))
    late = [sample for sample in log.samples if sample.earlier and sample.correct]
    assert late
    # Its own draw, not that of the first answer.
    firsts = {request.seed for request in policy.asked if not request.prompt.name.startswith("revise")}
    assert not {sample.seed for sample in late} & firsts


def prompts(*names: str) -> list[Prompt]:
    return [Prompt("p", "completion", "d", name, "") for name in names]


def two_turns() -> Group:
    """Four samples of one task: one answer, two, two from the same revision's prompt as the second's, and three."""
    first, second, third = prompts("first", "second", "third")
    a, b, c, d, e, f, g, h = (completion([7] * size) for size in range(1, 9))
    episodes = [
        [(first, a)],
        [(first, b), (second, c)],
        [(first, d), (second, e)],
        [(first, f), (third, g), (second, h)],
    ]
    return grouped("t", episodes, paid([1, 0, 0, 0]))


def test_completions_of_one_prompt_come_together_and_remember_their_authors() -> None:
    group = two_turns()
    assert [text.prompt.text for text in group.texts] == ["first", "second", "third"]
    lengths = [[len(each.token_ids) for each in text.completions] for text in group.texts]
    assert lengths == [[1, 2, 4, 6], [3, 5, 8], [7]]
    assert group.authors == ((0, 1, 2, 3), (1, 2, 3), (3,))


@pytest.mark.parametrize("aggregation", ["token", "sequence", "constant"])
def test_one_advantage_and_one_weight_an_episode(aggregation: str) -> None:
    listener: Any = Listener()
    config = settings(loss={"aggregation": aggregation}, revisions=2, max_new_tokens=10)
    report = learn(listener, [two_turns()], "grpo-selfdebug", config, 1.0, 0)
    ((texts, given),) = listener.updates
    expected = group_advantages([[1, 0, 0, 0]])[0]
    sizes = [1, 5, 9, 21]
    weights = {
        "token": [1 / 36] * 4,
        "sequence": [1 / (4 * size) for size in sizes],
        # An episode of three answers may have thirty tokens.
        "constant": [1 / (4 * 30)] * 4,
    }[aggregation]
    assert [text.prompt.text for text in texts] == ["first", "second", "third"]
    for authors, targets in zip(two_turns().authors, given, strict=True):
        for author, target in zip(authors, targets, strict=True):
            assert set(target.advantages) == {expected[author]}
            assert target.weights == pytest.approx(np.full(len(target.weights), weights[author]))
    assert (report.completions, report.tokens) == (4, 36)
    assert report.advantages == pytest.approx(expected)


def test_an_answer_that_was_cut_off_is_left_out_alone(root: Path) -> None:
    first, second = prompts("first", "second")
    cut = completion([7] * 4, finish="length")
    episodes = [[(first, cut), (second, completion([7] * 2))], [(first, cut)], [(first, completion([7]))]]
    listener: Any = Listener()
    config = settings(samples=3, loss={"mask_truncated": True})
    report = learn(listener, [grouped("t", episodes, paid([1, 0, 0]))], "grpo-selfdebug", config, 1.0, 0)
    ((texts, given),) = listener.updates
    assert [[len(each.token_ids) for each in text.completions] for text in texts] == [[1], [2]]
    assert sum(target.weights.sum() for group in given for target in group) == pytest.approx(1.0)
    assert (report.completions, report.tokens) == (2, 3)


def test_a_mock_learns_to_revise_and_one_that_answers_once_does_not(
    root: Path, pool: JudgePool, tmp_path: Path
) -> None:
    changes: dict[str, Any] = {"steps": 12, "samples": 8, "optimizer": {"learning_rate": 0.2}}
    # Hard tasks, on which a revision is what can be learned.
    policy, log = practise(root, pool, tmp_path / "a", right=0.1, repair=0.2, **changes)
    odds = MockPolicy(TASKS, 0.1, 0.1, 0.5, 0.2).repair_odds
    assert policy.repair_odds is not None
    assert odds is not None
    assert policy.repair_odds > odds + 1
    repaired = [record.revisions.repaired for record in log.records if record.revisions]
    assert np.mean(repaired[-3:]) > np.mean(repaired[:3]) + 0.2
    once, _ = practise(root, pool, tmp_path / "b", "grpo", right=0.1, repair=0.2, **changes)
    assert once.repair_odds == odds
    # What was learned is what is written and read.
    policy.save(tmp_path / "policy", "x")
    assert MockPolicy.read(TASKS, tmp_path / "policy").repair_odds == policy.repair_odds


def test_a_mock_without_a_skill_of_its_own_revises_as_it_answers(
    root: Path, pool: JudgePool, tmp_path: Path
) -> None:
    policy, log = practise(root, pool, tmp_path, repair=None, steps=1)
    assert policy.repair_odds is None
    assert any(record.updates for record in log.records)


def test_scores_of_a_revision_are_the_chances_it_was_drawn_with(root: Path) -> None:
    task = TASKS[0]
    result = PublicResult(phase="public", status="failed", passed=0, total=1, test=1, shown="x", said="y")
    from codeself.agents.revising import Observed, render_revisions

    template = load_template(root / "resources/prompts/revise_completion_v1.j2")
    (prompt,) = render_revisions(template, [Observed(task, "x = 1", result)])
    learner = MockLearner(MockPolicy([task], 0.3, 0.1, 0.5, 0.8), settings(), critic=False)
    asked = [Request(task.task_id, prompt, "sampled", n, n, 0.8, 1.0, 64) for n in range(40)]
    written = learner.policy.complete(asked, lambda count: None)
    (scores,) = learner.score([Texts(task.task_id, prompt, tuple(written))])
    assert len({each.token_ids for each in written}) == 3
    for answer, found in zip(written, scores, strict=True):
        assert found.logprobs == pytest.approx(np.array(answer.logprobs))
