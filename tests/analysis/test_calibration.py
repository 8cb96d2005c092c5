"""False claims stay at or under alpha, power is as planned, intervals cover: a small part of the whole table."""

from __future__ import annotations

import math

import pytest

from tests.analysis.calibration import ALPHA, Row, World, any_false_claim, greedy_lone, sampled_rates

RUNS = 400  # three standard errors of a share of 5 % are then 3.3 points, of 50 % 7.5


def within(found: float, expected: float) -> bool:
    return abs(found - expected) <= 3 * math.sqrt(expected * (1 - expected) / RUNS)


def at_most(found: float, expected: float) -> bool:
    return found < expected or within(found, expected)


@pytest.mark.slow  # 400 experiments a case: fewer could not tell 5 % from 10 %
@pytest.mark.parametrize(
    "world",
    [World(correlation=1.0), World(), World(families=10), World(seeds=3, seed_sd=0.02)],
    ids=["equal policies", "families move", "few families", "seeds move"],
)
def test_without_a_gain_false_claims_keep_to_alpha_and_intervals_cover(world: World) -> None:
    row = sampled_rates("", world, 0.0, RUNS, seed=1, resamples=500)
    assert at_most(row.found, ALPHA)
    assert row.covered is not None
    assert row.covered > 0.95 or within(row.covered, 0.95)


@pytest.mark.slow  # 400 experiments, as above
def test_after_holm_any_false_claim_at_all_keeps_to_alpha() -> None:
    assert at_most(any_false_claim("", World(correlation=1.0), RUNS, seed=3).found, ALPHA)


@pytest.mark.slow  # 400 experiments a gain, as above
@pytest.mark.parametrize("gain", [0.03, 0.05, 0.08])
def test_gains_are_found_as_often_as_planned(gain: float) -> None:
    row = sampled_rates("", World(), gain, RUNS, seed=2, resamples=500)
    greedy = greedy_lone("", 148, 0.35, gain, RUNS, seed=2)
    for each in (row, greedy):
        assert_as_planned(each)


def assert_as_planned(row: Row) -> None:
    assert row.planned is not None
    assert within(row.found, row.planned)
