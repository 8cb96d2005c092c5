"""The learning rate of each step, worked out by hand."""

from __future__ import annotations

import pytest

from codeself.learning.schedule import rate_at
from codeself.records.practice import OptimizerConfig


@pytest.mark.parametrize(
    ("schedule", "warmup", "rates"),
    [
        ("constant", 0, [1, 1, 1, 1, 1]),
        ("constant", 2, [0.5, 1, 1, 1, 1]),
        ("linear", 0, [1, 0.8, 0.6, 0.4, 0.2]),
        ("linear", 1, [1, 1, 0.75, 0.5, 0.25]),
        ("cosine", 1, [1, 1, 0.8535533906, 0.5, 0.1464466094]),
        ("constant", 10, [0.1, 0.2, 0.3, 0.4, 0.5]),  # a run that ends while it warms up
        ("linear", 5, [0.2, 0.4, 0.6, 0.8, 1]),
    ],
)
def test_rates(schedule: str, warmup: int, rates: list[float]) -> None:
    config = OptimizerConfig.model_validate({"schedule": schedule, "warmup_steps": warmup})
    assert [rate_at(step, 5, config) for step in range(5)] == pytest.approx(rates)
