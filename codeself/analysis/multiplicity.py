"""Several tests at once: adjusted p-values that keep the promise made for all of them together."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p: rejecting those at or under alpha makes any false claim at all at most alpha likely
    (Holm 1979).
    """
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1)))
    return adjusted


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p: of those at or under alpha, an expected share of at most alpha is false (Benjamini and
    Hochberg 1995).
    """
    p = _checked(p_values)
    return np.asarray(stats.false_discovery_control(p, method="bh")) if p.size else p


def _checked(p_values: ArrayLike) -> NDArray[np.float64]:
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not np.all((p >= 0) & (p <= 1)):
        raise ValueError("p-values must be a list of numbers between 0 and 1")
    return p
