"""The mock policy keeps the mix that it states."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import fmean, pstdev

import pytest

from codeself.policies.backend import Request
from codeself.policies.mock import MockPolicy
from codeself.policies.parsing import parse_completion
from codeself.policies.prompts import Template, load_template
from codeself.records.errors import InputError
from codeself.records.tasks import Task
from codeself.rollouts.sampling import Draws, requests_for
from tests.made_tasks import adding_task


@pytest.fixture(scope="module", params=["completion_v1", "chat_v1"])
def template(root: Path, request: pytest.FixtureRequest) -> Template:
    return load_template(root / f"resources/prompts/{request.param}.j2")


def asked(
    policy: MockPolicy, template: Template, tasks: list[Task], samples: int, seed: int = 0
) -> list[Request]:
    draws = Draws(samples=samples, greedy=True, temperature=0.8, top_p=1.0, max_new_tokens=64, seed=seed)
    return [request for group in requests_for(tasks, template, policy, "p", draws) for request in group]


def kind(task: Task, request: Request, policy: MockPolicy) -> str:
    """What the answer is, by running it: all answers are this repository's own text."""
    (answer,) = policy.complete([request], lambda count: None)
    candidate = parse_completion(answer.text, task, request.prompt.style, answer.finish_reason)
    if candidate.status != "parsed":
        return candidate.status
    space: dict[str, object] = {}
    exec(candidate.program, space)
    try:
        result = space[task.entry_point](5)  # type: ignore[operator]
    except ValueError:
        return "wrong"
    return "right" if result == 5 + int(task.entry_point.split("_")[1]) else "wrong"


@pytest.mark.parametrize("wrong", [True, False])
@pytest.mark.parametrize("starter", [True, False])
def test_the_mix_is_the_stated_one(template: Template, wrong: bool, starter: bool) -> None:
    tasks = [adding_task(n, starter=starter, wrong=wrong) for n in range(1, 151)]
    policy = MockPolicy(tasks, right=0.3, unparsable=0.2, spread=1.0)
    by_id = {task.task_id: task for task in tasks}
    kinds = Counter(
        kind(by_id[request.task_id], request, policy)
        for request in asked(policy, template, tasks, samples=8)
        if request.decoding == "sampled"
    )
    # 1200 draws, 150 difficulties: 4 standard errors.
    assert kinds["right"] / 1200 == pytest.approx(0.3, abs=0.09)
    assert kinds["wrong"] / 1200 == pytest.approx(0.5, abs=0.09)
    # Prose after an open bracket is no prose.
    prose = set() if template.style == "completion" and not starter else {"no_code"}
    assert set(kinds) == {"right", "wrong", "invalid_syntax", "truncated"} | prose


@pytest.mark.parametrize("spread", [0.0, 1.0, 3.0])
def test_difficulty_spreads_around_the_stated_share(spread: float) -> None:
    policy = MockPolicy([], right=0.36, unparsable=0.1, spread=spread)
    chances = [policy.chance(f"t/{n}") for n in range(4000)]
    assert fmean(chances) == pytest.approx(0.4, abs=0.03)
    assert (pstdev(chances) > 0.15) == (spread > 0)


def test_the_extremes_are_exact(template: Template) -> None:
    tasks = [adding_task(n) for n in range(1, 9)]
    for right, unparsable, expected in ((1.0, 0.0, {"right"}), (0.0, 0.0, {"wrong"})):
        policy = MockPolicy(tasks, right, unparsable, 1.0)
        requests = asked(policy, template, tasks, samples=4)
        assert {
            kind(tasks[index // 5], request, policy) for index, request in enumerate(requests)
        } == expected


def test_an_answer_depends_on_its_own_seed_alone(template: Template) -> None:
    tasks = [adding_task(n) for n in range(1, 9)]
    policy = MockPolicy(tasks, 0.4, 0.1, 1.0)
    requests = asked(policy, template, tasks, samples=6)
    together = policy.complete(requests, lambda count: None)
    assert together == [policy.complete([request], lambda count: None)[0] for request in requests]
    assert together != policy.complete(asked(policy, template, tasks, samples=6, seed=1), lambda count: None)


def test_shares_that_do_not_add_up_are_an_error() -> None:
    with pytest.raises(InputError, match=r"right is 0\.8, unparsable 0\.3"):
        MockPolicy([], 0.8, 0.3, 1.0)
