"""Power of McNemar's test: two policies' greedy answers to the same tasks."""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize, stats


def discordant_shares(accuracy: float, gain: float, correlation: float) -> tuple[float, float]:
    """Expected shares of tasks lost and won when accuracy rises by gain, from the correlation of the
    outcomes.

    Both policies are right on p q + correlation * sqrt(p (1-p) q (1-q)) of the tasks, within what p and q
    allow.
    """
    p, q = accuracy, accuracy + gain
    if not (0 <= p <= 1 and 0 <= q <= 1):
        raise ValueError(f"accuracies must lie within 0 and 1, not {p} and {q}")
    both = p * q + correlation * math.sqrt(max(0.0, p * (1 - p) * q * (1 - q)))
    both = min(max(both, 0.0, p + q - 1), p, q)
    return p - both, q - both


def mcnemar_p_value(lost: int, won: int, *, mid: bool = True) -> float:
    """Two-sided p of McNemar's exact test given the discordant pairs; its mid-p variant by default.

    The mid-p variant counts half of the observed outcome's own probability (Fagerland et al. 2013).
    """
    pairs, fewer = lost + won, min(lost, won)
    if pairs == 0:
        return 1.0
    p = 2 * float(stats.binom.cdf(fewer, pairs, 0.5))
    if mid:
        p -= float(stats.binom.pmf(fewer, pairs, 0.5))
        return min(1.0, p)
    return min(1.0, p)


def mcnemar_power(tasks: int, lost: float, won: float, *, alpha: float, mid: bool = True) -> float:
    """Chance that the test rejects, by full enumeration.

    The number of discordant tasks is binomial over `tasks`; given it, the number won is binomial.
    """
    discordant = lost + won
    if tasks < 1 or discordant <= 0:
        return 0.0
    pairs = np.arange(tasks + 1)
    weights = stats.binom.pmf(pairs, tasks, min(1.0, discordant))
    worth = np.flatnonzero(weights > 1e-18)
    critical = np.array([_critical(int(count), alpha, mid) for count in worth])
    share = won / discordant
    # Rejected when at most `critical` were won, or at most `critical` were lost. -1 never rejects.
    rejected = stats.binom.cdf(critical, worth, share) + stats.binom.cdf(critical, worth, 1 - share)
    return float(np.sum(weights[worth] * np.minimum(rejected, 1.0)))


def _critical(pairs: int, alpha: float, mid: bool) -> int:
    """The largest smaller count that the test rejects, or -1."""
    critical = int(stats.binom.ppf(alpha / 2, pairs, 0.5)) + 1
    while critical >= 0 and (
        2 * critical >= pairs or mcnemar_p_value(critical, pairs - critical, mid=mid) > alpha
    ):
        critical -= 1
    return critical


def mcnemar_detectable_gain(
    tasks: int, accuracy: float, correlation: float, *, alpha: float, power: float
) -> float | None:
    """The smallest gain in accuracy that is seen with the wanted power. None where none is."""

    def shortfall(gain: float) -> float:
        lost, won = discordant_shares(accuracy, gain, correlation)
        return mcnemar_power(tasks, lost, won, alpha=alpha) - power

    most = 1 - accuracy
    if most <= 0 or shortfall(most) < 0:
        return None
    return float(optimize.brentq(shortfall, 0.0, most, xtol=1e-10))


def mcnemar_tasks_needed(
    accuracy: float, gain: float, correlation: float, *, alpha: float, power: float, most: int = 20_000
) -> int | None:
    """About the fewest unrelated tasks that see the gain. The exact power saw-tooths a little with their
    number: the answer is a number that is enough while one task fewer is not.
    """
    if accuracy + gain > 1:
        return None
    lost, won = discordant_shares(accuracy, gain, correlation)

    def enough(tasks: int) -> bool:
        return mcnemar_power(tasks, lost, won, alpha=alpha) >= power

    high = 8
    while not enough(high):
        high *= 2
        if high > most:
            return None
    low = 1 if high == 8 else high // 2
    while low < high:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle + 1
    return high
