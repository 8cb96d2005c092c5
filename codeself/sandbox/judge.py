"""The judge: one candidate in, one verdict out, decided where the candidate cannot reach.

Candidate and tests never share a process. The candidate runs in a fork of an isolated zygote; the tests
run here and see the candidate only through proxies that carry data.
"""

from __future__ import annotations

import re
from typing import Any

from codeself.records import values
from codeself.records.errors import InfrastructureError, InputError
from codeself.records.judging import JudgeConfig, Limits
from codeself.records.tasks import Task
from codeself.records.verdicts import (
    Candidate,
    IsolationLevel,
    ParseStatus,
    Phase,
    PhaseResult,
    ScanFinding,
    Verdict,
)
from codeself.sandbox import own_time
from codeself.sandbox.assembling import assemble
from codeself.sandbox.attempt import PASSED, Attempt, load, run_once
from codeself.sandbox.proxy import Remote
from codeself.sandbox.scan import scan
from codeself.sandbox.session import CandidateEnded, Session, loading_seconds
from codeself.sandbox.sources import expects_nothing, looks_at_arguments
from codeself.sandbox.stand_ins import as_data
from codeself.sandbox.zygote_process import ZygoteProcess, start_zygote

# CPU time of the judge's own work on one phase: the candidate's limit, or this where it is more. What cannot be
# interrupted is ended after twice as much.
_CHECKING_SECONDS = 0.5
_REFERENCES_HELD = 4096
_MORE_RUNS = 2  # of a reference that seems to cost more than the floor allows for
# Something imported elsewhere than at the left margin: while the program is called, not while it is loaded.
_IMPORTS_LATER = re.compile(r"^(?!import\b|from\b).*import", re.MULTILINE)


