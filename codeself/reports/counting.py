"""Counts that both figures and sentences need."""

from __future__ import annotations

from codeself.records.metrics import Metrics
from codeself.records.verdicts import PHASES


def phase_counts(metrics: Metrics) -> tuple[list[tuple[str, dict[str, int]]], int]:
    """For each phase that any candidate reached, how many ended there without passing it, by status.

    Of sampled candidates, or of greedy ones where none were sampled. Also their total.
    """
    sampled = metrics.sampling.samples > 0
    number = {(c.phase, c.status): c.sampled if sampled else c.greedy for c in metrics.phases}
    last = max(PHASES.index(phase) for phase, _ in number)
    table = []
    for phase in PHASES[: last + 1]:
        ended = {s: n for (p, s), n in sorted(number.items()) if p == phase and s != "passed" and n}
        table.append((str(phase), {str(status): n for status, n in ended.items()}))
    return table, sum(number.values())
