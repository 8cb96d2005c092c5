"""Adjusted p-values are those of statsmodels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from codeself.analysis.multiplicity import benjamini_hochberg, holm


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjusted_p_values_are_those_of_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-9)
    expected = multipletests(p_values, method="fdr_bh")[1]
    assert benjamini_hochberg(p_values) == pytest.approx(expected, abs=1e-9)


def test_one_test_is_not_adjusted_and_none_is_no_error() -> None:
    assert holm([0.03]) == pytest.approx([0.03])
    assert holm([]).size == benjamini_hochberg([]).size == 0


@pytest.mark.parametrize("wrong", [[0.1, float("nan")], [1.2], [-0.1]])
def test_what_is_no_p_value_is_refused(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm(wrong)
