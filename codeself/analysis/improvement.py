"""Two summaries that single tasks cannot dominate, as in Agarwal et al. (2021): described, not tested."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


def interquartile_mean(scores: ArrayLike) -> float:
    """Mean of the middle half of all scores, runs and tasks together: (runs, tasks) or any shape."""
    return float(stats.trim_mean(np.asarray(scores, dtype=np.float64), 0.25, axis=None))


def probability_of_improvement(first: ArrayLike, second: ArrayLike) -> float:
    """Chance that a run of the first scores higher than one of the second on a task drawn at random.

    first, second: (runs, tasks). Ties count half: the Mann-Whitney statistic of each task, averaged.
    """
    x = np.atleast_2d(np.asarray(first, dtype=np.float64))[:, None, :]
    y = np.atleast_2d(np.asarray(second, dtype=np.float64))[None, :, :]
    if x.shape[2] != y.shape[2] or not x.size or not y.size:
        raise ValueError("both sides need scores on the same tasks, at least one run each")
    return float(np.mean((x > y) + 0.5 * (x == y)))
