"""Do the declared tests keep their promises? `python -m tests.analysis.calibration` simulates whole experiments.

Every number follows from the seed. The table stands in methodology.md; a test runs a small part of it.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codeself.analysis import mcnemar, power
from codeself.analysis.multiplicity import holm
from codeself.analysis.paired import Contrast, contrast, paired_interval
from codeself.analysis.paired_proportions import newcombe
from codeself.analysis.sign_flips import common_unit, sign_flip_p

Array = NDArray[np.float64]
ALPHA = 0.05


@dataclass(frozen=True)
class World:
    """Where experiments are drawn from. Standard deviations of true rates: between families, of tasks within them.

    correlation: of the two policies' true rates; 1 makes them equal. seed_sd: of a training run's own shift.
    """

    families: int = 37
    variants: int = 4
    samples: int = 8
    mean: float = 0.4
    family_sd: float = 0.10
    task_sd: float = 0.065
    correlation: float = 0.8
    seeds: int = 1
    seed_sd: float = 0.0

    @property
    def names(self) -> list[str]:
        return [f"{family:04}" for family in range(self.families) for _ in range(self.variants)]

    def rates(self, rng: np.random.Generator, gain: float) -> tuple[Array, Array]:
        """True rates of the base (tasks,) and of the arm's runs (seeds, tasks)."""
        sides = []
        for sd, count in ((self.family_sd, self.families), (self.task_sd, self.families * self.variants)):
            shared = rng.normal(0, sd * math.sqrt(self.correlation), count)
            own = rng.normal(0, sd * math.sqrt(1 - self.correlation), (2, count))
            both = shared + own
            sides.append(np.repeat(both, self.variants, axis=1) if count == self.families else both)
        base, arm = sides[0] + sides[1] + self.mean
        shifts = rng.normal(0, self.seed_sd, (self.seeds, 1)) if self.seed_sd else np.zeros((self.seeds, 1))
        return np.clip(base, 0, 1), np.clip(arm + gain + shifts, 0, 1)

    def experiment(self, rng: np.random.Generator, gain: float) -> Contrast:
        """Measured pass rates of both sides."""
        base, arm = self.rates(rng, gain)
        measured = [rng.binomial(self.samples, rates) / self.samples for rates in (arm, base)]
        return contrast(measured[0], measured[1], self.names)

    def planned(self, gain: float) -> float:
        """What the planner says of one run's power, given this world's own variances."""
        spread = self.family_sd**2 + self.task_sd**2
        parts = power.Components(
            self.mean, self.family_sd**2, self.task_sd**2, self.mean * (1 - self.mean) - spread
        )
        design = power.Design(
            self.families,
            self.families * self.variants,
            self.variants,
            self.samples,
            self.correlation,
        )
        error = math.sqrt(power.difference_variance(parts, design))
        return power.paired_power(gain, error, self.families, ALPHA)


@dataclass(frozen=True)
class Row:
    """One line of the table. found: share of experiments in which the test claimed a difference."""

    what: str
    gain: float
    found: float
    planned: float | None
    covered: float | None


def sampled_rates(what: str, world: World, gain: float, runs: int, seed: int, resamples: int = 1000) -> Row:
    """The sign-flip test and the bootstrap interval of sampled pass rates.

    With several seeds a claim also takes an interval that leaves 0 out, as in the report.
    """
    rng = np.random.default_rng(seed)
    found = covered = 0
    for run in range(runs):
        pair = world.experiment(rng, gain)
        p, _ = sign_flip_p(
            pair.difference, unit=common_unit([world.samples], world.seeds), resamples=1000, seed=run
        )
        interval = paired_interval(pair, confidence=0.95, resamples=resamples, seed=run)
        covered += interval.low <= gain <= interval.high
        apart = not interval.low <= 0 <= interval.high
        found += p <= ALPHA and (apart or world.seeds == 1)
    planned = world.planned(gain) if world.seeds == 1 and gain else None
    return Row(what, gain, found / runs, planned, covered / runs)


def greedy_families(what: str, world: World, gain: float, runs: int, seed: int) -> Row:
    """The sign-flip test of greedy answers when families answer alike, and its interval."""
    rng = np.random.default_rng(seed)
    found = covered = 0
    for run in range(runs):
        base, arm = world.rates(rng, gain)
        pair = contrast(
            (rng.random(base.size) < arm[0]).astype(float),
            (rng.random(base.size) < base).astype(float),
            world.names,
        )
        p, _ = sign_flip_p(pair.difference, unit=1.0, resamples=1000, seed=run)
        interval = paired_interval(pair, confidence=0.95, resamples=1000, seed=run)
        found += p <= ALPHA
        covered += interval.low <= gain <= interval.high
    return Row(what, gain, found / runs, None, covered / runs)


