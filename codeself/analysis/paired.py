"""Paired differences of two policies on the same tasks, when tasks come in families and training has seeds.

Each policy is known by a value a task (a pass rate, a greedy answer, a share); an arm has one row of values a
training seed. The estimate is the mean over tasks of the difference of the arms' means over seeds.

Families are resampled because variants of one idea succeed and fail together; seeds because another training
run would have ended elsewhere. With one seed nothing is known of that: the interval is then about this very
policy, not about the way it was trained.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from codeself.analysis.intervals import Interval, wilson

Array = NDArray[np.float64]
_BATCH = 1000  # replicates held at a time: bounds the memory at 1000 x families


@dataclass(frozen=True)
class Contrast:
    """Values of two sides, summed over each family.

    first, second: (seeds, families) sums of per-task values. sizes: (families,) tasks. Families in sorted
    order, so that the order of rows does not matter.
    """

    first: Array
    second: Array
    sizes: Array

    @property
    def difference(self) -> Array:
        """(families,) sums over tasks of the difference of means over seeds."""
        return np.asarray(self.first.mean(axis=0) - self.second.mean(axis=0))

    @property
    def estimate(self) -> float:
        return float(self.difference.sum() / self.sizes.sum())

    @property
    def seeds(self) -> int:
        """Training runs of the side that has more of them."""
        return max(len(self.first), len(self.second))


def contrast(first: ArrayLike, second: ArrayLike, families: Sequence[str]) -> Contrast:
    """first, second: (tasks,) or (seeds, tasks), tasks in the same order; a second of zeros compares with nothing.

    Raises ValueError for other shapes, no task, and values that are not finite.
    """
    sides = [np.atleast_2d(np.asarray(side, dtype=np.float64)) for side in (first, second)]
    for side in sides:
        if side.ndim != 2 or side.shape[1] != len(families) or not side.size:
            raise ValueError(f"expected a value for each of {len(families)} tasks, found shape {side.shape}")
        if not np.all(np.isfinite(side)):
            raise ValueError("a task without a finite value cannot be compared")
    _, members = np.unique(np.asarray(families, dtype=str), return_inverse=True)
    sizes = np.bincount(members).astype(np.float64)
    first_sums, second_sums = (
        np.stack([np.bincount(members, weights=row) for row in side]).astype(np.float64) for side in sides
    )
    return Contrast(first_sums, second_sums, sizes)


def standard_error(pair: Contrast) -> float:
    """Of the estimate: families as clusters, and seeds where there are several. Infinite for one family."""
    of_families, of_seeds = _variances(pair)
    count = pair.sizes.size
    return math.inf if count < 2 else math.sqrt(of_families * count / (count - 1) + sum(of_seeds))


def paired_interval(pair: Contrast, *, confidence: float, resamples: int, seed: int) -> Interval:
    """Interval of the mean difference of quantities within [0, 1], over families and, where there are several, seeds.

    A BCa bootstrap after Efron (1987), the acceleration from the delete-one jackknife of both levels, at a level raised
    for few families (Hesterberg 2015). Seeds are drawn apart from families, which for crossed levels errs on
    the wide side (Owen 2007); their deviations are stretched by sqrt(S / (S - 1)) (Rao and Wu 1988). Two or
    three runs cannot tell by resampling how far off they may be, so with seeds the interval is at least as
    wide as Student's t of the same two variances ("bca-family-seed").

    Where all families differ alike there is nothing to resample. Then at most Wilson's upper bound of none
    among so many families can differ otherwise, and by no more than 1 either way ("wilson-family").
    """
    count = pair.sizes.size
    estimate = pair.estimate
    if np.ptp(pair.difference / pair.sizes) <= 1e-12:
        share = wilson(0, count, confidence)[1]
        low, high = estimate - share * (1 + estimate), estimate + share * (1 - estimate)
        spread = math.sqrt(sum(_variances(pair)[1]))
        if spread > 0:
            reach = float(stats.t.ppf(0.5 + confidence / 2, pair.seeds - 1)) * spread
            low, high = max(-1.0, min(low, estimate - reach)), min(1.0, max(high, estimate + reach))
        return Interval(low, high, "wilson-family")
    of_families, of_seeds = _variances(pair)
    runs = [len(side) for side in (pair.first, pair.second)]
    plain, whole = of_families + sum(of_seeds), of_families * count / (count - 1) + sum(of_seeds)
    parts = [(of_families * count / (count - 1), count - 1)]
    parts += [(variance, size - 1) for variance, size in zip(of_seeds, runs, strict=True) if size > 1]
    # Satterthwaite: the degrees of freedom of a sum of independent variances.
    freedom = whole**2 / sum(variance**2 / own for variance, own in parts) if whole > 0 else count - 1
    quantile = float(stats.t.ppf(0.5 + confidence / 2, freedom))
    tail = float(stats.norm.sf(quantile * math.sqrt(whole / plain))) if plain > 0 else (1 - confidence) / 2
    around = quantile * math.sqrt(whole)
    student = Interval(estimate - around, estimate + around, "t-family")
    found = _bca(pair, _replicates(pair, resamples, seed), tail)
    if found is None:
        return Interval(max(-1.0, student.low), min(1.0, student.high), student.method)
    if pair.seeds == 1:
        return Interval(*found, "bca-family")
    low, high = min(found[0], student.low), max(found[1], student.high)
    return Interval(max(-1.0, low), min(1.0, high), "bca-family-seed")


def _variances(pair: Contrast) -> tuple[float, tuple[float, ...]]:
    """Variance of the estimate from families (divided by their number, as a bootstrap's is), and from each
    side's seeds.
    """
    total = pair.sizes.sum()
    residual = pair.difference - pair.sizes * pair.estimate
    of_families = float(np.sum(residual**2) / total**2)
    of_seeds = []
    for side in (pair.first, pair.second):
        means = side.sum(axis=1) / total
        of_seeds.append(float(np.var(means, ddof=1) / len(means)) if len(means) > 1 else 0.0)
    return of_families, tuple(of_seeds)


def _replicates(pair: Contrast, resamples: int, seed: int) -> Array:
    """(resamples,) estimates from families, and seeds, drawn with replacement."""
    rng = np.random.default_rng(seed)
    count = pair.sizes.size
    found = []
    for start in range(0, resamples, _BATCH):
        rows = min(_BATCH, resamples - start)
        times = _times_drawn(rng, rows, count)
        sides = []
        for side in (pair.first, pair.second):
            sums = times @ side.T  # (rows, seeds)
            runs = len(side)
            weights = np.full((rows, runs), 1 / runs)
            if runs > 1:
                weights += math.sqrt(runs / (runs - 1)) * (_times_drawn(rng, rows, runs) / runs - 1 / runs)
            sides.append(np.sum(sums * weights, axis=1))
        found.append((sides[0] - sides[1]) / (times @ pair.sizes))
    return np.concatenate(found)


def _times_drawn(rng: np.random.Generator, rows: int, count: int) -> Array:
    """(rows, count) how often each unit comes up in `count` draws with replacement."""
    picks = rng.integers(0, count, (rows, count))
    places = picks + count * np.arange(rows)[:, None]
    return np.bincount(places.ravel(), minlength=rows * count).reshape(rows, count).astype(np.float64)


def _bca(pair: Contrast, replicates: Array, tail: float) -> tuple[float, float] | None:
    """The bounds that leave `tail` at each end; None where BCa is undefined."""
    estimate = pair.estimate
    # Replicates that equal the estimate but for rounding count half.
    slack = 1e-12
    below = np.mean(replicates < estimate - slack)
    at_most = np.mean(replicates <= estimate + slack)
    bias = float(stats.norm.ppf((below + at_most) / 2))
    away = np.concatenate(_jackknife(pair))
    squares = float(np.sum(away**2))
    if not math.isfinite(bias) or squares <= 0:
        return None
    acceleration = float(np.sum(away**3)) / (6 * squares**1.5)
    z = float(stats.norm.ppf(tail))
    ends = []
    for side in (z, -z):
        denominator = 1 - acceleration * (bias + side)
        if denominator <= 0:
            return None
        ends.append(float(stats.norm.cdf(bias + (bias + side) / denominator)))
    low, high = np.quantile(replicates, ends)
    return (float(low), float(high)) if high - low > 1e-12 else None


def _jackknife(pair: Contrast) -> list[Array]:
    """For each level, the mean of the delete-one estimates less each of them."""
    total = pair.sizes.sum()
    difference = pair.difference
    left_out = (difference.sum() - difference) / (total - pair.sizes)
    levels = [left_out.mean() - left_out]
    for sign, side in ((1.0, pair.first), (-1.0, pair.second)):
        runs = len(side)
        if runs > 1:
            means = sign * side.sum(axis=1) / total
            without = (means.sum() - means) / (runs - 1)
            levels.append(np.asarray(without.mean() - without))
    return levels
