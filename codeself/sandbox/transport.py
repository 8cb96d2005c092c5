"""What passes between a pool and its workers: plain tuples, which cost a fraction of what records cost to pickle.

An answer holds no candidate: it is small however large the candidate is, so that a worker never waits for the
pool to read while the pool waits for the worker to.
"""

from __future__ import annotations

import pickle
from functools import lru_cache
from typing import Any, cast

from codeself.records.judging import Limits
from codeself.records.verdicts import (
    PHASES,
    Candidate,
    IsolationLevel,
    ParseStatus,
    Phase,
    PhaseResult,
    ScanFinding,
    Status,
    Verdict,
)

Job = tuple[str, ParseStatus, str, str, Limits | None, bool]
"""Key of the task, the candidate's three fields, limits unless they are the pool's own, locked."""


def dumps(message: Any) -> bytes:
    return pickle.dumps(message, pickle.HIGHEST_PROTOCOL)


def job(key: str, candidate: Candidate, limits: Limits | None, locked: bool) -> Job:
    return key, candidate.status, candidate.program, candidate.source, limits, locked


def candidate_of(job: Job) -> Candidate:
    return Candidate(status=job[1], program=job[2], source=job[3])


def flat(verdict: Verdict) -> tuple[Any, ...]:
    """A verdict without its candidate."""
    results = [verdict.phases[phase] for phase in PHASES]
    return (
        verdict.task_id,
        verdict.isolation,
        tuple((result.status, result.passed, result.total, result.detail) for result in results),
        tuple((finding.rule, finding.line, finding.detail) for finding in verdict.findings),
        verdict.decided_by,
        verdict.status,
        verdict.correct,
        verdict.correct_locked,
    )


def whole(flat: tuple[Any, ...], candidate: Candidate, rollout_id: str) -> Verdict:
    """The verdict that was made flat, on this candidate and rollout."""
    task_id, isolation, results, findings, decided_by, status, correct, correct_locked = flat
    return Verdict(
        task_id=task_id,
        rollout_id=rollout_id,
        candidate=candidate,
        isolation=cast(IsolationLevel, isolation),
        phases={phase: _result(*result) for phase, result in zip(PHASES, results, strict=True)},
        findings=tuple(ScanFinding(rule=rule, line=line, detail=detail) for rule, line, detail in findings),
        decided_by=cast(Phase, decided_by),
        status=cast(Status, status),
        correct=correct,
        correct_locked=correct_locked,
    )


@lru_cache(maxsize=1024)
def _result(status: Status, passed: int, total: int, detail: str) -> PhaseResult:
    return PhaseResult(status=status, passed=passed, total=total, detail=detail)
