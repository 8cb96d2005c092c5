"""How numbers are written."""

from __future__ import annotations

import pytest

from codeself.records.metrics import Estimate
from codeself.reports import numbers


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.3246, "32.5 %"), (0.0, "0.0 %"), (-0.0001, "0.0 %"), (1.0, "100.0 %"), (-0.05, "\u22125.0 %")],
)
def test_shares(share: float, text: str) -> None:
    assert numbers.percent(share) == text.replace(" ", "\u00a0")


def test_an_interval_is_joined_by_an_en_dash() -> None:
    estimate = Estimate(value=0.5, low=0.25, high=0.755, method="wilson", tasks=1, families=1)
    assert numbers.with_interval(estimate) == "50.0\u00a0% (25.0\u201375.5\u00a0%)"


def test_counts_and_lists() -> None:
    assert numbers.count(1, "family", "families") == "1 family"
    assert numbers.count(1200, "task") == "1,200 tasks"
    assert numbers.share_of(0, 0) == "0 of 0 (0.0\u00a0%)"
    assert [numbers.listed(list("abc")[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
