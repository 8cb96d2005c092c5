"""A reward function in the signature of TRL's GRPOTrainer, on a pool of judges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from codeself.policies.parsing import parse_completion
from codeself.records.errors import InputError
from codeself.records.rollouts import PromptStyle
from codeself.records.tasks import Task
from codeself.records.verdicts import Verdict
from codeself.sandbox.pool import Job, JudgePool

Messages = list[dict[str, Any]]


def correctness(verdict: Verdict) -> float:
    """1 for a candidate that passes every public and hidden test, 0 for any other."""
    return 1.0 if verdict.correct else 0.0


class JudgeReward:
    """reward_funcs=[JudgeReward(pool, tasks)]: one float a completion, or None where the judge itself failed.

    The trainer's dataset needs a column that holds each row's task id. TRL leaves a None out of the mean.
    """

    def __init__(
        self,
        pool: JudgePool,
        tasks: Iterable[Task],
        column: str = "task_id",
        score: Callable[[Verdict], float] = correctness,
        prompt_style: PromptStyle | None = None,
    ) -> None:
        """score: a verdict's worth. prompt_style: how to parse; chat for messages, completion for text."""
        self._pool = pool
        self._tasks = {task.task_id: task for task in tasks}
        self._column = column
        self._score = score
        self._style = prompt_style
        self.__name__ = f"judge_{score.__name__}"  # the name under which TRL logs it

    def __call__(
        self, prompts: list[Any], completions: Sequence[str | Messages], **kwargs: Any
    ) -> list[float | None]:
        names = kwargs.get(self._column)
        if not isinstance(names, list | tuple) or len(names) != len(completions):
            raise InputError(
                f"the reward needs the dataset column '{self._column}' with one task id a completion;"
                f" it got {sorted(kwargs)}"
            )
        jobs = [self._job(name, completion) for name, completion in zip(names, completions, strict=True)]
        return [
            None if verdict.status == "infrastructure" else float(self._score(verdict))
            for verdict in self._pool.verdicts(jobs)
        ]

    def _job(self, name: str, completion: str | Messages) -> Job:
        task = self._tasks.get(name)
        if task is None:
            raise InputError(f"column '{self._column}': '{name}' is not among the {len(self._tasks)} tasks")
        style = self._style or ("completion" if isinstance(completion, str) else "chat")
        return Job(task, parse_completion(_text(completion), task, style, "stop"))


def _text(completion: str | Messages) -> str:
    """What the policy said: the text itself, or the content of the last assistant message."""
    if isinstance(completion, str):
        return completion
    for message in reversed(completion):
        if isinstance(message, Mapping) and message.get("role", "assistant") == "assistant":
            content = message.get("content")
            if isinstance(content, list):  # parts, of which the text ones count
                content = "".join(part.get("text", "") for part in content if isinstance(part, Mapping))
            return content if isinstance(content, str) else ""
    return ""
