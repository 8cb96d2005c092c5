"""The audit of a task set: do its hidden tests tell right programs from wrong ones?

Each task gives cases: its reference solution, which every test must pass; its wrong variants, which the
hidden tests must reject; and mutants of the reference, of which the hidden tests should reject most.
Somebody else judges the cases; what the verdicts say about the tests is put together here. Faulty programs
are judged without the public tests, so that a score is the hidden tests' own.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from codeself.records.audits import AuditReport, Survivor, TaskAudit
from codeself.records.digests import seed_from
from codeself.records.tasks import Task, Visibility
from codeself.records.verdicts import Verdict
from codeself.tasks.mutants import Mutant, mutants

GROUPS: tuple[Visibility, ...] = ("public", "hidden", "locked")


@dataclass(frozen=True)
class AuditCase:
    """A program to judge. task: the original for the reference, without public tests otherwise."""

    kind: Literal["reference", "wrong_variant", "mutant"]
    task: Task
    program: str
    change: str = ""
    line: int = 0


def audit_cases(tasks: Sequence[Task], mutants_a_family: int) -> list[list[AuditCase]]:
    """For each task what must be judged to audit it: the reference, wrong variants, mutants.

    A family's tasks share one idea and one shape, so that its mutants are drawn from all of its tasks
    together, by a seed that its name gives: `mutants_a_family` of them, or all where there are fewer.
    """
    found: dict[str, list[tuple[int, Mutant]]] = {}
    for position, task in enumerate(tasks):
        of_family = found.setdefault(task.family, [])
        of_family.extend((position, mutant) for mutant in mutants(task.reference_solution))
    drawn: dict[int, list[Mutant]] = {}
    for family, of_family in found.items():
        count = min(mutants_a_family, len(of_family))
        chosen = random.Random(seed_from(family, "mutants")).sample(range(len(of_family)), count)
        for position, mutant in (of_family[index] for index in sorted(chosen)):
            drawn.setdefault(position, []).append(mutant)
    return [_cases(task, drawn.get(position, [])) for position, task in enumerate(tasks)]


def _cases(task: Task, drawn: list[Mutant]) -> list[AuditCase]:
    faulty = task.model_copy(update={"public_tests": ()})
    return [
        AuditCase("reference", task, task.reference_solution),
        *(
            AuditCase("wrong_variant", faulty, program, f"wrong_variants[{index}]")
            for index, program in enumerate(task.wrong_variants)
        ),
        *(AuditCase("mutant", faulty, mutant.program, mutant.change, mutant.line) for mutant in drawn),
    ]


def audit_task(task: Task, judged: Iterable[tuple[AuditCase, Verdict]]) -> TaskAudit:
    """What the verdicts on a task's cases say about its tests."""
    problems: list[str] = []
    counts = {"wrong_variant": 0, "mutant": 0}
    survivors: list[Survivor] = []
    reference = {}
    for case, verdict in judged:
        if verdict.status == "infrastructure":
            # Not judged is neither rejected nor alive.
            problems.append(f"{case.change or 'reference_solution'} could not be judged: {_detail(verdict)}")
        elif case.kind == "reference":
            reference = {group: verdict.phases[group].status for group in GROUPS if group in verdict.phases}
            if not verdict.correct or verdict.correct_locked is False:
                problems.append(
                    f"reference_solution: {verdict.status} in phase {verdict.decided_by}: {_detail(verdict)}"
                )
        else:
            counts[case.kind] += 1
            if verdict.correct:
                locked = None if verdict.correct_locked is None else not verdict.correct_locked
                survivors.append(Survivor(kind=case.kind, change=case.change, line=case.line, locked=locked))
                if case.kind == "wrong_variant":
                    problems.append(f"{case.change} passes every hidden test")
    alive = {kind: sum(survivor.kind == kind for survivor in survivors) for kind in counts}
    return TaskAudit(
        task_id=task.task_id,
        family=task.family,
        tests={group: len(task.tests(group)) for group in GROUPS},
        reference=reference,
        wrong_variants=counts["wrong_variant"],
        wrong_variants_rejected=counts["wrong_variant"] - alive["wrong_variant"],
        mutants=counts["mutant"],
        mutants_rejected=counts["mutant"] - alive["mutant"],
        survivors=tuple(survivors),
        problems=tuple(problems),
    )


def audit_report(audits: Sequence[TaskAudit]) -> AuditReport:
    """The audits of all tasks, and their totals."""
    total = sum(audit.mutants for audit in audits)
    rejected = sum(audit.mutants_rejected for audit in audits)
    return AuditReport(
        tasks=len(audits),
        failed=tuple(audit.task_id for audit in audits if audit.problems),
        wrong_variants=sum(audit.wrong_variants for audit in audits),
        wrong_variants_rejected=sum(audit.wrong_variants_rejected for audit in audits),
        mutants=total,
        mutants_rejected=rejected,
        mutation_score=round(rejected / total, 4) if total else None,
        rejected_by_locked_alone=sum(bool(one.locked) for audit in audits for one in audit.survivors),
        audits=tuple(audits),
    )


def _detail(verdict: Verdict) -> str:
    phase = verdict.phases.get(verdict.decided_by)
    return (phase.detail if phase else "") or "no detail"
