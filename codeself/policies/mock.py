"""A policy without weights: a stated mix of right, wrong and unparsable answers, drawn by seed.

Tasks differ in difficulty as they do for a real model: the log-odds of a right answer are normal, with
deviation `spread`, around the point that makes `right` the share of right answers on average. A task's
difficulty depends on its id alone. The greedy answer is the likeliest kind.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from statistics import NormalDist, fmean

from codeself.policies.backend import Completion, Progress, Request
from codeself.policies.openings import joined
from codeself.policies.syntax import end_of_block
from codeself.records.digests import seed_from, sha256_json, sha256_text
from codeself.records.errors import InputError
from codeself.records.rollouts import FinishReason, PolicyIdentity
from codeself.records.tasks import Task

_QUANTILES = [NormalDist().inv_cdf((i + 0.5) / 512) for i in range(512)]


class MockPolicy:
    chunk = 5_000
    chat_template_sha256 = ""

    def __init__(self, tasks: Sequence[Task], right: float, unparsable: float, spread: float) -> None:
        if not (0 <= right <= 1 and 0 <= unparsable <= 1 and right + unparsable <= 1 + 1e-9 and spread >= 0):
            raise InputError(
                f"mock policy: right is {right}, unparsable {unparsable}, spread {spread};"
                " expected shares that add up to 1 at most, and a spread of at least 0"
            )
        self._tasks = {task.task_id: task for task in tasks}
        self._unparsable = unparsable
        self._spread = spread
        self._share = min(right / (1 - unparsable), 1.0) if unparsable < 1 else 0.0  # of the parsable answers
        self._centre = _centre(self._share, spread)
        settings = {"right": right, "unparsable": unparsable, "spread": spread}
        source = ", ".join(f"{key} {value:g}" for key, value in settings.items())
        self.identity = PolicyIdentity(backend="mock", source=source, digest=sha256_json(settings))

    def chance(self, task_id: str) -> float:
        """The probability that a parsable answer to the task is right."""
        if self._share in (0.0, 1.0):
            return self._share
        place = (seed_from("mock difficulty", task_id) + 0.5) / 2**63
        return _logistic(self._centre + self._spread * NormalDist().inv_cdf(place))

    def complete(self, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        completions = []
        for request in requests:
            text, finish = self._answer(request)
            completions.append(Completion(text, finish, sha256_text(request.prompt.text)))
            progress(1)
        return completions

    def _answer(self, request: Request) -> tuple[str, FinishReason]:
        task = self._tasks[request.task_id]
        chance = self.chance(request.task_id)
        draw = random.Random(request.seed)
        if request.decoding == "greedy":
            parsable, right = self._unparsable <= 0.5, chance >= 0.5
        else:
            parsable, right = draw.random() >= self._unparsable, draw.random() < chance
        if not parsable:
            return _unparsable(task.entry_point, draw)
        return _written(task.reference_solution if right else _wrong(task, draw), request), "stop"


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _centre(share: float, spread: float) -> float:
    """The mean of the log-odds at which the average chance is the share."""
    low, high = -60.0, 60.0
    for _ in range(80):
        middle = (low + high) / 2
        below = fmean(_logistic(middle + spread * z) for z in _QUANTILES) < share
        low, high = (middle, high) if below else (low, middle)
    return (low + high) / 2


def _wrong(task: Task, draw: random.Random) -> str:
    if task.wrong_variants:
        return draw.choice(task.wrong_variants)
    name = task.entry_point
    define = f"\n\n\ndef {name}(*args, **kwargs):\n    "
    # A right answer in a list equals no right answer.
    wrapped = f"\n\n_right = {name}{define}return [_right(*args, **kwargs)]\n"
    return task.reference_solution + draw.choice((wrapped, f'{define}raise ValueError("not solved")\n'))


def _unparsable(name: str, draw: random.Random) -> tuple[str, FinishReason]:
    kinds: tuple[tuple[str, FinishReason], ...] = (
        (f"To solve {name}, think about the input first, then return what is asked for.", "stop"),
        (f"def {name}(*args:\n    return None\n", "stop"),
        (f"def {name}(*args):\n    return (", "length"),
    )
    return draw.choice(kinds)


def _written(program: str, request: Request) -> str:
    """The program as a policy asked in this style writes it."""
    opening = request.prompt.opening
    rest = program.removeprefix(opening)
    # What follows the function would not count as its continuation.
    if opening and rest != program and end_of_block(*joined(opening, rest.rstrip())) is None:
        return rest
    return program if request.prompt.style == "completion" else f"Here it is:\n\n```python\n{program}\n```\n"
