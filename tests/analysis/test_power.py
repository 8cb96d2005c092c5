"""Power planning against statsmodels, against enumeration, and against simulated comparisons."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.power import TTestPower

from codeself.analysis import mcnemar, power
from codeself.analysis.power import Components, Design


@given(st.floats(0.001, 0.3), st.floats(0.005, 0.2), st.integers(3, 300), st.floats(0.01, 0.2))
def test_power_is_that_of_statsmodels_paired_t_test(
    gain: float, error: float, families: int, alpha: float
) -> None:
    effect = gain / (error * math.sqrt(families))  # in units of the deviation of one family's difference
    expected = TTestPower().power(effect, families, alpha, alternative="two-sided")
    if not math.isnan(expected):
        assert power.paired_power(gain, error, families, alpha) == pytest.approx(expected, abs=1e-9)


@given(st.integers(2, 100_000), st.floats(0.0, 60.0))
def test_power_is_a_number_for_any_design(families: int, ratio: float) -> None:
    found = power.paired_power(ratio, 1.0, families, 0.05)
    assert 0.05 - 1e-9 <= found <= 1


def test_power_without_a_gain_is_alpha() -> None:
    assert power.paired_power(0.0, 0.1, 20, 0.05) == pytest.approx(0.05, abs=1e-12)


PARTS = Components(mean=0.25, between_family=0.03, within_family=0.006, sampling=0.15)
DESIGN = Design(families=36, tasks=144, family_size=4.0, samples=8, correlation=0.8)


def test_the_variance_of_a_difference_is_the_textbook_one_for_equal_families() -> None:
    expected = (2 * 0.2 * (0.03 + 0.006 / 4) + 2 * 0.15 / 32) / 36
    assert power.difference_variance(PARTS, DESIGN) == pytest.approx(expected, rel=1e-12)
    # The same by way of the design effect 1 + (m - 1) rho.
    rho = power.intraclass_correlation(PARTS, DESIGN)
    of_one = 2 * 0.2 * 0.036 + 2 * 0.15 / 8
    assert of_one * (1 + 3 * rho) / 144 == pytest.approx(expected, rel=1e-12)


def test_the_detectable_gain_is_seen_with_just_the_wanted_power() -> None:
    gain = power.detectable_gain(PARTS, DESIGN, alpha=0.05, power=0.8)
    error = math.sqrt(power.difference_variance(PARTS, DESIGN))
    assert power.paired_power(gain, error, 36, 0.05) == pytest.approx(0.8, abs=1e-9)
    effect = gain / (error * math.sqrt(36))
    assert TTestPower().power(effect, 36, 0.05) == pytest.approx(0.8, abs=1e-9)


@pytest.mark.parametrize("gain", [0.05, 0.08, 0.2])
def test_families_and_samples_needed_are_the_first_that_are_enough(gain: float) -> None:
    families = power.families_needed(PARTS, DESIGN, gain, alpha=0.05, power=0.8)
    assert families is not None
    found = [
        power.paired_power(
            gain,
            math.sqrt(power.difference_variance(PARTS, Design(n, 4 * n, 4.0, 8, 0.8))),
            n,
            0.05,
        )
        for n in (families - 1, families)
    ]
    assert found[0] < 0.8 <= found[1]
    samples = power.samples_needed(PARTS, DESIGN, gain, alpha=0.05, power=0.8)
    if gain == 0.05:
        assert samples is None  # with endless samples families still differ
    else:
        assert samples is not None
        error = [
            math.sqrt(power.difference_variance(PARTS, Design(36, 144, 4.0, k, 0.8)))
            for k in (samples - 1 or 1, samples)
        ]
        assert power.paired_power(gain, error[1], 36, 0.05) >= 0.8
        assert samples == 1 or power.paired_power(gain, error[0], 36, 0.05) < 0.8


def test_one_family_can_show_nothing() -> None:
    lone = Design(families=1, tasks=4, family_size=4.0, samples=8, correlation=0.8)
    assert power.detectable_gain(PARTS, lone, alpha=0.05, power=0.8) == math.inf
    assert power.paired_power(0.5, 0.01, 1, 0.05) == 0.0


def test_variance_components_are_recovered_from_a_large_sample() -> None:
    rng = np.random.default_rng(1)
    families, size, samples = 4000, 4, 64
    of_family = np.repeat(rng.normal(0.4, 0.1, families), size)
    rates = of_family + rng.normal(0, 0.05, families * size)
    names = [str(task // size) for task in range(families * size)]
    found = power.variance_components(
        np.full(rates.size, samples), rng.binomial(samples, rates.clip(0, 1)), names
    )
    assert found.between_family == pytest.approx(0.01, rel=0.1)
    assert found.within_family == pytest.approx(0.0025, rel=0.15)
    assert found.sampling == pytest.approx(np.mean(rates * (1 - rates)), rel=0.02)


def test_the_binomial_variance_is_estimated_without_bias() -> None:
    n, p = 5, 0.3
    chances = stats.binom.pmf(np.arange(n + 1), n, p)
    estimates = [power.variance_components([n, n], [c, c], ["a", "b"]).sampling for c in range(n + 1)]
    assert np.dot(chances, estimates) == pytest.approx(p * (1 - p), abs=1e-12)


@pytest.mark.parametrize("families", [["a"] * 6, list("abcdef"), list("aabbcc"), list("aaaabc")])
def test_components_exist_for_every_shape_of_families(families: list[str]) -> None:
    for right in ([0] * 6, [8] * 6, [0, 8, 0, 8, 0, 8], [0, 1, 2, 3, 4, 5]):
        found = power.variance_components([8] * 6, right, families)
        parts = (found.between_family, found.within_family, found.sampling)
        assert all(math.isfinite(part) and part >= 0 for part in parts)


@pytest.mark.slow  # 600 whole comparisons are simulated: fewer could not tell power 0.8 from 0.7
def test_a_simulated_comparison_has_about_the_planned_power() -> None:
    rng = np.random.default_rng(4)
    families, size, samples, correlation = 30, 4, 8, 0.8
    names = np.repeat(np.arange(families), size)
    parts = Components(mean=0.4, between_family=0.01, within_family=0.004, sampling=0.0)
    sampling = 0.4 * 0.6 - 0.014  # E p(1-p)
    parts = Components(0.4, parts.between_family, parts.within_family, sampling)
    design = Design(families, families * size, size, samples, correlation)
    gain = power.detectable_gain(parts, design, alpha=0.05, power=0.8)

    def pair(sd: float, count: int) -> tuple[np.ndarray, np.ndarray]:
        shared = rng.normal(0, sd * math.sqrt(correlation), count)
        apart = sd * math.sqrt(1 - correlation)
        return shared + rng.normal(0, apart, count), shared + rng.normal(0, apart, count)

    seen = {0.0: 0, gain: 0}
    runs = 600
    for true_gain in seen:
        for _ in range(runs):
            family, task = pair(0.1, families), pair(math.sqrt(0.004), families * size)
            base = np.clip(0.4 + family[0][names] + task[0], 0, 1)
            arm = np.clip(0.4 + true_gain + family[1][names] + task[1], 0, 1)
            difference = rng.binomial(samples, arm) / samples - rng.binomial(samples, base) / samples
            means = np.bincount(names, weights=difference) / size
            seen[true_gain] += stats.ttest_1samp(means, 0).pvalue < 0.05
    assert 0.74 <= seen[gain] / runs <= 0.86
    assert 0.02 <= seen[0.0] / runs <= 0.08


@given(st.integers(0, 25), st.integers(0, 25))
def test_mcnemars_exact_p_is_that_of_statsmodels(lost: int, won: int) -> None:
    if lost + won:
        expected = statsmodels_mcnemar([[0, lost], [won, 0]], exact=True).pvalue
        assert mcnemar.mcnemar_p_value(lost, won, mid=False) == pytest.approx(expected, abs=1e-9)
    mid, exact = (mcnemar.mcnemar_p_value(lost, won, mid=m) for m in (True, False))
    assert 0 < mid <= exact <= 1


@pytest.mark.parametrize("mid", [True, False])
@pytest.mark.parametrize(("lost", "won"), [(0.05, 0.3), (0.0, 0.4), (0.2, 0.2), (0.1, 0.6)])
@pytest.mark.parametrize("tasks", [1, 5, 14])
def test_mcnemar_power_is_the_sum_over_every_outcome(tasks: int, lost: float, won: float, mid: bool) -> None:
    expected = 0.0
    for losses, wins in product(range(tasks + 1), repeat=2):
        if losses + wins <= tasks and mcnemar.mcnemar_p_value(losses, wins, mid=mid) <= 0.05:
            ways = math.comb(tasks, losses) * math.comb(tasks - losses, wins)
            expected += ways * lost**losses * won**wins * (1 - lost - won) ** (tasks - losses - wins)
    assert mcnemar.mcnemar_power(tasks, lost, won, alpha=0.05, mid=mid) == pytest.approx(expected, abs=1e-9)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_discordant_shares_are_shares_and_differ_by_the_gain(p: float, q: float, correlation: float) -> None:
    lost, won = mcnemar.discordant_shares(p, q - p, correlation)
    assert -1e-12 <= lost <= 1
    assert -1e-12 <= won <= 1
    assert lost + won <= 1 + 1e-12
    assert won - lost == pytest.approx(q - p, abs=1e-9)


def test_mcnemars_detectable_gain_and_tasks_needed_are_just_enough() -> None:
    gain = mcnemar.mcnemar_detectable_gain(120, 0.35, 0.6, alpha=0.05, power=0.8)
    assert gain is not None
    assert mcnemar.mcnemar_power(
        120, *mcnemar.discordant_shares(0.35, gain, 0.6), alpha=0.05
    ) == pytest.approx(0.8, abs=1e-6)
    needed = mcnemar.mcnemar_tasks_needed(0.35, 0.1, 0.6, alpha=0.05, power=0.8)
    assert needed is not None
    shares = mcnemar.discordant_shares(0.35, 0.1, 0.6)
    assert mcnemar.mcnemar_power(needed, *shares, alpha=0.05) >= 0.8
    assert mcnemar.mcnemar_power(needed - 1, *shares, alpha=0.05) < 0.8


def test_what_cannot_be_seen_is_none() -> None:
    assert mcnemar.mcnemar_detectable_gain(3, 0.5, 0.6, alpha=0.05, power=0.8) is None
    assert mcnemar.mcnemar_detectable_gain(100, 1.0, 0.6, alpha=0.05, power=0.8) is None
    assert mcnemar.mcnemar_tasks_needed(0.95, 0.1, 0.6, alpha=0.05, power=0.8) is None
