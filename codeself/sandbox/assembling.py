"""A verdict from the phases that ran: what they decide together."""

from __future__ import annotations

from codeself.records.tasks import Task
from codeself.records.verdicts import (
    PHASES,
    Candidate,
    IsolationLevel,
    Phase,
    PhaseResult,
    ScanFinding,
    Verdict,
)

SKIPPED = PhaseResult(status="skipped")


def assemble(
    task: Task,
    candidate: Candidate,
    phases: dict[Phase, PhaseResult],
    level: IsolationLevel,
    rollout_id: str,
    findings: tuple[ScanFinding, ...],
    locked: bool,
) -> Verdict:
    """Phases that are not given were skipped; the first that did not pass decides, or the last that ran.

    locked: whether the locked tests were asked for.
    """
    complete = {phase: phases.get(phase, SKIPPED) for phase in PHASES}
    ran = [phase for phase in PHASES if complete[phase].status != "skipped"]
    decided_by = next((phase for phase in ran if complete[phase].status != "passed"), ran[-1])
    correct = complete["hidden"].status == "passed"
    return Verdict(
        task_id=task.task_id,
        rollout_id=rollout_id,
        candidate=candidate,
        isolation=level,
        phases=complete,
        findings=findings,
        decided_by=decided_by,
        status=complete[decided_by].status,
        correct=correct,
        correct_locked=(correct and complete["locked"].status == "passed")
        if locked and task.locked_tests
        else None,
    )
