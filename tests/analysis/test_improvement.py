"""Interquartile mean and probability of improvement, as scipy has their parts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from codeself.analysis.improvement import interquartile_mean, probability_of_improvement


def test_the_interquartile_mean_is_that_of_the_middle_half() -> None:
    assert interquartile_mean([[0, 1, 2, 3], [4, 5, 6, 700]]) == pytest.approx(np.mean([2, 3, 4, 5]))


def test_the_probability_of_improvement_is_the_mean_of_mann_whitneys_statistics() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 5, (4, 9)), rng.integers(0, 4, (3, 9))
    expected = np.mean([stats.mannwhitneyu(first[:, t], second[:, t]).statistic / 12 for t in range(9)])
    assert probability_of_improvement(first, second) == pytest.approx(expected, abs=1e-12)


def test_equal_policies_improve_half_the_time() -> None:
    assert probability_of_improvement([0.1, 0.5, 0.9], [0.1, 0.5, 0.9]) == 0.5
    with pytest.raises(ValueError, match="same tasks"):
        probability_of_improvement([0.1, 0.5], [0.1])


def test_both_are_those_of_rliable() -> None:
    # What rliable 1.2.0 gives (aggregate_iqm, probability_of_improvement) for these scores of 5 and 4 runs on 26 tasks.
    first = [[(7 * run + 3 * task * task) % 11 / 10 for task in range(26)] for run in range(5)]
    second = [[(5 * run + 2 * task * task) % 13 / 12 for task in range(26)] for run in range(4)]
    assert interquartile_mean(first) == pytest.approx(0.48030303030303034, abs=1e-9)
    assert probability_of_improvement(first, second) == pytest.approx(0.4634615384615385, abs=1e-9)


def test_both_give_what_rliable_has_for_its_own_examples() -> None:
    # The scores of rliable's tests (tests/rliable/metrics_test.py): 4 and 3 runs on 2 tasks.
    first, second = [[1, 2], [2, 2], [1, 1], [2, 1]], [[1, 1], [2, 2], [3, 3]]
    assert interquartile_mean(first) == pytest.approx(1.5, abs=1e-9)
    assert interquartile_mean(second) == pytest.approx(2.0, abs=1e-9)
    assert probability_of_improvement(first, second) == pytest.approx(1 / 3, abs=1e-9)
