"""Newcombe's interval against published numbers, and in the corners."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from codeself.analysis.paired_proportions import newcombe

counts = st.tuples(*[st.integers(0, 30)] * 4).filter(lambda c: sum(c) > 0)


def test_published_intervals_are_met() -> None:
    # Fagerland, Lydersen and Laake 2014, table 4: airway reactivity of 21 children, 1, 1, 7 and 12.
    found = newcombe(1, 7, 1, 12, confidence=0.95)
    assert (found.low, found.high) == pytest.approx((-0.507, -0.026), abs=5e-4)


@given(counts)
def test_the_interval_holds_the_difference_and_turns_with_the_sides(case: tuple[int, int, int, int]) -> None:
    both, lost, won, neither = case
    found = newcombe(both, lost, won, neither, confidence=0.95)
    turned = newcombe(both, won, lost, neither, confidence=0.95)
    assert -1 <= found.low <= (won - lost) / sum(case) <= found.high <= 1
    assert found.high > found.low
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low), abs=1e-12)


def test_uncorrelated_answers_have_the_interval_of_independent_ones() -> None:
    # 10 x 10 split evenly: no correlation at all, so that pairing gains nothing.
    expected = confint_proportions_2indep(20, 40, 20, 40, method="newcomb", compare="diff")
    found = newcombe(10, 10, 10, 10, confidence=0.95)
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("case", [(0, 0, 0, 0), (1, -1, 0, 5)])
def test_no_tasks_or_negative_counts_are_refused(case: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="at least one task"):
        newcombe(*case, confidence=0.95)
