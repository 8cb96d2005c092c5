"""How long an interval and its test take: 10,000 replicates of whole families, 1,000 tasks x 16 samples.

    python -m tests.benchmarks.bootstrap_speed

Prints a table of seconds, the least of three. The peer is scipy's BCa, which draws tasks or families and
knows no seeds.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from scipy import stats

from codeself.analysis.intervals import mean_interval
from codeself.analysis.paired import contrast, paired_interval
from codeself.analysis.sign_flips import common_unit, sign_flip_p

TASKS, FAMILY, SAMPLES, REPLICATES = 1_000, 4, 16, 10_000
SETTINGS = {"confidence": 0.95, "resamples": REPLICATES, "seed": 0}


def rates(rng: np.random.Generator, seeds: int) -> np.ndarray:
    """(seeds, tasks): pass rates that differ by family and by task."""
    ease = rng.normal(-1, 1, TASKS // FAMILY).repeat(FAMILY) + rng.normal(0, 0.5, TASKS)
    return rng.binomial(SAMPLES, 1 / (1 + np.exp(-ease)), (seeds, TASKS)) / SAMPLES


def least(run: Callable[[], object], times: int = 3) -> float:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return min(found)


def main() -> None:
    rng = np.random.default_rng(0)
    families = [f"f{task // FAMILY}" for task in range(TASKS)]
    one, other = rates(rng, 1), rates(rng, 1)
    single, several = contrast(one, other, families), contrast(rates(rng, 3), rates(rng, 3), families)
    sums = (one - other)[0].reshape(-1, FAMILY).sum(axis=1)

    def peer(values: np.ndarray) -> object:
        return stats.bootstrap(
            (values,), np.mean, n_resamples=REPLICATES, method="BCa", rng=np.random.default_rng(0)
        )

    rows: dict[str, Callable[[], object]] = {
        "interval of a rate": lambda: mean_interval(one[0], families, **SETTINGS),
        "interval of a paired difference": lambda: paired_interval(single, **SETTINGS),
        "the same with three training seeds a side": lambda: paired_interval(several, **SETTINGS),
        "its sign-flip test, exact": lambda: sign_flip_p(
            single.difference, unit=common_unit([SAMPLES]), resamples=REPLICATES, seed=0
        ),
        "scipy, BCa over 250 families": lambda: peer(sums),
        "scipy, BCa over 1,000 tasks": lambda: peer((one - other)[0]),
    }
    print(f"{TASKS:,} tasks in {TASKS // FAMILY} families, {SAMPLES} samples, {REPLICATES:,} replicates")
    for name, run in rows.items():
        print(f"{name:<45}{least(run):8.3f} s", flush=True)


if __name__ == "__main__":
    main()
