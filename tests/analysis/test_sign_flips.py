"""The sign-flip test against full enumeration, scipy and McNemar's exact test."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from codeself.analysis.mcnemar import mcnemar_p_value
from codeself.analysis.sign_flips import common_unit, sign_flip_p


def enumerated(sums: np.ndarray) -> float:
    observed = abs(sums.sum())
    totals = [abs(float(np.dot(signs, sums))) for signs in product((-1, 1), repeat=len(sums))]
    return float(np.mean([total >= observed - 1e-9 for total in totals]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-12, 12), min_size=1, max_size=9))
def test_p_is_the_share_of_all_sign_patterns_that_reach_as_far(counts: list[int]) -> None:
    sums = np.array(counts) / 8
    expected = enumerated(sums)
    by_convolution = sign_flip_p(sums, unit=1 / 8, resamples=100, seed=0)
    by_listing = sign_flip_p(sums, unit=None, resamples=100, seed=0)
    assert by_convolution == (pytest.approx(expected, abs=1e-9), "exact")
    assert by_listing == (pytest.approx(expected, abs=1e-9), "exact")


def test_p_is_that_of_scipys_permutation_test() -> None:
    rng = np.random.default_rng(6)
    arm, base = rng.random(12), rng.random(12)
    expected = stats.permutation_test(
        (arm, base),
        lambda a, b, axis=-1: np.mean(a - b, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    ).pvalue
    assert sign_flip_p(arm - base, unit=None, resamples=100, seed=0)[0] == pytest.approx(expected, abs=1e-9)


@given(st.integers(0, 40), st.integers(0, 40))
def test_for_unrelated_greedy_answers_it_is_mcnemars_exact_test(lost: int, won: int) -> None:
    sums = [1.0] * won + [-1.0] * lost + [0.0] * 5
    p, _ = sign_flip_p(sums, unit=1.0, resamples=100, seed=0)
    assert p == pytest.approx(mcnemar_p_value(lost, won, mid=False), abs=1e-9)


def test_many_families_with_a_unit_are_still_exact() -> None:
    rng = np.random.default_rng(1)
    sums = rng.integers(-16, 18, 500) / 16
    p, how = sign_flip_p(sums, unit=1 / 16, resamples=100, seed=0)
    assert how == "exact"
    # The sum of many signs is about normal.
    z = (abs(sums.sum()) - 1 / 16) / np.sqrt(np.sum(sums**2))
    assert p == pytest.approx(2 * stats.norm.sf(z), rel=0.05)


def test_without_a_unit_many_families_are_sampled_and_p_is_never_zero() -> None:
    sums = np.random.default_rng(2).random(60)
    p, how = sign_flip_p(sums, unit=None, resamples=999, seed=0)
    assert (p, how) == (1 / 1000, "sampled")
    assert sign_flip_p(sums - 0.45, unit=None, resamples=999, seed=3) == sign_flip_p(
        sums - 0.45, unit=None, resamples=999, seed=3
    )


@pytest.mark.parametrize("sums", [[0.0] * 6, [0.75], [0.5, -0.5]])
def test_no_difference_or_one_family_gives_one(sums: list[float]) -> None:
    assert sign_flip_p(sums, unit=1 / 8, resamples=100, seed=0) == (1.0, "exact")


@pytest.mark.parametrize("sums", [[], [0.1, float("nan")], [[0.1]]])
def test_what_is_no_sum_a_family_is_refused(sums: list[float]) -> None:
    with pytest.raises(ValueError, match="a finite sum for each family"):
        sign_flip_p(sums, unit=None, resamples=100, seed=0)


def test_the_common_unit_covers_unequal_samples_and_seeds() -> None:
    assert common_unit([8, 8, 7], seeds=3) == pytest.approx(1 / 168)
    assert common_unit([8]) == 1 / 8
    assert common_unit([97, 101, 103, 107]) is None
