"""audit-tasks: what a task set's hidden tests let live."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# A mutant that loops for ever costs this much; a right program of an easy task takes milliseconds.
_FAULTY_CPU_SECONDS = 1.0


def command(
    tasks: Annotated[Path, typer.Option(help="The task set, as JSON Lines.")],
    output: Annotated[Path, typer.Option(help="Where to write the report, as JSON.")],
    workers: Annotated[int, typer.Option(min=1, help="Judges side by side.")] = 2,
    mutants: Annotated[
        int, typer.Option(min=0, help="Mutants drawn from a family's reference solutions.")
    ] = 8,
    taskset_may_fail: Annotated[
        bool,
        typer.Option(
            "--taskset-may-fail", help="For public datasets: failed tasks are reported, and no error."
        ),
    ] = False,
) -> None:
    """Judge each task's reference solution, wrong variants and mutants: do its tests tell them apart?

    A task fails when a test rejects its reference, or when its hidden tests let a listed wrong variant
    live. The report is written in any case; with a failed task in it the exit code is 2. Mutants are small
    faults made automatically; some are right programs, so those that live are listed and lower the score,
    and fail nothing.
    """
    import sys
    from itertools import islice

    from codeself.cli.progress import track
    from codeself.records.errors import InputError
    from codeself.records.jsonl import write_record
    from codeself.records.judging import JudgeConfig, Limits
    from codeself.records.tasks import read_tasks
    from codeself.records.verdicts import Candidate
    from codeself.sandbox.pool import Job, JudgePool
    from codeself.tasks.audit import audit_cases, audit_report, audit_task

    known = read_tasks(tasks)
    cases = audit_cases(known, mutants)
    faulty = Limits(cpu_seconds=_FAULTY_CPU_SECONDS)
    jobs = [
        Job(
            task=case.task,
            candidate=Candidate(status="parsed", program=case.program, source="bare"),
            locked=True,
            limits=None if case.kind == "reference" else faulty,
        )
        for case in (case for group in cases for case in group)
    ]
    with JudgePool(JudgeConfig(), workers=workers) as pool:
        verdicts = track(pool.verdicts(jobs), "auditing", total=len(jobs))
        audits = [
            audit_task(task, zip(group, islice(verdicts, len(group)), strict=True))
            for task, group in zip(known, cases, strict=True)
        ]
        next(verdicts, None)  # lets the progress end
    report = audit_report(audits)
    write_record(output, report)
    if report.mutation_score is not None:
        print(
            f"{tasks}: hidden tests reject {report.wrong_variants_rejected} of {report.wrong_variants} wrong"
            f" variants and {report.mutants_rejected} of {report.mutants} mutants"
            f" ({report.mutation_score:.1%}; {report.rejected_by_locked_alone} more by locked tests alone)",
            file=sys.stderr,
        )
    if report.failed and not taskset_may_fail:
        first = next(audit for audit in audits if audit.problems)
        named = ", ".join(report.failed[:10]) + (", ..." if len(report.failed) > 10 else "")
        raise InputError(
            f"{tasks}: {len(report.failed)} of {report.tasks} tasks fail their audit ({named});"
            f" '{first.task_id}': {first.problems[0]} (see {output})"
        )
