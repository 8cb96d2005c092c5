"""The loop over a whole split: propose, run public tests, observe, revise, submit; all attempts side by side.

Each round asks the policy once, for an answer of every attempt that goes on, and the judge once. Strategies differ in
nothing but the prompt of the later answers: seeds, budget and rule are the same, and so is the first answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codeself.agents.episode import Episode
from codeself.agents.feedback import observe, public_task
from codeself.agents.public_run import run_public
from codeself.agents.revising import check_style, render_revisions, together
from codeself.policies.backend import Policy, Progress, Prompt, Request
from codeself.policies.prompts import Template
from codeself.records.digests import seed_from
from codeself.records.errors import InfrastructureError, InputError
from codeself.records.tasks import Task
from codeself.records.traces import Budget, Strategy, SubmitRule, Trace, place_submitted
from codeself.records.verdicts import Verdict
from codeself.sandbox.pool import Job, JudgePool


@dataclass(frozen=True)
class Settings:
    """How attempts are made. attempts: a task. seed: root of every draw."""

    strategy: Strategy
    rule: SubmitRule
    budget: Budget
    attempts: int
    temperature: float
    top_p: float
    max_new_tokens: int
    seed: int

    def check(self) -> None:
        if self.budget.tokens < self.max_new_tokens:
            raise InputError(
                f"a budget of {self.budget.tokens} tokens does not hold one answer of {self.max_new_tokens};"
                " expected at least as many"
            )


def run_agent(
    policy: Policy,
    policy_name: str,
    tasks: Sequence[Task],
    first: Template,
    revision: Template,
    settings: Settings,
    pool: JudgePool,
    *,
    progress: Progress,
) -> list[Trace]:
    """A trace for each attempt, in the order of the tasks. progress: called with the attempts that have ended."""
    settings.check()
    if settings.strategy == "self-debug":
        check_style(first, revision)
    chat = policy.chat_template_sha256
    prompts = {task.task_id: prompt for task, prompt in zip(tasks, first.render(tasks, chat), strict=True)}
    public = {task.task_id: public_task(task) for task in tasks}
    episodes = [
        Episode(public[task.task_id], attempt, settings.budget, settings.max_new_tokens)
        for task in tasks
        for attempt in range(settings.attempts)
    ]
    left = episodes
    while left:
        asked = _requests(left, prompts, revision, policy_name, settings, chat)
        _round(asked, policy, pool)
        going_on = [episode for episode in left if episode.ended is None]
        progress(len(left) - len(going_on))
        left = going_on
    return _traces(episodes, tasks, policy, policy_name, settings, pool)


def _requests(
    episodes: Sequence[Episode],
    prompts: dict[str, Prompt],
    revision: Template,
    policy_name: str,
    settings: Settings,
    chat: str,
) -> list[tuple[Episode, Request]]:
    """What is asked next for each attempt, equal prompts together."""
    revised = [e for e in episodes if e.steps and settings.strategy == "self-debug"]
    rendered = render_revisions(revision, [episode.last() for episode in revised], chat)
    own = {id(episode): prompt for episode, prompt in zip(revised, rendered, strict=True)}
    asked = []
    for episode in episodes:
        task_id = episode.task.task_id
        request = Request(
            task_id=task_id,
            prompt=own.get(id(episode)) or prompts[task_id],
            decoding="sampled",
            sample=episode.attempt,
            seed=seed_from(settings.seed, policy_name, task_id, "agent", episode.attempt, len(episode.steps)),
            temperature=settings.temperature,
            top_p=settings.top_p,
            max_new_tokens=settings.max_new_tokens,
        )
        asked.append((episode, request))
    return together(asked)


def _round(asked: Sequence[tuple[Episode, Request]], policy: Policy, pool: JudgePool) -> None:
    """One answer for each attempt, run on the public tests and observed."""
    completions = policy.complete([request for _, request in asked], lambda _: None)
    answered = [
        (episode.task, request, completion)
        for (episode, request), completion in zip(asked, completions, strict=True)
    ]
    verdicts = _sound(run_public(answered, pool))
    for (episode, request), completion, verdict in zip(asked, completions, verdicts, strict=True):
        episode.add(request, completion, verdict.candidate, observe(episode.task, verdict))


def _sound(verdicts: Sequence[Verdict]) -> Sequence[Verdict]:
    """The verdicts. Raises InfrastructureError where one of them is a fault of ours."""
    for verdict in verdicts:
        if verdict.status == "infrastructure":
            raise InfrastructureError(
                f"task '{verdict.task_id}': an answer has no result because of a fault of the judge or the machine"
                f" ({verdict.phases[verdict.decided_by].detail}); run the command again"
            )
    return verdicts


def _traces(
    episodes: Sequence[Episode],
    tasks: Sequence[Task],
    policy: Policy,
    policy_name: str,
    settings: Settings,
    pool: JudgePool,
) -> list[Trace]:
    """Now that all attempts have ended, every answer is judged on hidden tests, and on no locked one."""
    whole = {task.task_id: task for task in tasks}
    steps = [(episode, step) for episode in episodes for step in episode.steps]
    jobs = [Job(whole[episode.task.task_id], step.candidate) for episode, step in steps]
    verdicts = iter(_sound(list(pool.verdicts(jobs))))
    traces = []
    for episode in episodes:
        own = [next(verdicts) for _ in episode.steps]
        chosen = place_submitted([step.public for step in episode.steps], settings.rule)
        task = whole[episode.task.task_id]
        trace_id = f"{policy_name}/{task.task_id}/{settings.strategy}-{episode.attempt}"
        assert episode.ended is not None
        traces.append(
            Trace(
                trace_id=trace_id,
                task_id=task.task_id,
                family=task.family,
                policy=policy_name,
                identity=policy.identity,
                strategy=settings.strategy,
                attempt=episode.attempt,
                temperature=settings.temperature,
                top_p=settings.top_p,
                max_new_tokens=settings.max_new_tokens,
                budget=settings.budget,
                rule=settings.rule,
                steps=tuple(
                    step.model_copy(update={"correct": verdict.correct})
                    for step, verdict in zip(episode.steps, own, strict=True)
                ),
                ended=episode.ended,
                submitted=chosen,
                prompt_tokens=sum(step.prompt_tokens for step in episode.steps),
                tokens=episode.tokens,
                executions=episode.executions,
                verdict=own[chosen].model_copy(update={"rollout_id": trace_id}),
            )
        )
    return traces
