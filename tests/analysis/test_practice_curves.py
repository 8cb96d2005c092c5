"""What is said of practice follows from its rows by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeself.analysis.practice_curves import (
    advantage_columns,
    arm_lines,
    by_arm,
    drawn,
    endings_of,
    first_reached,
    smoothed_lines,
    smoothed_pass_rates,
    thirds,
)
from tests.analysis.made_runs import BINS, made_run, made_step, without_update

# 1 of 10, 4 of 10 and 12 of 20 right.
STEPS = [made_step(0, 1, 10), made_step(1, 4, 10), made_step(2, 12, 20)]


@pytest.mark.parametrize(
    ("window", "rates"),
    [(1, [0.1, 0.4, 0.6]), (2, [0.1, 5 / 20, 16 / 30]), (3, [0.1, 5 / 20, 17 / 40]), (9, [0.1, 0.25, 0.425])],
)
def test_the_smoothed_rate_is_passes_over_completions_of_the_steps_so_far(
    window: int, rates: list[float]
) -> None:
    assert smoothed_pass_rates(STEPS, window) == pytest.approx(rates, abs=1e-15)


def test_a_rate_is_reached_where_the_smoothed_curve_first_comes_to_it() -> None:
    assert drawn(STEPS) == [10, 20, 40]
    for rate, window, expected in (
        (0.1, 2, (0, 10)),
        (0.25, 2, (1, 20)),
        (0.26, 2, (2, 40)),
        (0.4, 1, (1, 20)),
    ):
        found = first_reached(STEPS, rate, window)
        assert found is not None
        assert (found.step, found.samples) == expected
    assert first_reached(STEPS, 0.61, 1) is None


def test_a_rate_that_is_lost_again_was_reached() -> None:
    found = first_reached([made_step(0, 6), made_step(1, 0)], 0.75, 1)
    assert found is not None
    assert (found.step, found.rate) == (0, 0.75)


def test_steps_in_which_nothing_was_drawn_have_no_rate() -> None:
    steps = [made_step(0, 0, 0), made_step(1, 4), made_step(2, 0, 0)]
    assert smoothed_pass_rates(steps, 1) == [None, 0.5, None]
    assert smoothed_pass_rates(steps, 2) == [None, 0.5, 0.5]
    assert first_reached(steps[:1], 0.0, 1) is None


@given(
    counts=st.lists(st.tuples(st.integers(0, 8), st.just(8)), min_size=1, max_size=12),
    window=st.integers(1, 5),
)
def test_smoothing_stays_within_what_was_seen(counts: list[tuple[int, int]], window: int) -> None:
    steps = [made_step(place, passed, of) for place, (passed, of) in enumerate(counts)]
    raw = [passed / of for passed, of in counts]
    for place, rate in enumerate(smoothed_pass_rates(steps, window)):
        seen = raw[max(0, place - window + 1) : place + 1]
        assert rate is not None
        assert min(seen) - 1e-12 <= rate <= max(seen) + 1e-12
    reached = [found.samples for rate in (0.2, 0.5, 0.8) if (found := first_reached(steps, rate, window))]
    assert reached == sorted(reached)


def test_arms_come_in_their_own_order_and_runs_by_seed() -> None:
    runs = [made_run("ppo", STEPS, 1), made_run("grpo", STEPS), made_run("ppo", STEPS, 0)]
    assert {arm: [run.name for run in own] for arm, own in by_arm(runs).items()} == {
        "grpo": ["grpo-seed0"],
        "ppo": ["ppo-seed0", "ppo-seed1"],
    }
    assert list(by_arm(runs)) == ["grpo", "ppo"]


def test_an_arm_is_the_mean_of_its_runs_step_by_step() -> None:
    other = [made_step(0, 3, 10), made_step(1, 9, 30), made_step(2, 4, 20)]
    arms = by_arm([made_run("grpo", STEPS), made_run("grpo", other, 1)])
    (steps,) = arm_lines(arms, lambda step: step.pass_rate, "step")
    assert steps.mean.xs == (0, 1, 2)
    assert steps.mean.ys == pytest.approx((0.2, 0.35, 0.4))
    (samples,) = arm_lines(arms, lambda step: step.pass_rate, "samples")
    assert [line.xs for line in samples.runs] == [(10, 20, 40), (10, 40, 60)]
    assert samples.mean.xs == (10, 30, 50)
    (smooth,) = smoothed_lines(arms, 2)
    assert smooth.mean.ys == pytest.approx((0.2, (5 / 20 + 12 / 40) / 2, (16 / 30 + 13 / 50) / 2))


def test_a_mean_is_over_the_runs_that_have_a_value() -> None:
    arms = by_arm(
        [made_run("grpo", [without_update(0), without_update(1)]), made_run("grpo", STEPS[:1], seed=1)]
    )
    (lines,) = arm_lines(arms, lambda step: step.entropy, "step")
    assert lines.mean.ys == (0.5, None)
    assert lines.has_values
    (nothing,) = arm_lines(arms, lambda step: step.reference_divergence, "step")
    assert not nothing.has_values


@pytest.mark.parametrize(("count", "size"), [(1, 1), (2, 1), (3, 1), (5, 1), (6, 2), (12, 4)])
def test_a_third_of_the_steps_is_a_step_at_least(count: int, size: int) -> None:
    steps = [made_step(place, place % 8) for place in range(count)]
    found = thirds([made_run("grpo", steps)])
    assert found.steps == size
    assert found.first["hidden: passed"] == sum(range(size))
    assert sum(found.last.values()) == 8 * size


def test_endings_of_an_arms_runs_are_counted_together_and_listed_by_phase() -> None:
    one = made_step(0, 0, endings={"hidden: passed": 3, "parse: failed": 2, "hidden: failed": 3})
    two = made_step(0, 0, endings={"public: timeout": 1, "public: failed": 6, "hidden: passed": 1})
    found = thirds([made_run("grpo", [one]), made_run("grpo", [two], seed=1)])
    assert found.first == found.last
    assert found.first["hidden: passed"] == 4
    assert endings_of([found]) == [
        "parse: failed",
        "public: failed",
        "public: timeout",
        "hidden: passed",
        "hidden: failed",
    ]


def test_advantages_are_shares_of_a_column_of_steps() -> None:
    def counts(low: int, high: int) -> tuple[int, ...]:
        return (low, *(0,) * (BINS - 2), high)

    steps = [made_step(place, 1, advantages=counts(place, 1)) for place in range(4)]
    steps.append(without_update(4))
    each = advantage_columns([made_run("grpo", steps)], most=5)
    assert [(column.first, column.last) for column in each] == [(place, place) for place in range(5)]
    assert each[3].shares == (0.75, *(0.0,) * (BINS - 2), 0.25)
    assert set(each[4].shares) == {0.0}
    # Three steps a column: 0 + 1 + 2 low ones of 6, then 3 of 4.
    few = advantage_columns([made_run("grpo", steps), made_run("grpo", steps, seed=1)], most=2)
    assert [(column.first, column.last) for column in few] == [(0, 2), (3, 4)]
    assert [column.shares[0] for column in few] == [0.5, 0.75]
