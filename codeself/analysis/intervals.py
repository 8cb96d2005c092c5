"""Confidence intervals of means over tasks, when tasks come in families.

Variants of one idea are solved or missed together, so the family is the unit that is resampled. Every
function gives an answer for one task, for one family, for all right and for all wrong: wide where little is
known, never a zero width that would claim certainty, and never NaN.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats


@dataclass(frozen=True)
class Interval:
    """low <= high. method: "bca-family", "wilson", "wilson-family" or "wilson-effective"."""

    low: float
    high: float
    method: str


def wilson(successes: float, trials: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of a share. Takes fractional counts, as an effective sample size gives them."""
    if trials <= 0:
        raise ValueError(f"an interval needs at least one trial, not {trials}")
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    share = successes / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * np.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    # At a share of 0 or 1 the bound is exactly there; rounding must not move it past.
    low = 0.0 if share <= 0 else max(0.0, float(centre - half))
    high = 1.0 if share >= 1 else min(1.0, float(centre + half))
    return low, high


def mean_interval(
    values: ArrayLike, families: Sequence[str], *, confidence: float, resamples: int, seed: int
) -> Interval:
    """Interval of the mean over tasks of a quantity within [0, 1]: BCa bootstrap over families.

    values: (tasks,). Whole families are drawn with replacement, and the mean is over the tasks they bring, so
    families of unequal size keep their weight (Efron 1987 for BCa; delete-one-family jackknife for its
    acceleration), at the level that `expanded_level` gives for few families. Where every family has the
    same mean there is nothing to resample; then Wilson's interval with the number of equally large families
    in place of trials ("wilson-family"), which is wide on purpose.
    """
    x, sums, sizes = _family_sums(values, families)
    if np.ptp(sums / sizes) > 1e-12:
        with warnings.catch_warnings():
            # The library warns, and gives NaN, where BCa is undefined; that case is handled below.
            warnings.simplefilter("ignore")
            result = stats.bootstrap(
                (sums, sizes),
                lambda s, m, axis=-1: s.sum(axis=axis) / m.sum(axis=axis),
                paired=True,
                vectorized=True,
                n_resamples=resamples,
                batch=1000,  # bounds the memory at 1000 x families
                confidence_level=expanded_level(confidence, sizes.size),
                method="BCa",
                rng=np.random.default_rng(seed),
            ).confidence_interval
        if np.isfinite(result.low) and np.isfinite(result.high) and result.high - result.low > 1e-12:
            return Interval(float(result.low), float(result.high), "bca-family")
    equal_families = x.size / largest_design_effect(sizes)
    low, high = wilson(float(x.mean()) * equal_families, equal_families, confidence)
    return Interval(low, high, "wilson-family")


def expanded_level(confidence: float, units: int) -> float:
    """The level at which a bootstrap over few units covers as often as the wanted level says.

    A bootstrap knows neither the factor n / (n - 1) of a variance nor that t has wider tails than the normal;
    asking it for a higher level makes up for both (Hesterberg 2015). With many units nothing
    changes.
    """
    if units < 2:
        return confidence
    quantile = stats.t.ppf(0.5 + confidence / 2, units - 1) * np.sqrt(units / (units - 1))
    return float(1 - 2 * stats.norm.sf(quantile))


def share_interval(outcomes: ArrayLike, families: Sequence[str], *, confidence: float) -> Interval:
    """Interval of a share of tasks with a yes or no each: Wilson's, at the effective number of tasks.

    outcomes: (tasks,) of 0 and 1. The tasks are divided by their design effect, and by the squared ratio of t
    quantiles that Korn and Graubard (1998) use because the design effect is itself estimated from few
    families. With families of one task each this is Wilson's interval exactly ("wilson").
    """
    x, _, sizes = _family_sums(outcomes, families)
    if sizes.size == x.size:
        low, high = wilson(float(x.sum()), x.size, confidence)
        return Interval(low, high, "wilson")
    effective = x.size / design_effect(x, families)
    if sizes.size > 1:
        tail = 0.5 + confidence / 2
        effective *= float((stats.t.ppf(tail, x.size - 1) / stats.t.ppf(tail, sizes.size - 1)) ** 2)
    low, high = wilson(float(x.mean()) * effective, effective, confidence)
    return Interval(low, high, "wilson-effective")


def design_effect(values: ArrayLike, families: Sequence[str]) -> float:
    """By how much families inflate the variance of the mean over that of as many unrelated tasks.

    The cluster-robust variance over the simple one, held within 1 and its largest possible value. Where all
    values are equal, or there is one family, nothing can be estimated and the largest is assumed.
    """
    x, sums, sizes = _family_sums(values, families)
    largest = largest_design_effect(sizes)
    simple = float(np.sum((x - x.mean()) ** 2)) / (x.size * max(x.size - 1, 1))
    groups = sizes.size
    if groups == 1 or simple <= 1e-15:
        return largest
    clustered = groups / (groups - 1) * float(np.sum((sums - sizes * x.mean()) ** 2)) / x.size**2
    return float(np.clip(clustered / simple, 1.0, largest))


def largest_design_effect(sizes: NDArray[np.float64]) -> float:
    """The design effect when the tasks of a family are all alike: the task-weighted mean family size."""
    return float(np.sum(sizes**2) / np.sum(sizes))


def _family_sums(
    values: ArrayLike, families: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The values, and each family's sum and size, families in sorted order so that row order does not
    matter.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or x.size == 0 or x.size != len(families):
        raise ValueError(f"expected one value a task for {len(families)} tasks, found shape {x.shape}")
    _, members = np.unique(np.asarray(families, dtype=str), return_inverse=True)
    return x, np.bincount(members, weights=x).astype(np.float64), np.bincount(members).astype(np.float64)
