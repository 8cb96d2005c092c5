"""One trainer for every arm: sample, judge, pay, learn, log, step after step.

What a run did does not depend on where it was killed: everything that a step reads is in its number, in the state of
the learner, and in the position of the curriculum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from codeself.learning.arms import Paid
from codeself.learning.assignment import Assignment
from codeself.learning.checkpoints import Checkpoint, Checkpoints
from codeself.learning.clock import Clock
from codeself.learning.curriculum import Curriculum
from codeself.learning.diagnostics import Drawn, step_record
from codeself.learning.episodes import Episode, write_episodes
from codeself.learning.learner import Learner
from codeself.learning.practice_log import PracticeLog, Watch, sample_rows, step_timing
from codeself.learning.schedule import rate_at
from codeself.learning.update import grouped, learn
from codeself.records.digests import seed_from
from codeself.records.rollouts import PolicyIdentity
from codeself.records.tasks import Task
from codeself.records.training import PracticeSample, StepRecord, StepTiming
from codeself.records.verdicts import Verdict


@dataclass(frozen=True)
class _Answered:
    """A group with the verdicts on its submissions. paid: None where the judge had a fault with one of its answers."""

    task: Task
    episodes: Sequence[Episode]
    verdicts: Sequence[Verdict]
    paid: Paid | None
    refill: bool

    @property
    def informative(self) -> bool:
        return self.paid is not None and self.paid.informative

    def rows(self, step: int) -> list[PracticeSample]:
        answers = [episode.submission() for episode in self.episodes]
        return sample_rows(step, self.task.task_id, answers, self.verdicts, self.paid, refill=self.refill)


class Trainer:
    """Practises with the arithmetic of this package."""

    def __init__(self, learner: Learner, assignment: Assignment) -> None:
        self._learner = learner
        self._assignment = assignment
        self._config = assignment.config
        self._seed = assignment.seed
        self._curriculum = Curriculum(assignment.tasks, assignment.seed)
        self._log = PracticeLog()

    @property
    def base(self) -> PolicyIdentity:
        """The policy that practice begins with."""
        return self._learner.policy.identity

    def run(self, state: Path, digest: str, resumed: Callable[[int], None], watch: Watch) -> PracticeLog:
        """Practise to the last step.

        state: folder of checkpoints; digest: of the run that they belong to. resumed: told once how many steps an
        earlier run left done.
        """
        checkpoints = Checkpoints(state, digest)
        found = checkpoints.newest()
        if found is not None:
            self._learner.restore(found.learner)
            self._log = PracticeLog.from_json_dict(dict(found.log))
        resumed(len(self._log.records))
        for step in range(len(self._log.records), self._config.steps):
            watch(*self._step(step))
            done = step + 1
            if done % self._config.checkpoint_every == 0 and done < self._config.steps:
                checkpoints.keep(Checkpoint(done, self._learner.state(), self._log.to_json_dict()))
        return self._log

    def save(self, folder: Path, name: str) -> None:
        """Write the policy, as run-rollouts reads it, into a folder that is whole or absent afterwards."""
        self._learner.save(folder, name)

    def _step(self, step: int) -> tuple[StepRecord, StepTiming]:
        clock = Clock()
        position = self._log.records[-1].position if self._log.records else 0
        answered = self._answer(step, position, self._config.prompts_per_step, False, clock)
        # DAPO's dynamic sampling (Yu et al. 2025), with a bound: new groups for those that teach nothing.
        lacking = sum(not group.informative for group in answered)
        refills = min(lacking, self._config.refills)
        if refills:
            answered += self._answer(step, position + len(answered), refills, True, clock)
        groups = [
            grouped(each.task.task_id, [[t.asked for t in e.turns] for e in each.episodes], each.paid)
            for each in answered
            if each.paid is not None
        ]
        rate = rate_at(step, self._config.steps, self._config.optimizer)
        order = seed_from("minibatches", self._seed, step)
        with clock.timing("updating"):
            report = learn(
                self._learner,
                groups,
                self._assignment.arm,
                self._config,
                rate,
                order,
                referenced=self._config.measures_divergence(step),
            )
        samples = [sample for each in answered for sample in each.rows(step)]
        drawn = Drawn(
            samples=samples,
            groups=len(answered),
            informative_groups=sum(group.informative for group in answered),
            faulty_groups=len(answered) - len(groups),
            refills=refills,
            position=position + len(answered),
        )
        record = step_record(step, drawn, report, rate, self._config)
        timing = step_timing(record, clock.seconds)
        self._log.records.append(record)
        self._log.samples += samples
        self._log.timings.append(timing)
        return record, timing

    def _answer(self, step: int, position: int, count: int, refill: bool, clock: Clock) -> list[_Answered]:
        """Sample, judge and pay the next groups of the curriculum."""
        tasks = [self._curriculum.at(position + place) for place in range(count)]
        groups = write_episodes(self._learner.policy, self._assignment, step, position, tasks, clock)
        submitted = [
            (task, [episode.submission() for episode in group])
            for task, group in zip(tasks, groups, strict=True)
        ]
        with clock.timing("judging"):
            judged = self._assignment.judge(step, submitted)
        return [
            _Answered(task, group, verdicts, None if any(each.faulty for each in group) else paid, refill)
            for task, group, (verdicts, paid) in zip(tasks, groups, judged, strict=True)
        ]
