"""pass@k: the chance that at least one of k samples solves a task."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def pass_at_k(samples: ArrayLike, right: ArrayLike, k: int) -> NDArray[np.float64]:
    """Unbiased estimate of pass@k for each task, 1 - C(n-c, k) / C(n, k) (Chen et al. 2021, eq. 1).

    samples, right: (tasks,) n drawn and c right of them; n may differ between tasks. Returns (tasks,).
    The quotient is a product of k factors within [0, 1]; no binomial coefficient is formed, so nothing
    overflows. Raises ValueError where n < k (there the estimate does not exist) or c is not within 0..n.
    """
    n, c = np.broadcast_arrays(np.asarray(samples, dtype=np.float64), np.asarray(right, dtype=np.float64))
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    if np.any(n < k):
        raise ValueError(f"pass@{k} needs at least {k} samples a task; the smallest group has {int(n.min())}")
    if np.any(c < 0) or np.any(c > n):
        raise ValueError("each task's number of right samples must lie between 0 and its samples")
    missed = np.ones(n.shape)
    for drawn in range(k):
        missed *= np.maximum(n - c - drawn, 0.0) / (n - drawn)
    return 1.0 - missed
