"""Informative groups: the prompts whose samples differ, so that comparing them teaches something."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from codeself.analysis.pass_at_k import pass_at_k


def informative(samples: ArrayLike, right: ArrayLike, size: int | None = None) -> NDArray[np.float64]:
    """Chance that a group of each task holds both right and wrong samples: (tasks,) in, (tasks,) out.

    Judged on the binary outcome, never on a shaped reward: where all outcomes are equal, a reward's other
    terms would only teach those terms. size None asks about the groups as they were drawn (then 0 or 1); a
    smaller size gives the unbiased expectation over all subsets of that size.
    """
    n, c = np.broadcast_arrays(np.asarray(samples, dtype=np.float64), np.asarray(right, dtype=np.float64))
    if size is None:
        return ((c > 0) & (c < n)).astype(np.float64)
    # 1 - P(all wrong) - P(all right); each is the miss rate of pass@size, of one outcome and of the other.
    return np.clip(pass_at_k(n, c, size) + pass_at_k(n, n - c, size) - 1.0, 0.0, 1.0)
