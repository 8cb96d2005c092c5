"""Newcombe's and Tango's intervals against published numbers and by another route, and in the corners."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize
from statsmodels.stats.proportion import confint_proportions_2indep

from codeself.analysis.intervals import Interval
from codeself.analysis.paired_proportions import newcombe, tango

counts = st.tuples(*[st.integers(0, 30)] * 4).filter(lambda c: sum(c) > 0)


# R's contingencytables gives these for the complete responses of 161 patients before and after a therapy (Cavo et al.
# 2012): 59 both, 6 before alone, 16 after alone, 80 neither. They are in that package's own tests, to four digits.
CAVO = (59, 6, 16, 80)


def test_published_intervals_are_met() -> None:
    found = newcombe(*CAVO, confidence=0.95)
    assert (found.low, found.high) == pytest.approx((0.0046, 0.1186), abs=5e-5)
    found = tango(*CAVO, confidence=0.95)
    assert (found.low, found.high) == pytest.approx((0.0054, 0.1240), abs=5e-5)


def score(case: tuple[int, int, int, int], difference: float) -> float:
    """The score statistic of a difference, its nuisance share found by maximising the likelihood: another route."""
    both, lost, won, neither = case
    tasks, least = sum(case), max(0.0, -difference)

    def unlikely(share: float) -> float:
        chances = (share, share + difference, 1 - 2 * share - difference)
        counts = (lost, won, both + neither)
        return -sum(n * math.log(max(p, 1e-300)) for n, p in zip(counts, chances, strict=True) if n)

    share = optimize.minimize_scalar(
        unlikely, bounds=(least, (1 - difference) / 2), method="bounded", options={"xatol": 1e-12}
    ).x
    return (won - lost - tasks * difference) / math.sqrt(tasks * (2 * share + difference * (1 - difference)))


@given(counts)
def test_the_score_test_is_at_its_edge_at_tangos_bounds(case: tuple[int, int, int, int]) -> None:
    found = tango(*case, confidence=0.95)
    z = 1.959963984540054
    for bound, expected in ((found.low, z), (found.high, -z)):
        if -1 + 1e-6 < bound < 1 - 1e-6:
            assert score(case, bound) == pytest.approx(expected, abs=2e-3)


def test_tangos_interval_of_answers_that_all_agree_has_a_closed_form() -> None:
    z = 1.959963984540054
    for tasks in (1, 10, 148):
        found = tango(tasks, 0, 0, 0, confidence=0.95)
        most = z**2 / (tasks + z**2)
        assert (found.low, found.high) == pytest.approx((-most, most), abs=1e-9)
    assert tango(0, 0, 3, 0, confidence=0.95).high == 1
    assert tango(0, 3, 0, 0, confidence=0.95).low == -1


@given(counts)
def test_tangos_interval_leaves_0_out_where_mcnemars_asymptotic_test_rejects(
    case: tuple[int, int, int, int],
) -> None:
    _, lost, won, _ = case
    found = tango(*case, confidence=0.95)
    statistic = (won - lost) / math.sqrt(won + lost) if won + lost else 0.0
    if abs(abs(statistic) - 1.959963984540054) > 1e-6:
        assert (found.low > 0 or found.high < 0) == (abs(statistic) > 1.959963984540054)


@pytest.mark.parametrize("interval", [newcombe, tango])
@given(counts)
def test_the_interval_holds_the_difference_and_turns_with_the_sides(
    interval: Callable[..., Interval], case: tuple[int, int, int, int]
) -> None:
    both, lost, won, neither = case
    found = interval(both, lost, won, neither, confidence=0.95)
    turned = interval(both, won, lost, neither, confidence=0.95)
    assert -1 <= found.low <= (won - lost) / sum(case) <= found.high <= 1
    assert found.high > found.low
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low), abs=1e-12)


def test_uncorrelated_answers_have_the_interval_of_independent_ones() -> None:
    # 10 x 10 split evenly: no correlation at all, so that pairing gains nothing.
    expected = confint_proportions_2indep(20, 40, 20, 40, method="newcomb", compare="diff")
    found = newcombe(10, 10, 10, 10, confidence=0.95)
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("interval", [newcombe, tango])
@pytest.mark.parametrize("case", [(0, 0, 0, 0), (1, -1, 0, 5)])
def test_no_tasks_or_negative_counts_are_refused(
    interval: Callable[..., Interval], case: tuple[int, int, int, int]
) -> None:
    with pytest.raises(ValueError, match="at least one task"):
        interval(*case, confidence=0.95)
