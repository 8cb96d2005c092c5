"""Runs references of made-up rows. These are the tests' own code; a dataset's programs run in the sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codeself.records.values import decode, encode


def run_here(asked: Sequence[tuple[str, str, list[list[Any]]]]) -> list[list[Any]]:
    results = []
    for program, entry_point, inputs in asked:
        scope: dict[str, Any] = {}
        exec(program, scope)
        results.append([encode(scope[entry_point](*map(decode, args))) for args in inputs])
    return results
