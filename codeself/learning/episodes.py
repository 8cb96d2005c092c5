"""The samples of practice: each an episode of one answer, or of several, where a later one is written in sight of what
the public tests said of the one before. The last answer is what is judged and paid.

A policy is told of public tests alone, as in any attempt (codeself.agents): the judge that runs them then has no
others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from codeself.learning.arms import answers_of
from codeself.learning.assignment import Assignment
from codeself.learning.clock import Clock
from codeself.learning.practice_log import Answer
from codeself.policies.backend import Completion, Policy, Prompt, Request
from codeself.records.digests import seed_from
from codeself.records.tasks import Task
from codeself.records.traces import PublicResult
from codeself.records.training import EarlierAnswer

if TYPE_CHECKING:
    from codeself.agents.revising import Observed


@dataclass(frozen=True)
class Turn:
    """One answer. told: what the public tests said of it, where another answer follows."""

    request: Request
    completion: Completion
    told: PublicResult | None = None

    @property
    def asked(self) -> tuple[Prompt, Completion]:
        return self.request.prompt, self.completion


@dataclass
class Episode:
    """One sample of a group. place: of its task in the curriculum. faulty: the judge failed before its last answer."""

    task: Task
    place: int
    sample: int
    turns: list[Turn] = field(default_factory=list)
    faulty: bool = False

    def submission(self) -> Answer:
        *before, last = self.turns
        return Answer(
            text=last.completion.text,
            tokens=len(last.completion.token_ids),
            finish_reason=last.completion.finish_reason,
            seed=last.request.seed,
            earlier=tuple(
                EarlierAnswer(
                    seed=turn.request.seed,
                    completion=turn.completion.text,
                    completion_tokens=len(turn.completion.token_ids),
                    finish_reason=turn.completion.finish_reason,
                    public=turn.told,
                )
                for turn in before
                if turn.told is not None
            ),
        )


def write_episodes(
    policy: Policy, assignment: Assignment, step: int, position: int, tasks: Sequence[Task], clock: Clock
) -> list[list[Episode]]:
    """A group for each task. position: of the first task in the curriculum. All episodes go side by side: a round asks
    the policy once, for an answer of each that goes on, and the judge once."""
    groups = [
        [Episode(task, position + place, sample) for sample in range(assignment.config.samples)]
        for place, task in enumerate(tasks)
    ]
    prompts = assignment.template.render(tasks, policy.chat_template_sha256)
    asked = [
        (episode, _request(assignment, step, episode, prompt))
        for group, prompt in zip(groups, prompts, strict=True)
        for episode in group
    ]
    left = answers_of(assignment.arm, assignment.config)
    while asked:
        with clock.timing("sampling"):
            completions = policy.complete([request for _, request in asked], lambda _: None)
        for (episode, request), completion in zip(asked, completions, strict=True):
            episode.turns.append(Turn(request, completion))
        left -= 1
        with clock.timing("judging"):
            going_on = _observe([episode for episode, _ in asked], assignment) if left else []
        asked = _revisions(going_on, assignment, step, policy.chat_template_sha256) if going_on else []
    return groups


def _request(assignment: Assignment, step: int, episode: Episode, prompt: Prompt) -> Request:
    config, task_id = assignment.config, episode.task.task_id
    # By place in the curriculum, as a small task set may meet a task twice in a step. A first answer's seed says
    # nothing of turns: arms with one seed begin with the same draws, whatever they do with them.
    names = ("practice", assignment.seed, step, episode.place, task_id, episode.sample)
    turn = len(episode.turns)
    return Request(
        task_id=task_id,
        prompt=prompt,
        decoding="sampled",
        sample=episode.sample,
        seed=seed_from(*names, "turn", turn) if turn else seed_from(*names),
        temperature=config.temperature,
        top_p=1.0,
        max_new_tokens=config.max_new_tokens,
    )


def _observe(episodes: Sequence[Episode], assignment: Assignment) -> list[tuple[Episode, Observed]]:
    """Run last answers on the public tests. Returns the episodes that go on, those in which a test failed, with what
    their next answers are written from."""
    from codeself.agents.feedback import observe, public_task
    from codeself.agents.public_run import run_public
    from codeself.agents.revising import Observed, attempt_source

    tested = [episode for episode in episodes if episode.task.public_tests]
    answered = [(public_task(e.task), e.turns[-1].request, e.turns[-1].completion) for e in tested]
    verdicts = run_public(answered, assignment.pool)
    going_on = []
    for episode, (task, request, completion), verdict in zip(tested, answered, verdicts, strict=True):
        if verdict.status == "infrastructure":
            episode.faulty = True
        elif verdict.status != "passed":
            told = observe(task, verdict)
            episode.turns[-1] = Turn(request, completion, told)
            source = attempt_source(task, verdict.candidate, completion.text, request.prompt.style)
            going_on.append((episode, Observed(task, source, told)))
    return going_on


def _revisions(
    going_on: Sequence[tuple[Episode, Observed]], assignment: Assignment, step: int, chat: str
) -> list[tuple[Episode, Request]]:
    """What is asked next, equal prompts together."""
    from codeself.agents.revising import render_revisions, together

    assert assignment.revision is not None, "an assignment that revises has a template for it"
    prompts = render_revisions(assignment.revision, [observed for _, observed in going_on], chat)
    return together(
        [
            (episode, _request(assignment, step, episode, prompt))
            for (episode, _), prompt in zip(going_on, prompts, strict=True)
        ]
    )
