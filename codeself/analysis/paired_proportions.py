"""The interval of a difference of two paired proportions: two policies' single answers to unrelated tasks."""

from __future__ import annotations

import math

from codeself.analysis.intervals import Interval, wilson


def newcombe(both: int, lost: int, won: int, neither: int, *, confidence: float) -> Interval:
    """Newcombe's square-and-add interval of (won - lost) / tasks (Newcombe 1998, method 10).

    both, neither: tasks that both policies, or neither, solve; lost: those that only the first solves, won:
    only the second. Wilson's intervals of the two proportions, put together with their correlation, which is
    corrected towards 0 for small counts. For tasks of one family each: others need families as units.
    """
    tasks = both + lost + won + neither
    if tasks < 1 or min(both, lost, won, neither) < 0:
        raise ValueError("an interval needs at least one task, and counts that are not negative")
    first, second = (both + lost) / tasks, (both + won) / tasks
    (first_low, first_high), (second_low, second_high) = (
        wilson(count, tasks, confidence) for count in (both + lost, both + won)
    )
    margins = (both + lost) * (won + neither) * (both + won) * (lost + neither)
    correlation = 0.0
    if margins > 0:
        together = float(both * neither - lost * won)
        # Continuity: only a positive association is shrunk, and not past 0.
        together = max(together - tasks / 2, 0.0) if together > 0 else together
        correlation = together / math.sqrt(margins)

    def reach(one: float, other: float) -> float:
        return math.sqrt(max(0.0, one**2 - 2 * correlation * one * other + other**2))

    difference = second - first
    return Interval(
        max(-1.0, difference - reach(second - second_low, first_high - first)),
        min(1.0, difference + reach(second_high - second, first - first_low)),
        "newcombe",
    )
