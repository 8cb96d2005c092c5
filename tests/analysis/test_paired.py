"""Paired intervals against scipy and by hand, in the corners, and in their order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from codeself.analysis.intervals import expanded_level, wilson
from codeself.analysis.paired import contrast, paired_interval, standard_error


def names(families: int, variants: int) -> list[str]:
    return [f"{family:03}" for family in range(families) for _ in range(variants)]


def test_the_interval_of_one_run_is_the_clustered_bca_of_scipy() -> None:
    rng = np.random.default_rng(2)
    sizes = rng.integers(1, 6, 25)
    families = [f"{family:02}" for family, size in enumerate(sizes) for _ in range(size)]
    arm, base = rng.binomial(8, 0.5, len(families)) / 8, rng.binomial(8, 0.4, len(families)) / 8
    pair = contrast(arm, base, families)
    found = paired_interval(pair, confidence=0.95, resamples=3000, seed=11)
    expected = stats.bootstrap(
        (pair.difference, pair.sizes),
        lambda s, m, axis=-1: s.sum(axis=axis) / m.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=3000,
        batch=1000,
        confidence_level=expanded_level(0.95, 25),
        method="BCa",
        rng=np.random.default_rng(11),
    ).confidence_interval
    assert found.method == "bca-family"
    # Ours counts replicates that tie with the estimate but for rounding as ties; here there are none.
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_the_standard_error_is_the_cluster_robust_one_of_statsmodels() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(8)
    labels = np.repeat(np.arange(12), 5)
    x = rng.normal(size=12)[labels] + rng.normal(size=60)
    robust = sm.OLS(x, np.ones(60)).fit(
        cov_type="cluster", cov_kwds={"groups": labels, "use_correction": False}
    )
    expected = math.sqrt(12 / 11) * robust.bse[0]
    pair = contrast(x, np.zeros(60), [f"{label:02}" for label in labels])
    assert standard_error(pair) == pytest.approx(expected, rel=1e-9)


def test_seeds_add_the_variance_of_their_means() -> None:
    rng = np.random.default_rng(1)
    arm, base = rng.random((3, 40)), rng.random(40)
    pair = contrast(arm, base, names(40, 1))
    difference = arm.mean(axis=0) - base
    expected = np.var(difference, ddof=1) / 40 + np.var(arm.mean(axis=1), ddof=1) / 3
    assert standard_error(pair) ** 2 == pytest.approx(expected, rel=1e-9)


def test_seeds_that_differ_widen_the_interval() -> None:
    rng = np.random.default_rng(4)
    base, change = rng.random(60), rng.normal(0.1, 0.1, 60)
    alike = paired_interval(
        contrast(base + change + np.zeros((3, 1)), base, names(30, 2)),
        confidence=0.95,
        resamples=1000,
        seed=1,
    )
    apart = paired_interval(
        contrast(base + change + np.array([[-0.05], [0.0], [0.05]]), base, names(30, 2)),
        confidence=0.95,
        resamples=1000,
        seed=1,
    )
    assert apart.method == "bca-family-seed"
    # Student's t with about two degrees of freedom and a standard error of 0.05 / sqrt(3).
    assert apart.high - apart.low > 2 * (alike.high - alike.low)
    assert apart.high - apart.low > 2 * stats.t.ppf(0.975, 4) * 0.05 / math.sqrt(3)


sides = st.integers(1, 12).flatmap(
    lambda tasks: st.tuples(
        st.lists(st.integers(0, 4), min_size=tasks, max_size=tasks),
        st.lists(st.lists(st.integers(0, 4), min_size=tasks, max_size=tasks), min_size=1, max_size=3),
        st.lists(st.sampled_from("abcd"), min_size=tasks, max_size=tasks),
    )
)


@settings(max_examples=100, deadline=None)
@given(sides, st.integers(0, 3))
def test_any_two_policies_have_an_interval_around_their_difference(
    case: tuple[list[int], list[list[int]], list[str]], seed: int
) -> None:
    base, arm, families = case
    pair = contrast(np.array(arm) / 4, np.array(base) / 4, families)
    found = paired_interval(pair, confidence=0.95, resamples=200, seed=seed)
    slack = 1e-9
    assert -1 - slack <= found.low <= pair.estimate + slack
    assert pair.estimate - slack <= found.high <= 1 + slack
    assert found.high > found.low


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("families", [1, 2, 30])
def test_equal_policies_are_as_uncertain_as_families_are_few(value: float, families: int) -> None:
    same = np.full(families * 3, value)
    found = paired_interval(contrast(same, same, names(families, 3)), confidence=0.95, resamples=200, seed=0)
    widest = wilson(0, families, 0.95)[1]
    assert (found.low, found.high) == pytest.approx((-widest, widest), abs=1e-12)
    assert found.method == "wilson-family"


def test_row_order_does_not_move_an_interval() -> None:
    rng = np.random.default_rng(0)
    arm, base, families = rng.random(30).round(2), rng.random(30).round(2), [f"f{i % 7}" for i in range(30)]
    order = rng.permutation(30)
    one = paired_interval(contrast(arm, base, families), confidence=0.95, resamples=500, seed=4)
    other = paired_interval(
        contrast(arm[order], base[order], [families[i] for i in order]),
        confidence=0.95,
        resamples=500,
        seed=4,
    )
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-12)


def test_swapping_the_sides_mirrors_the_interval() -> None:
    rng = np.random.default_rng(3)
    arm, base, families = rng.random(60), rng.random(60), names(20, 3)
    one = paired_interval(contrast(arm, base, families), confidence=0.9, resamples=1000, seed=4)
    other = paired_interval(contrast(base, arm, families), confidence=0.9, resamples=1000, seed=4)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-9)


@pytest.mark.parametrize(
    ("arm", "base"),
    [([0.5, math.nan], [0.5, 0.5]), ([0.5], [0.5, 0.5]), ([[]], [[]]), ([math.inf, 0], [0, 0])],
)
def test_values_that_are_missing_or_no_numbers_are_refused(arm: list[float], base: list[float]) -> None:
    with pytest.raises(ValueError, match=r"expected a value for each of|without a finite value"):
        contrast(arm, base, ["a", "b"])
