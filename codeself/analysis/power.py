"""Power planning: which gain a paired comparison on these tasks could see, before it is made.

The comparison to come takes, for each task, the difference of two policies' pass rates over K samples each,
and asks whether its mean over tasks differs from 0, families being the independent units. Its variance has
three parts: tasks of different families respond differently, so do tasks within a family, and K samples
measure a rate only roughly. All three are estimated from the base policy's own rates. What the base cannot
tell, how alike the two policies' true rates will be, is the stated assumption `correlation`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

MOST_FAMILIES = 100_000
MOST_SAMPLES = 4_096


@dataclass(frozen=True)
class Components:
    """Variance of per-task pass rates, taken apart.

    between_family, within_family: of the true rates. sampling: of a single sample given its task's true rate.
    """

    mean: float
    between_family: float
    within_family: float
    sampling: float


@dataclass(frozen=True)
class Design:
    """A paired comparison: how many families and tasks, samples a task and policy, and the assumed
    correlation.

    family_size: task-weighted mean number of tasks a family (equal to tasks / families when all are alike).
    samples: where the two policies have different numbers, their harmonic mean.
    """

    families: int
    tasks: float
    family_size: float
    samples: float
    correlation: float


def variance_components(samples: ArrayLike, right: ArrayLike, families: Sequence[str]) -> Components:
    """The components, from c right of n >= 2 samples a task: one-way random-effects ANOVA on the rates.

    The binomial variance p(1-p) is estimated without bias as n/(n-1) r(1-r) and taken off the variance within
    families. Families of one task each leave nothing to tell within from between: all is then called between,
    which gives the same variance of the mean. Estimates below 0 are 0.
    """
    n = np.asarray(samples, dtype=np.float64)
    rates = np.asarray(right, dtype=np.float64) / n
    if np.any(n < 2):
        raise ValueError("variance within a task needs at least 2 samples of each task")
    _, members = np.unique(np.asarray(families, dtype=str), return_inverse=True)
    sizes = np.bincount(members).astype(np.float64)
    means = np.bincount(members, weights=rates) / sizes
    tasks, groups = rates.size, sizes.size
    sampling = n / (n - 1) * rates * (1 - rates)
    noise = float(np.mean(sampling / n))
    if groups == 1 or groups == tasks:
        variance = max(0.0, float(np.var(rates, ddof=1)) - noise) if tasks > 1 else 0.0
        between, within = (0.0, variance) if groups == 1 else (variance, 0.0)
    else:
        mean_square_between = float(np.sum(sizes * (means - rates.mean()) ** 2)) / (groups - 1)
        mean_square_within = float(np.sum((rates - means[members]) ** 2)) / (tasks - groups)
        typical_size = (tasks - float(np.sum(sizes**2)) / tasks) / (groups - 1)
        between = max(0.0, (mean_square_between - mean_square_within) / typical_size)
        within = max(0.0, mean_square_within - noise)
    return Components(float(rates.mean()), between, within, float(np.mean(sampling)))


def difference_variance(parts: Components, design: Design) -> float:
    """Variance of the mean paired difference under a design."""
    apart = 2 * (1 - design.correlation)
    shared = apart * parts.between_family * design.family_size
    own = apart * parts.within_family + 2 * parts.sampling / design.samples
    return (shared + own) / design.tasks


def intraclass_correlation(parts: Components, design: Design) -> float:
    """Of the measured differences of two tasks of one family."""
    shared = 2 * (1 - design.correlation) * parts.between_family
    own = 2 * (1 - design.correlation) * parts.within_family + 2 * parts.sampling / design.samples
    return shared / (shared + own) if shared + own > 0 else 0.0


def paired_power(gain: float, standard_error: float, families: int, alpha: float) -> float:
    """Power of the two-sided t test on family means, families - 1 degrees of freedom (noncentral t)."""
    freedom = families - 1
    if freedom < 1:
        return 0.0
    if standard_error <= 0:
        return 1.0 if gain else 0.0
    critical = float(stats.t.ppf(1 - alpha / 2, freedom))
    shift = gain / standard_error
    # The library gives NaN for tails too small to matter; there the one is 0 and the other 1.
    below = np.nan_to_num(special.nctdtr(freedom, shift, -critical), nan=0.0)
    above = 1 - np.nan_to_num(special.nctdtr(freedom, shift, critical), nan=0.0)
    return float(np.clip(below + above, 0.0, 1.0))


def detectable_gain(parts: Components, design: Design, *, alpha: float, power: float) -> float:
    """The smallest true mean gain that the design sees with the wanted power. Infinite with one family."""
    error = math.sqrt(difference_variance(parts, design))
    return detectable_effect(error, design.families, alpha=alpha, power=power)


def detectable_effect(standard_error: float, families: int, *, alpha: float, power: float) -> float:
    """The same from a known standard error of the mean difference."""
    if families < 2:
        return math.inf
    if standard_error == 0:
        return 0.0

    def shortfall(gain: float) -> float:
        return paired_power(gain, standard_error, families, alpha) - power

    high = standard_error
    while shortfall(high) < 0:
        high *= 2
    return float(optimize.brentq(shortfall, 0.0, high, xtol=1e-14, rtol=1e-13))


def families_needed(
    parts: Components, design: Design, gain: float, *, alpha: float, power: float
) -> int | None:
    """Fewest families, of sizes as in this design, that see the gain with the wanted power."""
    tasks_each = design.tasks / design.families

    def enough(families: int) -> bool:
        larger = replace(design, families=families, tasks=families * tasks_each)
        return paired_power(gain, math.sqrt(difference_variance(parts, larger)), families, alpha) >= power

    return smallest(enough, 2, MOST_FAMILIES)


def samples_needed(
    parts: Components, design: Design, gain: float, *, alpha: float, power: float
) -> int | None:
    """Fewest samples a task and policy, the tasks as they are. None where more samples alone cannot do it."""

    def enough(samples: int) -> bool:
        error = math.sqrt(difference_variance(parts, replace(design, samples=samples)))
        return paired_power(gain, error, design.families, alpha) >= power

    return smallest(enough, 1, MOST_SAMPLES)


def smallest(enough: Callable[[int], bool], low: int, high: int) -> int | None:
    """The smallest integer within low..high at which a condition that stays true becomes true."""
    if not enough(high):
        return None
    while low < high:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle + 1
    return low
