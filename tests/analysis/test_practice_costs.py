"""What practice cost follows from its seconds by hand."""

from __future__ import annotations

import pytest

from codeself.analysis.practice_costs import costs, seconds_until
from tests.analysis.made_runs import made_step, made_timings

STEPS = [made_step(place, 1) for place in range(3)]  # 40 tokens sampled and 30 learned in each


def test_costs_are_sums_over_the_stages() -> None:
    found = costs(STEPS, made_timings(3))
    assert (found.sampling, found.judging, found.updating, found.total) == (6.0, 3.0, 11.0, 20.0)
    assert (found.first, found.median_later) == (8.0, 6.0)
    assert found.sampled_per_second == pytest.approx(120 / 6)
    assert found.learned_per_second == pytest.approx(90 / 11)
    assert found.peak_memory_mb == 102.0


def test_seconds_to_a_step_go_to_its_end() -> None:
    timings = made_timings(3)
    assert [seconds_until(timings, step) for step in range(3)] == [8.0, 14.0, 20.0]


def test_a_stage_too_short_for_the_clock_has_no_speed() -> None:
    found = costs(STEPS[:1], made_timings(1, sampling=0.0))
    assert found.sampled_per_second is None
    assert found.median_later is None
