"""What one run is to practise, and with what: the same for every arm and for both trainers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codeself.learning.arms import Paid, pay
from codeself.learning.practice_log import Answer
from codeself.policies.parsing import parse_completion
from codeself.policies.prompts import Template
from codeself.records.practice import Arm, PracticeConfig
from codeself.records.tasks import Task
from codeself.records.verdicts import Verdict
from codeself.rewards import RewardFunction
from codeself.sandbox.pool import Job, JudgePool

# A task with the answers of one group, what the judge found about them, and what they are paid.
Judged = tuple[Sequence[Verdict], Paid | None]


@dataclass(frozen=True)
class Assignment:
    """seed: root of the run's draws; runs with the same seed meet the same tasks in the same order.

    pool: grades by public and hidden tests, never by locked ones. revision: the template of later answers, for an arm
    that has them.
    """

    arm: Arm
    seed: int
    config: PracticeConfig
    tasks: Sequence[Task]
    template: Template
    pool: JudgePool
    reward: RewardFunction
    revision: Template | None = None

    def __post_init__(self) -> None:
        if self.revision is not None:
            from codeself.agents.revising import check_style

            check_style(self.template, self.revision)

    def judge(self, step: int, groups: Sequence[tuple[Task, Sequence[Answer]]]) -> list[Judged]:
        """The verdicts and the pay of each group; no pay where the judge had a fault with one of its answers."""
        style = self.template.style
        jobs = [
            Job(
                task,
                parse_completion(answer.text, task, style, answer.finish_reason),
                f"practice/{task.task_id}",
            )
            for task, answers in groups
            for answer in answers
        ]
        verdicts = self.pool.verdicts(jobs)
        judged: list[Judged] = []
        for task, answers in groups:
            own = [next(verdicts) for _ in answers]
            judged.append((own, pay(self.arm, own, self.reward, self.seed, step, task.task_id)))
        return judged
