"""Intervals against statsmodels and scipy, in the corners, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from codeself.analysis.intervals import design_effect, expanded_level, mean_interval, share_interval, wilson

outcomes = st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 1)), min_size=1, max_size=20)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_wilson_is_statsmodels_wilson(case: tuple[int, int], confidence: float) -> None:
    successes, trials = case
    expected = proportion_confint(successes, trials, alpha=1 - confidence, method="wilson")
    assert wilson(successes, trials, confidence) == pytest.approx(expected, abs=1e-9)


def test_families_of_one_task_have_the_bootstrap_of_scipy() -> None:
    rng = np.random.default_rng(3)
    values = rng.beta(1, 3, 60)
    found = mean_interval(values, [f"{i:03}" for i in range(60)], confidence=0.9, resamples=2000, seed=11)
    # scipy's own, over single tasks, with the very draws that a paired bootstrap of (value, 1) makes.
    expected = stats.bootstrap(
        (values, np.ones(60)),
        lambda v, w, axis=-1: v.sum(axis=axis) / w.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=2000,
        batch=1000,
        confidence_level=expanded_level(0.9, 60),
        method="BCa",
        rng=np.random.default_rng(11),
    ).confidence_interval
    assert found.method == "bca-family"
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_the_clustered_bca_interval_is_the_one_written_out_by_hand() -> None:
    rng = np.random.default_rng(5)
    sizes = rng.integers(1, 6, 15)
    values = [rng.beta(1 + family % 4, 2, size) for family, size in enumerate(sizes)]
    flat = np.concatenate(values)
    families = [f"{family:02}" for family, own in enumerate(values) for _ in own]
    resamples, seed, confidence = 3000, 17, 0.95
    # Efron 1987: percentiles of the bootstrap distribution, moved by bias z0 and acceleration a.
    picks = np.concatenate([np.asarray(block) for block in _draws(seed, resamples, len(values))])
    means = np.array([np.concatenate([values[i] for i in pick]).mean() for pick in picks])
    estimate = flat.mean()
    z0 = stats.norm.ppf(((means < estimate).mean() + (means <= estimate).mean()) / 2)
    left_out = np.array([np.concatenate(values[:i] + values[i + 1 :]).mean() for i in range(len(values))])
    away = left_out.mean() - left_out
    a = np.sum(away**3) / (6 * np.sum(away**2) ** 1.5)
    ends = []
    wider = expanded_level(confidence, len(values))
    for tail in ((1 - wider) / 2, (1 + wider) / 2):
        z = z0 + stats.norm.ppf(tail)
        ends.append(np.percentile(means, 100 * stats.norm.cdf(z0 + z / (1 - a * z))))
    found = mean_interval(flat, families, confidence=confidence, resamples=resamples, seed=seed)
    assert (found.low, found.high) == pytest.approx(tuple(ends), abs=1e-9)


def _draws(seed: int, resamples: int, families: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, families, (1000, families)) for _ in range(resamples // 1000)]


@settings(max_examples=60, deadline=None)
@given(outcomes, st.integers(0, 3))
def test_every_input_has_an_interval_around_its_mean(case: list[tuple[str, float]], seed: int) -> None:
    families, values = [family for family, _ in case], [value for _, value in case]
    found = mean_interval(values, families, confidence=0.95, resamples=200, seed=seed)
    assert 0 <= found.low < found.high <= 1
    binary = [float(value > 0.5) for value in values]
    share = share_interval(binary, families, confidence=0.95)
    assert 0 <= share.low <= np.mean(binary) <= share.high <= 1
    assert share.high > share.low


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize(("tasks", "families"), [(1, 1), (8, 1), (8, 2), (40, 10)])
def test_all_alike_is_as_uncertain_as_its_families_are_few(value: float, tasks: int, families: int) -> None:
    names = [f"f{task % families}" for task in range(tasks)]
    found = mean_interval([value] * tasks, names, confidence=0.95, resamples=200, seed=0)
    assert found.method == "wilson-family"
    assert (found.low, found.high) == pytest.approx(wilson(value * families, families, 0.95), abs=1e-12)


def test_row_order_and_family_names_do_not_move_an_interval() -> None:
    rng = np.random.default_rng(0)
    values, families = rng.random(30).round(3), [f"f{i % 7}" for i in range(30)]
    order = rng.permutation(30)
    one = mean_interval(values, families, confidence=0.95, resamples=500, seed=4)
    other = mean_interval(values[order], [families[i] for i in order], confidence=0.95, resamples=500, seed=4)
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-12)


def test_the_same_seed_gives_the_same_interval_and_another_another() -> None:
    values, families = np.linspace(0, 1, 40) ** 2, [f"f{i % 9}" for i in range(40)]
    found = [mean_interval(values, families, confidence=0.95, resamples=500, seed=s) for s in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


def test_repeating_tasks_within_families_makes_nothing_surer() -> None:
    once = [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    names = [f"f{i}" for i in range(10)]
    assert design_effect(once, names) == pytest.approx(1, abs=1e-12)
    assert design_effect(once * 4, names * 4) == pytest.approx(4, rel=1e-9)
    one = mean_interval(once, names, confidence=0.95, resamples=500, seed=1)
    four = mean_interval(once * 4, names * 4, confidence=0.95, resamples=500, seed=1)
    assert (one.low, one.high) == (four.low, four.high)
    plain, repeated = (share_interval(once * n, names * n, confidence=0.95) for n in (1, 4))
    assert repeated.high - repeated.low >= plain.high - plain.low - 1e-9


def test_the_design_effect_is_the_cluster_robust_variance_of_statsmodels() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(8)
    names = np.repeat(np.arange(12), 5)
    x = rng.normal(size=12)[names] + rng.normal(size=60)
    plain = sm.OLS(x, np.ones(60)).fit()
    robust = plain.get_robustcov_results("cluster", groups=names, use_correction=False)
    # The library without corrections, times the one for few clusters that we use.
    expected = 12 / 11 * robust.cov_params()[0, 0] / plain.cov_params()[0, 0]
    assert design_effect(x, [f"{name:02}" for name in names]) == pytest.approx(expected, rel=1e-9)


@pytest.mark.slow  # 400 evaluations of each kind are simulated: fewer could not tell 95 % from 90 %
def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(20)
    families, variants, samples, runs = 36, 4, 8, 400
    names = [f"{task // variants:02}" for task in range(families * variants)]
    truth = 1 / 5  # the mean of a beta(1, 4) over families, and over tasks around them
    covered = {"mean": 0, "share": 0}
    for run in range(runs):
        of_family = np.repeat(rng.beta(1, 4, families), variants)
        rates = rng.beta(8 * of_family + 1e-3, 8 * (1 - of_family) + 1e-3)
        found = mean_interval(
            rng.binomial(samples, rates) / samples, names, confidence=0.95, resamples=500, seed=run
        )
        covered["mean"] += found.low <= truth <= found.high
        share = share_interval(rng.random(rates.size) < rates, names, confidence=0.95)
        covered["share"] += share.low <= truth <= share.high
    # Three standard errors of 400 runs are 3.3 points.
    assert 0.915 <= covered["mean"] / runs <= 0.985
    assert 0.915 <= covered["share"] / runs <= 0.985


def test_the_expanded_level_is_that_of_students_t_and_vanishes_with_many_units() -> None:
    # A bootstrap of a mean is about normal with the variance that divides by n; asking it for the expanded
    # level must give the t interval with the variance that divides by n - 1.
    for units in (4, 9, 36):
        half = stats.norm.ppf(0.5 + expanded_level(0.95, units) / 2)
        assert half * np.sqrt((units - 1) / units) == pytest.approx(stats.t.ppf(0.975, units - 1), rel=1e-6)
    assert expanded_level(0.95, 1_000_000) == pytest.approx(0.95, abs=1e-5)
    assert expanded_level(0.95, 1) == 0.95
