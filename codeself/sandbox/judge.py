"""The judge: one candidate in, one verdict out, decided where the candidate cannot reach.

Candidate and tests never share a process. The candidate runs in a fork of an isolated zygote; the tests
run here and see the candidate only through proxies that carry data.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from codeself.records import values
from codeself.records.config import JudgeConfig, Limits
from codeself.records.errors import InfrastructureError, InputError
from codeself.records.tasks import Task
from codeself.records.verdicts import PHASES, Candidate, IsolationLevel, Phase, PhaseResult, Verdict
from codeself.sandbox.harness import run_tests
from codeself.sandbox.isolation import LEVELS
from codeself.sandbox.proxy import Remote
from codeself.sandbox.scan import scan
from codeself.sandbox.session import CandidateEnded, Session, ZygoteProcess

# Beyond the candidate's own wall limit: what the judge's own work on one phase may take.
_JUDGE_SECONDS = 10.0
_SKIPPED = PhaseResult(status="skipped")
_PASSED = PhaseResult(status="passed")


class Judge:
    """Grades candidates one after another on one zygote. Not for use by several threads."""

    def __init__(self, config: JudgeConfig) -> None:
        """Start at the highest level that this machine allows.

        Raises InfrastructureError when that is below the level that the config asks for.
        """
        self.config = config
        self._zygotes = {_size(config.limits): start_zygote(config.isolation, config.limits)}
        self.level: IsolationLevel = next(iter(self._zygotes.values())).level

    def close(self) -> None:
        for zygote in self._zygotes.values():
            zygote.close()
        self._zygotes = {}

    def _zygote(self, limits: Limits) -> ZygoteProcess:
        """The zygote for the memory and process limits asked for; one is started where there is none yet."""
        zygote = self._zygotes.get(_size(limits))
        if zygote is None:
            zygote = self._zygotes[_size(limits)] = start_zygote(self.config.isolation, limits)
        return zygote

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def verdict(
        self,
        task: Task,
        candidate: Candidate,
        limits: Limits | None = None,
        *,
        rollout_id: str = "",
        locked: bool = False,
    ) -> Verdict:
        """Grade a candidate on the public and hidden tests, and on the locked ones when `locked`.

        A phase runs only when all before it passed. A fault of the sandbox is retried once with a new
        zygote, then reported as status "infrastructure".
        """
        findings = scan(candidate.program) if candidate.status == "parsed" and self.config.scan != "off" else ()
        phases: dict[Phase, PhaseResult] = {}
        if candidate.status != "parsed":
            phases["parse"] = PhaseResult(status="failed", detail=candidate.status)
        else:
            phases["parse"] = _PASSED
            if findings and self.config.scan == "block":
                detail = f"line {findings[0].line}: {findings[0].detail}"
                phases["scan"] = PhaseResult(status="refused", detail=detail)
            else:
                phases["scan"] = _PASSED
                phases |= self._run(task, candidate.program, limits or self.config.limits, locked)
        return _assemble(task, candidate, phases, self.level, rollout_id, findings, locked)

    def _run(self, task: Task, program: str, limits: Limits, locked: bool) -> dict[Phase, PhaseResult]:
        for _ in range(2):
            try:
                return self._run_once(task, program, limits, locked)
            except InfrastructureError as error:
                trouble = str(error)
                self.close()
        return {"import": PhaseResult(status="infrastructure", detail=trouble)}

    def _run_once(self, task: Task, program: str, limits: Limits, locked: bool) -> dict[Phase, PhaseResult]:
        phases: dict[Phase, PhaseResult] = {}
        with Session(self._zygote(limits), limits) as session:
            if not _load(session, program, limits, phases):
                return phases
            remote = Remote(session)
            for phase in ("public", "hidden", "locked") if locked else ("public", "hidden"):
                tests = task.tests(phase)
                if not tests:
                    phases[phase] = _SKIPPED
                    continue
                session.start_phase()
                try:
                    with _own_time_limit(limits.wall_seconds + _JUDGE_SECONDS):
                        phases[phase] = run_tests(remote, task, tests, show=phase == "public")
                except CandidateEnded as end:
                    phases[phase] = PhaseResult(status=end.status, total=len(tests), detail=end.detail)
                if phases[phase].status != "passed":
                    break
        return phases

    def outputs(self, program: str, entry_point: str, inputs: list[list[Any]], limits: Limits) -> list[Any]:
        """What a trusted program returns for each list of encoded arguments, encoded.

        Raises InputError, naming the trouble, when the program does not answer or answers no data.
        """
        phases: dict[Phase, PhaseResult] = {}
        with Session(self._zygote(limits), limits) as session:
            if not _load(session, program, limits, phases):
                name, result = next(reversed(phases.items()))
                raise InputError(f"the reference solution of {entry_point} fails at {name}: {result.detail}")
            remote = Remote(session)
            results = []
            for number, arguments in enumerate(inputs):
                session.start_phase()
                try:
                    results.append(values.encode(remote.ask_encoded(entry_point, arguments, {})))
                except CandidateEnded as end:
                    raise InputError(f"the reference {entry_point}, input {number}: {end.detail}") from end
                except Exception as error:
                    raise InputError(
                        f"the reference {entry_point}, input {number}: {type(error).__name__}: {error}"
                    ) from error
            return results


def _size(limits: Limits) -> tuple[int, int]:
    return limits.memory_mb, limits.processes


def start_zygote(minimum: IsolationLevel, limits: Limits) -> ZygoteProcess:
    """A zygote at the highest level that can be reached, but not below `minimum`."""
    reasons = []
    for level in reversed(LEVELS[max(LEVELS.index(minimum), 1) :]):
        try:
            return ZygoteProcess(level, limits)
        except InfrastructureError as error:
            reasons.append(str(error))
    if minimum == "none":
        return ZygoteProcess("none", limits)
    raise InfrastructureError(f"isolation '{minimum}' is asked for and cannot be had: {'; '.join(reasons)}")


def _load(session: Session, program: str, limits: Limits, phases: dict[Phase, PhaseResult]) -> bool:
    """Send the program and have it compiled and run once; fills in the syntax and import phases."""
    try:
        reply = session.ask(["run", program, limits.output_kb * 1024])
    except CandidateEnded as end:
        phases["syntax"] = _PASSED
        phases["import"] = PhaseResult(status=end.status, detail=end.detail)
        return False
    kind, names, message = reply[0], [], ""
    if len(reply) == 3 and type(reply[1]) is list and type(reply[2]) is str:
        names, message = [name for name in reply[1] if type(name) is str], reply[2]
    detail = f"{names[0] if names else 'error'}: {message}"[:300].encode("utf-8", "backslashreplace").decode()
    if kind == "syntax":
        phases["syntax"] = PhaseResult(status="error", detail=detail)
        return False
    phases["syntax"] = _PASSED
    if kind == "ran":
        phases["import"] = _PASSED
        return True
    status = "memory" if "MemoryError" in names else "output" if "OutputLimit" in names else "error"
    phases["import"] = PhaseResult(status=status, detail=detail)  # type: ignore[arg-type]
    return False


def _assemble(
    task: Task,
    candidate: Candidate,
    phases: dict[Phase, PhaseResult],
    level: IsolationLevel,
    rollout_id: str,
    findings: Any,
    locked: bool,
) -> Verdict:
    complete = {phase: phases.get(phase, _SKIPPED) for phase in PHASES}
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


@contextmanager
def _own_time_limit(seconds: float) -> Iterator[None]:
    """Bound what tests do here with a candidate's data: a loop over a huge answer, say."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise CandidateEnded("timeout", "its answer could not be checked in the time allowed")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
