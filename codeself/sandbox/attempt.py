"""One run of a candidate: its program loaded, then each phase of tests until one fails.

How much time it gets, and what is made of what it did, is the judge's to say.
"""

from __future__ import annotations

from dataclasses import dataclass

from codeself.records.judging import Limits
from codeself.records.tasks import Task
from codeself.records.verdicts import Phase, PhaseResult
from codeself.sandbox import channel, own_time
from codeself.sandbox.assembling import SKIPPED
from codeself.sandbox.details import detail_text
from codeself.sandbox.harness import run_tests
from codeself.sandbox.proxy import Remote
from codeself.sandbox.session import CandidateEnded, Session

PASSED = PhaseResult(status="passed")


@dataclass
class Attempt:
    """One run of a candidate. slowest_phase: CPU seconds of the phase that took most.

    changing: tests in which calls changed their arguments and returned something, or raised.
    only_changing: tests in which calls changed their arguments and returned None.
    """

    phases: dict[Phase, PhaseResult]
    slowest_phase: float = 0.0
    out_of_cpu: bool = False
    contended: bool = False
    changing: frozenset[str] = frozenset()
    only_changing: frozenset[str] = frozenset()

    @property
    def passed(self) -> bool:
        return all(result.status in ("passed", "skipped") for result in self.phases.values())


def run_once(
    session: Session,
    task: Task,
    program: str,
    limits: Limits,
    *,
    locked: bool,
    checking_seconds: float,
    measure: bool = False,
    by_value: frozenset[str] = frozenset(),
) -> Attempt:
    """Run a program on the public and hidden tests, and on the locked ones when `locked`.

    checking_seconds: CPU time of our own work on one phase. measure: note what the phases take. by_value: tests
    whose arguments stay as they are, whatever the candidate does to its copies.
    Raises InfrastructureError for a fault of the sandbox.
    """
    attempt = Attempt({})
    phases = attempt.phases
    if load(session, program, limits, phases):
        remote = Remote(session)
        remote.by_value = by_value
        for phase in ("public", "hidden", "locked") if locked else ("public", "hidden"):
            tests = task.tests(phase)
            if not tests:
                phases[phase] = SKIPPED
                continue
            session.start_phase()
            try:
                with own_time.limit(checking_seconds):
                    phases[phase] = run_tests(remote, task, tests, show=phase == "public")
            except CandidateEnded as end:
                phases[phase] = PhaseResult(status=end.status, total=len(tests), detail=end.detail)
            if phases[phase].status != "passed":
                break
            if measure:
                attempt.slowest_phase = max(attempt.slowest_phase, session.phase_cpu())
        attempt.changing = frozenset(remote.changing)
        attempt.only_changing = frozenset(remote.only_changing)
    if session.fault:
        raise session.fault
    attempt.out_of_cpu, attempt.contended = session.out_of_cpu, session.contended
    return attempt


def load(session: Session, program: str, limits: Limits, phases: dict[Phase, PhaseResult]) -> bool:
    """Send the program and have it compiled and run once; fills in the syntax and import phases."""
    try:
        reply = session.ask([channel.RUN, program, limits.output_kb * 1024])
    except CandidateEnded as end:
        phases["syntax"] = PASSED
        phases["import"] = PhaseResult(status=end.status, detail=end.detail)
        return False
    if reply == ["ran"]:
        phases["syntax"] = phases["import"] = PASSED
        return True
    kind, names, message = reply[0], [], ""
    if len(reply) == 3 and type(reply[1]) is list and type(reply[2]) is str:
        names, message = [name for name in reply[1] if type(name) is str], reply[2]
    detail = detail_text(f"{names[0] if names else 'error'}: {message}")
    if kind == "syntax":
        phases["syntax"] = PhaseResult(status="error", detail=detail)
        return False
    phases["syntax"] = PASSED
    status = "memory" if "MemoryError" in names else "output" if "OutputLimit" in names else "error"
    phases["import"] = PhaseResult(status=status, detail=detail)  # type: ignore[arg-type]
    return False