class Judge:
    """Grades candidates one after another on one zygote. Not for use by several threads."""

    def __init__(self, config: JudgeConfig) -> None:
        """Start at the highest level that this machine allows.

        Raises InfrastructureError when that is below the level that the config asks for.
        """
        self.config = config
        own_time.prepare()
        self._zygotes = {_size(config.limits): start_zygote(config.isolation, config.limits)}
        # By the task itself, which is held for as long: two may have one name and one reference, and other tests.
        self._references: dict[tuple[int, Limits], tuple[Task, Attempt]] = {}
        # Whether the last verdict is a CPU timeout seen while the candidate had to share its core: a pool
        # asks again, when nothing else runs, before it believes it.
        self.contended = False
        self._checking_seconds = _CHECKING_SECONDS
        self.level: IsolationLevel = next(iter(self._zygotes.values())).level

    def close(self) -> None:
        for zygote in self._zygotes.values():
            zygote.close()
        self._zygotes = {}

    def forget(self) -> None:
        """Let go of the tasks that it has met, and of what their references took."""
        self._references.clear()

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
        phases, findings = self.phases(task, candidate.status, candidate.program, limits, locked)
        return assemble(task, candidate, phases, self.level, rollout_id, findings, locked)

    def phases(
        self, task: Task, status: ParseStatus, program: str, limits: Limits | None, locked: bool
    ) -> tuple[dict[Phase, PhaseResult], tuple[ScanFinding, ...]]:
        """What a verdict is assembled from: the phases that ran, and what the scan found."""
        self.contended = False
        phases: dict[Phase, PhaseResult] = {}
        if status != "parsed":
            phases["parse"] = PhaseResult(status="failed", detail=status)
            return phases, ()
        findings = scan(program) if self.config.scan != "off" else ()
        phases["parse"] = PASSED
        if findings and self.config.scan == "block":
            detail = f"line {findings[0].line}: {findings[0].detail}"
            phases["scan"] = PhaseResult(status="refused", detail=detail)
        else:
            phases["scan"] = PASSED
            phases |= self._run(task, program, limits or self.config.limits, locked)
        return phases, findings

    def _run(self, task: Task, program: str, limits: Limits, locked: bool) -> dict[Phase, PhaseResult]:
        """Try with the least time first: most candidates need no more, and most loops are found out there."""
        self._checking_seconds = max(limits.cpu_seconds, _CHECKING_SECONDS)
        known = (id(task), limits) in self._references
        # Loading a module takes what it takes, in a phase too.
        least = loading_seconds(0, limits) if _IMPORTS_LATER.search(program) else 0
        floor = min(limits.cpu_floor_seconds, limits.cpu_seconds)
        cpu = max(least, self._cpu_allowance(task, limits) if known else floor)
        attempt = self._attempt(task, program, limits, locked, cpu)
        if attempt.out_of_cpu and not known and cpu < limits.cpu_seconds:
            loading = attempt.phases["import"].status != "passed"
            had, cpu = cpu, max(least, self._cpu_allowance(task, limits))
            if cpu > had and not (loading and loading_seconds(cpu, limits) == loading_seconds(had, limits)):
                attempt = self._attempt(task, program, limits, locked, cpu)
        hidden = attempt.phases.get("hidden")  # missing where an earlier phase failed
        if hidden is not None and hidden.status == "passed":
            doubtful = self._changed_by_itself(task, attempt, limits)
            if doubtful:
                # Right with its arguments changed under the tests: is it with them as they were?
                attempt = self._attempt(task, program, limits, locked, cpu, by_value=doubtful)
        self.contended = attempt.out_of_cpu and attempt.contended
        return attempt.phases

    def _cpu_allowance(self, task: Task, limits: Limits) -> float:
        """CPU seconds of one phase: a multiple of what the reference takes on this machine, within the limits."""
        reference = self._reference(task, limits)
        # A reference that does not pass says nothing of what the task costs.
        took = reference.slowest_phase if reference.passed else limits.cpu_seconds
        return min(max(limits.cpu_floor_seconds, limits.reference_factor * took), limits.cpu_seconds)

    def _changed_by_itself(self, task: Task, attempt: Attempt, limits: Limits) -> frozenset[str]:
        """The tests in which the candidate changed its arguments and the task does not ask for it.

        Asked for is what the reference does too. Without a reference that passes: what a test looks at for its
        own sake, and what a call is made for whose result a test does not use.
        """
        changing = attempt.changing | attempt.only_changing
        if not changing:
            return changing
        reference = self._reference(task, limits)
        if reference.passed:
            return changing - reference.changing - reference.only_changing
        names = frozenset((task.entry_point, "candidate"))
        return frozenset(
            test
            for test in changing
            if not looks_at_arguments(test, names)
            and not (test not in attempt.changing and expects_nothing(test, names))
        )

    def _reference(self, task: Task, limits: Limits) -> Attempt:
        """What the task's reference does and takes, on locked tests too."""
        known = self._references.get((id(task), limits))
        if known is None:
            attempt = self._reference_run(task, limits)
            if attempt.passed and limits.reference_factor * attempt.slowest_phase > limits.cpu_floor_seconds:
                # What else the machine does makes it dearer, never cheaper: the least of a few runs is its own.
                again = (self._reference_run(task, limits) for _ in range(_MORE_RUNS))
                took = (run.slowest_phase for run in again if run.passed)
                attempt.slowest_phase = min(attempt.slowest_phase, *took)
            if len(self._references) >= _REFERENCES_HELD:
                self._references.clear()
            known = self._references[id(task), limits] = (task, attempt)
        return known[1]

    def _reference_run(self, task: Task, limits: Limits) -> Attempt:
        reference = task.reference_solution
        return self._attempt(task, reference, limits, locked=True, cpu=limits.cpu_seconds, measure=True)

    def _attempt(
        self,
        task: Task,
        program: str,
        limits: Limits,
        locked: bool,
        cpu: float,
        measure: bool = False,
        by_value: frozenset[str] = frozenset(),
    ) -> Attempt:
        """cpu: seconds for each phase of tests."""
        for _ in range(2):
            try:
                with Session(self._zygote(limits), limits, cpu) as session:
                    return run_once(
                        session,
                        task,
                        program,
                        limits,
                        locked=locked,
                        checking_seconds=self._checking_seconds,
                        measure=measure,
                        by_value=by_value,
                    )
            except InfrastructureError as error:
                trouble = str(error)
                self.close()
        return Attempt({"import": PhaseResult(status="infrastructure", detail=trouble)})

    def outputs(self, program: str, entry_point: str, inputs: list[list[Any]], limits: Limits) -> list[Any]:
        """What a trusted program returns for each list of encoded arguments, encoded.

        Raises InputError, naming the trouble, when the program does not answer or answers no data.
        """
        phases: dict[Phase, PhaseResult] = {}
        with Session(self._zygote(limits), limits) as session:
            if not load(session, program, limits, phases):
                name, result = next(reversed(phases.items()))
                raise InputError(f"the reference solution of {entry_point} fails at {name}: {result.detail}")
            remote = Remote(session)
            results = []
            for number, arguments in enumerate(inputs):
                session.start_phase()
                try:
                    results.append(values.encode(remote.ask_encoded(entry_point, arguments, {}), as_data))
                except CandidateEnded as end:
                    raise InputError(f"the reference {entry_point}, input {number}: {end.detail}") from end
                except Exception as error:
                    if session.fault:
                        raise session.fault from error
                    raise InputError(
                        f"the reference {entry_point}, input {number}: {type(error).__name__}: {error}"
                    ) from error
            return results


def _size(limits: Limits) -> tuple[int, int]:
    return limits.memory_mb, limits.processes
