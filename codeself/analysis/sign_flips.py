"""The sign-flip test: could these paired differences have come out as they did if neither side were better?

Under the null each family's difference is as likely to have come with the other sign. All sign patterns
are enumerated, by convolution where the sums are multiples of a common unit, as counts of right answers are;
so the p-value is exact, at any number of families, and nothing is drawn.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

MOST_CELLS = 40_000_000  # of a convolution: about a quarter of a second
MOST_ENUMERATED = 20  # families whose sign patterns are listed one by one


def sign_flip_p(sums: ArrayLike, *, unit: float | None, resamples: int, seed: int) -> tuple[float, str]:
    """Two-sided p of the sum of family sums, and how it was found: "exact" or "sampled".

    sums: (families,). unit: sums are whole multiples of it, or None. Only where there is no unit and there
    are many families are patterns drawn; then p is (1 + hits) / (1 + resamples), which is never too small
    (Phipson and Smyth 2010). One family gives 1: it cannot speak against chance.
    """
    x = np.abs(np.asarray(sums, dtype=np.float64))
    if x.ndim != 1 or not x.size or not np.all(np.isfinite(x)):
        raise ValueError(f"expected a finite sum for each family, found shape {x.shape}")
    observed = abs(float(np.sum(sums)))
    moved = x[x > 1e-12]
    if not moved.size or observed <= 1e-12:
        return 1.0, "exact"
    if unit is not None:
        steps = np.rint(moved / unit)
        whole = bool(np.all(np.abs(moved / unit - steps) < 1e-6))
        if whole and steps.sum() * moved.size <= MOST_CELLS:
            return _convolved(steps.astype(np.int64), round(observed / unit)), "exact"
    slack = 1e-9 * float(moved.sum())
    if moved.size <= MOST_ENUMERATED:
        totals = np.zeros(1)
        for each in moved:
            totals = np.concatenate([totals + each, totals - each])
        return float(np.mean(np.abs(totals) >= observed - slack)), "exact"
    rng = np.random.default_rng(seed)
    hits = 0
    for start in range(0, resamples, 1000):
        signs = rng.choice((-1.0, 1.0), (min(1000, resamples - start), moved.size))
        hits += int(np.sum(np.abs(signs @ moved) >= observed - slack))
    return (1 + hits) / (1 + resamples), "sampled"


def common_unit(samples: ArrayLike, seeds: int = 1) -> float | None:
    """The unit of family sums of pass rates over so many samples a task, averaged over seeds. None where
    sample counts have no small common multiple.
    """
    multiple = math.lcm(*{int(count) for count in np.unique(np.asarray(samples))}) * seeds
    return 1 / multiple if 0 < multiple <= 100_000 else None


def _convolved(steps: NDArray[np.int64], observed: int) -> float:
    """P(|sum of +-steps| >= observed), every sign a fair coin."""
    reach = int(steps.sum())
    chances = np.zeros(2 * reach + 1)
    chances[reach] = 1.0
    for step in steps:
        moved = np.zeros_like(chances)
        moved[step:] += chances[: chances.size - step]
        moved[: chances.size - step] += chances[step:]
        chances = moved / 2
    tail = float(chances[reach + observed :].sum() + chances[: reach - observed + 1].sum())
    # Beyond about 1,000 families the smallest chances are 0 in floating point; the observed pattern has one.
    return min(1.0, max(tail, 2.0 ** (1 - min(steps.size, 1000))))
