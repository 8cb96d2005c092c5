"""One attempt: which answers were written, what was told of each, and when it ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from codeself.agents.changes import change_of, unified
from codeself.agents.revising import Observed, attempt_source
from codeself.policies.backend import Completion, Request
from codeself.records.tasks import Task
from codeself.records.traces import Budget, Ending, PublicResult, Step
from codeself.records.verdicts import Candidate


@dataclass
class Episode:
    """One attempt at a task, as far as it has come. ended: why, once it has."""

    task: Task
    attempt: int
    budget: Budget
    max_new_tokens: int
    steps: list[Step] = field(default_factory=list)
    ended: Ending | None = None
    _sources: list[str] = field(default_factory=list, init=False)  # the answers, as their author sees them

    @property
    def tokens(self) -> int:
        return sum(step.completion_tokens for step in self.steps)

    @property
    def executions(self) -> int:
        return sum(step.executed for step in self.steps)

    def last(self) -> Observed:
        """The last answer and its public result: what a revision is written from."""
        return Observed(self.task, self._sources[-1], self.steps[-1].public)

    def add(
        self, request: Request, completion: Completion, candidate: Candidate, result: PublicResult
    ) -> None:
        """Take an answer that was run on the public tests, and decide whether another one follows."""
        source = attempt_source(self.task, candidate, completion.text, request.prompt.style)
        before = self._sources[-1] if self._sources else None
        self._sources.append(source)
        step = Step(
            prompt=request.prompt.text,
            prompt_name=request.prompt.name,
            prompt_digest=request.prompt.digest,
            prompt_sha256=completion.prompt_sha256,
            prompt_tokens=completion.prompt_tokens,
            seed=request.seed,
            completion=completion.text,
            completion_tokens=len(completion.token_ids),
            finish_reason=completion.finish_reason,
            candidate=candidate,
            change=change_of(before, source),
            diff=unified(before, source),
            executed=result.phase not in ("parse", "scan") and bool(self.task.public_tests),
            public=result,
            decision="revise",
        )
        self.steps.append(step)
        self.ended = self._ending(result)
        if self.ended is not None:
            self.steps[-1] = step.model_copy(update={"decision": "submit"})

    def _ending(self, result: PublicResult) -> Ending | None:
        if not self.task.public_tests:
            return "untested"
        if result.status == "passed":
            return "passed"
        if len(self.steps) > self.budget.revisions:
            return "revisions"
        # An answer is begun only where all that it may take is left: none is cut short by the budget.
        if self.tokens + self.max_new_tokens > self.budget.tokens:
            return "tokens"
        return "executions" if self.executions >= self.budget.executions else None
