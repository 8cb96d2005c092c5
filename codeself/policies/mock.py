"""A policy without weights: a stated mix of right, wrong and unparsable answers, drawn by seed.

Tasks differ in difficulty as they do for a real model: the log-odds of a right answer are normal, with
deviation `spread`, around the point that makes `right` the share of right answers on average. A task's
difficulty depends on its id alone. The greedy answer is the likeliest kind. A revision, asked for by a
template whose name begins with "revise", is like any answer, or right with a stated chance `repair`, whatever the task.

In place of tokens a completion has two decisions, 1 or 0: whether it can be parsed, and, if so, whether it is right.
Practice moves their log-odds, and what it made of them is kept in a folder with one file.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist, fmean

from codeself.policies.backend import Completion, Progress, Prompt, Request
from codeself.policies.openings import joined
from codeself.policies.syntax import end_of_block
from codeself.records.base import Record
from codeself.records.digests import seed_from, sha256_json, sha256_text
from codeself.records.errors import InputError
from codeself.records.jsonl import read_record, write_record
from codeself.records.models import MODEL_FILE
from codeself.records.rollouts import FinishReason, PolicyIdentity
from codeself.records.tasks import Task

_QUANTILES = [NormalDist().inv_cdf((i + 0.5) / 512) for i in range(512)]


class MockRecord(Record):
    """A mock after practice. parsable, right: log-odds of the two decisions, right's at a task of mean difficulty.

    repair: of a right revision, None where it is like any answer.
    """

    name: str
    parsable: float
    right: float
    spread: float
    repair: float | None = None


class MockPolicy:
    """log_odds: of an answer that can be parsed, and of a right one among those; practice changes them.

    repair: the chance that a parsable revision is right; None where it is like any answer. repair_odds: its log-odds.
    """

    chunk = 5_000
    chat_template_sha256 = ""

    def __init__(
        self,
        tasks: Sequence[Task],
        right: float,
        unparsable: float,
        spread: float,
        repair: float | None = None,
    ) -> None:
        if not (0 <= right <= 1 and 0 <= unparsable <= 1 and right + unparsable <= 1 + 1e-9 and spread >= 0):
            raise InputError(
                f"mock policy: right is {right}, unparsable {unparsable}, spread {spread};"
                " expected shares that add up to 1 at most, and a spread of at least 0"
            )
        self._tasks = {task.task_id: task for task in tasks}
        self._spread = spread
        share = min(right / (1 - unparsable), 1.0) if unparsable < 1 else 0.0  # of the parsable answers
        self.log_odds = (_logit(1 - unparsable), _centre(share, spread))
        self.repair_odds = None if repair is None else _logit(repair)
        settings = {"right": right, "unparsable": unparsable, "spread": spread}
        settings |= {} if repair is None else {"repair": repair}
        source = ", ".join(f"{key} {value:g}" for key, value in settings.items())
        self.identity = PolicyIdentity(backend="mock", source=source, digest=sha256_json(settings))

    @classmethod
    def read(cls, tasks: Sequence[Task], folder: Path) -> MockPolicy:
        """The policy that `save` wrote there."""
        record = read_record(folder / MODEL_FILE, MockRecord)
        policy = cls(tasks, 0.5, 0.0, record.spread)
        policy.log_odds = (record.parsable, record.right)
        policy.repair_odds = record.repair
        policy.identity = PolicyIdentity(
            backend="mock", source=record.name, digest=sha256_json(record.to_json_dict())
        )
        return policy

    def save(self, folder: Path, name: str) -> None:
        parsable, right = self.log_odds
        record = MockRecord(
            name=f"{self.identity.source}; {name}",
            parsable=parsable,
            right=right,
            spread=self._spread,
            repair=self.repair_odds,
        )
        write_record(folder / MODEL_FILE, record)

    def difficulty(self, task_id: str) -> float:
        """What a task adds to the log-odds of a right answer."""
        place = (seed_from("mock difficulty", task_id) + 0.5) / 2**63
        return self._spread * NormalDist().inv_cdf(place)

    def chance(self, task_id: str) -> float:
        """The probability that a parsable answer to the task is right."""
        return _logistic(self.log_odds[1] + self.difficulty(task_id))

    def complete(self, requests: Sequence[Request], progress: Progress) -> list[Completion]:
        completions = []
        for request in requests:
            completions.append(self._answer(request))
            progress(1)
        return completions

    def _answer(self, request: Request) -> Completion:
        task = self._tasks[request.task_id]
        chance_right = self.chance(request.task_id)
        if self.repair_odds is not None and is_revision(request.prompt):
            chance_right = _logistic(self.repair_odds)
        chances = (_logistic(self.log_odds[0]), chance_right)
        draw = random.Random(request.seed)
        if request.decoding == "greedy":
            parsable, right = (chance >= 0.5 for chance in chances)
        else:
            parsable, right = draw.random() < chances[0], draw.random() < chances[1]
        finish: FinishReason = "stop"
        if parsable:
            text = _written(task.reference_solution if right else _wrong(task, draw), request)
        else:
            text, finish = _unparsable(task.entry_point, draw)
        decisions = (int(parsable), int(right)) if parsable else (0,)
        greedy = request.decoding == "greedy"
        return Completion(
            text=text,
            finish_reason=finish,
            prompt_sha256=sha256_text(request.prompt.text),
            token_ids=decisions,
            logprobs=tuple(
                0.0 if greedy else math.log(chance if decision else 1 - chance)
                for decision, chance in zip(decisions, chances, strict=False)
            ),
        )


def is_revision(prompt: Prompt) -> bool:
    return prompt.name.startswith("revise")


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def _logit(chance: float) -> float:
    if chance in (0.0, 1.0):
        return math.copysign(math.inf, chance - 0.5)
    return math.log(chance / (1 - chance))


def _centre(share: float, spread: float) -> float:
    """The mean of the log-odds at which the average chance is the share."""
    if share in (0.0, 1.0):
        return _logit(share)
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
