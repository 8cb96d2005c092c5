"""Intervals of a difference of two paired proportions: two policies' single answers to unrelated tasks.

both, neither: tasks that both policies, or neither, solve; lost: those that only the first solves, won: only the
second. For tasks of one family each: others need families as units.
"""

from __future__ import annotations

import math

from scipy import optimize, stats

from codeself.analysis.intervals import Interval, wilson


def newcombe(both: int, lost: int, won: int, neither: int, *, confidence: float) -> Interval:
    """Newcombe's square-and-add interval of (won - lost) / tasks (Newcombe 1998, method 10).

    Wilson's intervals of the two proportions, put together with their correlation, which is corrected towards 0 for
    small counts.
    """
    tasks = _tasks(both, lost, won, neither)
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


def tango(both: int, lost: int, won: int, neither: int, *, confidence: float) -> Interval:
    """Tango's score interval of (won - lost) / tasks (Tango 1998): the differences that a score test does not reject.

    At a difference of 0 that test is McNemar's asymptotic one, so the two never disagree about 0.
    """
    tasks = _tasks(both, lost, won, neither)
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    return Interval(-_score_bound(won, lost, tasks, z), _score_bound(lost, won, tasks, z), "tango")


def _score_bound(lost: int, won: int, tasks: int, z: float) -> float:
    """The largest difference at which the score statistic is not beyond z."""
    observed = (won - lost) / tasks
    if observed == 1:
        return 1.0

    def beyond(difference: float) -> float:
        spread = difference * (1 - difference)
        # The share of tasks lost that is likeliest at this difference: the larger root of a quadratic.
        half = (2 * tasks - won + lost) * difference - won - lost
        share = (math.sqrt(max(0.0, half**2 + 8 * tasks * lost * spread)) - half) / (4 * tasks)
        variance = tasks * max(0.0, 2 * share + spread)
        return tasks * difference - (won - lost) - z * math.sqrt(variance)

    # Just above what was observed: exactly there the variance may be 0, when no task was lost or won.
    return float(optimize.brentq(beyond, observed + 1e-12, 1.0, xtol=1e-13))


def _tasks(both: int, lost: int, won: int, neither: int) -> int:
    tasks = both + lost + won + neither
    if tasks < 1 or min(both, lost, won, neither) < 0:
        raise ValueError("an interval needs at least one task, and counts that are not negative")
    return tasks
