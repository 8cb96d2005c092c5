"""In which order tasks are practised: shuffled anew for each pass through them. Its whole state is one number."""

from __future__ import annotations

import random
from collections.abc import Sequence

from codeself.records.digests import seed_from
from codeself.records.tasks import Task


class Curriculum:
    def __init__(self, tasks: Sequence[Task], seed: int) -> None:
        self._tasks = sorted(tasks, key=lambda task: task.task_id)
        self._seed = seed
        self._passes: dict[int, list[Task]] = {}

    def at(self, position: int) -> Task:
        """The task that is practised at this place, counted from 0 over all passes."""
        number, place = divmod(position, len(self._tasks))
        if number not in self._passes:
            order = list(self._tasks)
            random.Random(seed_from("curriculum", self._seed, number)).shuffle(order)
            self._passes = {number: order} | {n: o for n, o in self._passes.items() if n == number - 1}
        return self._passes[number][place]