def greedy_lone(what: str, tasks: int, accuracy: float, gain: float, runs: int, seed: int) -> Row:
    """McNemar's mid-p test and Newcombe's interval of greedy answers to unrelated tasks."""
    rng = np.random.default_rng(seed)
    lost, won = mcnemar.discordant_shares(accuracy, gain, 0.6)
    both = accuracy - lost
    found = covered = 0
    for _ in range(runs):
        counts = rng.multinomial(tasks, [both, lost, won, 1 - both - lost - won])
        found += mcnemar.mcnemar_p_value(int(counts[1]), int(counts[2])) <= ALPHA
        interval = newcombe(*(int(count) for count in counts), confidence=0.95)
        covered += interval.low <= gain <= interval.high
    planned = mcnemar.mcnemar_power(tasks, lost, won, alpha=ALPHA) if gain else None
    return Row(what, gain, found / runs, planned, covered / runs)


def any_false_claim(what: str, world: World, runs: int, seed: int) -> Row:
    """Two arms and a placebo, all as good as the base: each arm against base and placebo, the placebo against base,
    Holm over the five. found: experiments with any claim at all.
    """
    rng = np.random.default_rng(seed)
    unit = common_unit([world.samples])
    found = 0
    for run in range(runs):
        base, _ = world.rates(rng, 0.0)
        first, second, placebo, start = rng.binomial(world.samples, base, (4, base.size)) / world.samples
        pairs = [(first, start), (second, start), (first, placebo), (second, placebo), (placebo, start)]
        p_values = [
            sign_flip_p(contrast(a, b, world.names).difference, unit=unit, resamples=1000, seed=run)[0]
            for a, b in pairs
        ]
        found += bool(np.any(holm(p_values) <= ALPHA))
    return Row(what, 0.0, found / runs, None, None)


def table(runs: int, seed: int = 5) -> list[Row]:
    """Every line of the table in methodology.md."""
    same, near = World(correlation=1.0), World()
    lone = World(families=148, variants=1, family_sd=0.12)
    # Normal rates cut off at 0: most tasks are nearly never solved. The sides can be exchanged, so that the gain is 0.
    rare = World(mean=0.02, family_sd=0.12)
    trained = World(seeds=3, seed_sd=0.02)
    rows = [
        sampled_rates("sampled, base against base", same, 0.0, runs, seed),
        sampled_rates("sampled, families move, gain 0 on average", near, 0.0, runs, seed + 1),
        *(
            sampled_rates("sampled", near, gain, runs, seed + 2 + i)
            for i, gain in enumerate((0.03, 0.05, 0.08))
        ),
        *(
            sampled_rates("sampled, unrelated tasks", lone, g, runs, seed + 6 + i)
            for i, g in enumerate((0.0, 0.03))
        ),
        sampled_rates("sampled, 3 seeds that differ by 2 points", trained, 0.0, runs, seed + 10),
        sampled_rates("sampled, 3 seeds that differ by 2 points", trained, 0.05, runs, seed + 11),
        sampled_rates("sampled, 10 families", World(families=10), 0.0, runs, seed + 12),
        sampled_rates("sampled, low and skewed rates", rare, 0.0, runs, seed + 13),
        greedy_families("greedy, families", near, 0.0, runs, seed + 20),
        greedy_families("greedy, families", near, 0.08, runs, seed + 21),
        *(
            greedy_lone("greedy, 148 unrelated tasks", 148, 0.35, gain, runs, seed + 30 + i)
            for i, gain in enumerate((0.0, 0.03, 0.05, 0.08))
        ),
        any_false_claim("any of five declared tests, after Holm", same, runs, seed + 40),
    ]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    runs = parser.parse_args().runs
    print("| simulated | true gain | claims | planned | interval covers |\n|---|---:|---:|---:|---:|")
    for row in table(runs):
        planned = "" if row.planned is None else f"{100 * row.planned:.1f} %"
        covered = "" if row.covered is None else f"{100 * row.covered:.1f} %"
        print(
            f"| {row.what} | {100 * row.gain:.0f} | {100 * row.found:.1f} % | {planned} | {covered} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
