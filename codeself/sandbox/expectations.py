"""Expected values from a reference solution, computed in the sandbox like any other program's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from codeself.records.judging import Limits
from codeself.sandbox.pool import JudgePool

# References are given more room than candidates: some of EvalPlus' inputs are large.
REFERENCE_LIMITS = Limits(cpu_seconds=60, wall_seconds=240, memory_mb=4096, value_kb=65536)


def expected_outputs(
    pool: JudgePool, calls: Iterable[tuple[str, str, list[list[Any]]]], limits: Limits = REFERENCE_LIMITS
) -> list[list[Any]]:
    """For each (program, entry point, list of argument lists): what the program returns, encoded.

    Raises InputError naming the entry point and the input where the program does not answer.
    """
    return list(pool.outputs(calls, limits))
