"""What passes between a pool and its workers: plain tuples, which cost a fraction of what records cost to pickle.

An answer holds no candidate: it is small however large the candidate is, so that a worker never waits for the
pool to read while the pool waits for the worker to.
"""

from __future__ import annotations

import pickle
from functools import lru_cache
from typing import Any

from codeself.records.judging import Limits
from codeself.records.verdicts import (
    Candidate,
    IsolationLevel,
    ParseStatus,
    Phase,
    PhaseResult,
    ScanFinding,
    Status,
)

Job = tuple[str, ParseStatus, str, Limits | None, bool]
"""Key of the task, how the candidate was parsed and its program, limits unless they are the pool's own, locked."""


def dumps(message: Any) -> bytes:
    return pickle.dumps(message, pickle.HIGHEST_PROTOCOL)


def job(key: str, candidate: Candidate, limits: Limits | None, locked: bool) -> Job:
    return key, candidate.status, candidate.program, limits, locked


def flat(
    level: IsolationLevel, phases: dict[Phase, PhaseResult], findings: tuple[ScanFinding, ...]
) -> tuple[Any, ...]:
    """What a judge found out, without task and candidate."""
    return (
        level,
        {
            phase: (result.status, result.passed, result.total, result.detail)
            for phase, result in phases.items()
        },
        tuple((finding.rule, finding.line, finding.detail) for finding in findings),
    )


def found(
    flat: tuple[Any, ...],
) -> tuple[IsolationLevel, dict[Phase, PhaseResult], tuple[ScanFinding, ...]]:
    """What was made flat."""
    level, results, findings = flat
    phases: dict[Phase, PhaseResult] = {phase: _result(*result) for phase, result in results.items()}
    return (
        level,
        phases,
        tuple(ScanFinding(rule=rule, line=line, detail=text) for rule, line, text in findings),
    )


@lru_cache(maxsize=1024)
def _result(status: Status, passed: int, total: int, detail: str) -> PhaseResult:
    return PhaseResult(status=status, passed=passed, total=total, detail=detail)
