"""pass@k against the definition, by enumeration."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeself.analysis.groups import informative
from codeself.analysis.pass_at_k import pass_at_k

counts = st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n)))


@given(counts)
def test_it_is_the_share_of_subsets_that_hold_a_right_sample(case: tuple[int, int, int]) -> None:
    n, c, k = case
    outcomes = [True] * c + [False] * (n - c)
    subsets = list(combinations(outcomes, k))
    expected = sum(any(subset) for subset in subsets) / len(subsets)
    assert pass_at_k([n], [c], k)[0] == pytest.approx(expected, abs=1e-12)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_large_groups_keep_their_digits(case: tuple[int, int, int]) -> None:
    n, c, k = case
    missed = comb(n - c, k) / comb(n, k)  # exact integers, one rounding
    found = pass_at_k([n], [c], k)[0]
    assert 0 <= found <= 1
    assert found == pytest.approx(1 - missed, abs=1e-9)


@given(st.lists(counts, min_size=1, max_size=8))
def test_it_rises_with_k_and_with_right_samples(cases: list[tuple[int, int, int]]) -> None:
    n, c = np.array([case[0] for case in cases]), np.array([case[1] for case in cases])
    for k in range(1, n.min()):
        assert np.all(pass_at_k(n, c, k + 1) >= pass_at_k(n, c, k) - 1e-12)
    assert np.all(pass_at_k(n, np.minimum(c + 1, n), 1) >= pass_at_k(n, c, 1))


def test_pass_at_1_is_the_share_that_is_right() -> None:
    assert pass_at_k([8, 8, 4], [0, 3, 4], 1).tolist() == pytest.approx([0, 3 / 8, 1], abs=1e-15)


@pytest.mark.parametrize(("n", "c", "k"), [([4], [1], 5), ([4], [5], 1), ([4], [-1], 1), ([4], [1], 0)])
def test_what_has_no_estimate_is_refused(n: list[int], c: list[int], k: int) -> None:
    with pytest.raises(ValueError, match=r"must|needs"):
        pass_at_k(n, c, k)


@given(counts)
def test_a_group_is_informative_as_often_as_its_subsets_differ(case: tuple[int, int, int]) -> None:
    n, c, size = case
    subsets = list(combinations([True] * c + [False] * (n - c), size))
    expected = sum(len(set(subset)) == 2 for subset in subsets) / len(subsets)
    assert informative([n], [c], size)[0] == pytest.approx(expected, abs=1e-12)


def test_a_group_as_drawn_is_informative_or_not() -> None:
    assert informative([8, 8, 8], [0, 3, 8]).tolist() == [0, 1, 0]
