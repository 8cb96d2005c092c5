"""A claim is printed only where its declared test allows it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeself.records.comparisons import Difference, EndpointResult
from codeself.records.plan import Endpoint, Side
from codeself.reports.claims import claim, placebo_note

ALPHA, MARGIN = 0.05, 0.03


def result(
    value: float,
    low: float,
    high: float,
    *,
    adjusted: float,
    significant: bool | None = None,
    detectable: float | None = 0.1,
    runs: int = 1,
) -> EndpointResult:
    return EndpointResult(
        endpoint=Endpoint(
            name="grpo-over-base",
            role="gain",
            answers="sampled",
            arm=Side(name="grpo", policies=tuple(f"grpo-seed{n}" for n in range(runs))),
            comparator=Side(name="base", policies=("base",)),
            taskset="families",
            split="test",
            tests="locked",
            test="sign-flip-family",
            planned=None,
        ),
        difference=Difference(value=value, low=low, high=high, method="bca-family"),
        standard_error=0.02,
        p=adjusted / 2,
        p_method="exact",
        p_adjusted=adjusted,
        significant=adjusted <= ALPHA if significant is None else significant,
        detectable=detectable,
        better=0.5,
        tasks=40,
        families=10,
        discordant=None,
    )


def say(found: EndpointResult) -> str:
    return claim(found, alpha=ALPHA, power=0.8, margin=MARGIN).text


shares = st.floats(-0.5, 0.5)


@given(
    st.lists(shares, min_size=3, max_size=3).map(sorted),
    st.floats(0, 1),
    st.booleans(),
    st.one_of(st.none(), st.floats(0, 0.5)),
)
def test_no_word_of_change_without_its_test(
    bounds: list[float], adjusted: float, significant: bool, detectable: float | None
) -> None:
    low, value, high = bounds
    found = result(value, low, high, adjusted=adjusted, significant=significant, detectable=detectable)
    text = say(found)
    passed = significant and adjusted <= ALPHA
    assert ("improved" in text) == (passed and value > 0)
    assert ("worse" in text) == (passed and value < 0)
    assert "unchanged" not in text or (not (passed and value) and -MARGIN < low <= high < MARGIN)
    if not passed and not -MARGIN < low <= high < MARGIN:
        assert "No difference" in text
        small = detectable is None or abs(value) < detectable
        assert ("would often miss" in text) == (small and adjusted > ALPHA)


def test_the_sentences_hold_their_numbers() -> None:
    assert say(result(0.188, 0.145, 0.238, adjusted=1e-6)) == (
        "`grpo` improved on `base` in sampled answers: +18.8\N{NO-BREAK SPACE}points (14.5 to 23.8;"
        " p\N{NO-BREAK SPACE}<\N{NO-BREAK SPACE}0.0001, <\N{NO-BREAK SPACE}0.0001 after Holm)."
    )
    assert "sees differences of 10.0" in say(result(0.04, -0.02, 0.1, adjusted=0.4))
    assert "as large as this test was planned to see" in say(result(0.12, -0.02, 0.2, adjusted=0.06))
    assert "no difference, however large" in say(result(0.04, -0.02, 0.1, adjusted=0.4, detectable=None))


def test_seeds_that_disagree_take_a_claim_away() -> None:
    text = say(result(0.1, -0.05, 0.25, adjusted=0.001, significant=False, runs=3))
    assert "improved" not in text
    assert "training seeds differ so much" in text


@pytest.mark.parametrize(
    ("value", "low", "high", "adjusted", "words"),
    [
        (-0.084, -0.128, -0.05, 1e-6, "lost against `base`, a gain over `grpo` counts that loss as well"),
        (0.05, 0.02, 0.08, 1e-3, "gained on `base` too, a gain over `base` counts what that gained as well"),
        (0.05, -0.02, 0.12, 0.3, None),
        (0.0, -0.01, 0.01, 1.0, None),
    ],
)
def test_what_a_placebo_did_is_said_from_its_own_test(
    value: float, low: float, high: float, adjusted: float, words: str | None
) -> None:
    found = result(value, low, high, adjusted=adjusted, significant=adjusted < ALPHA)
    note = placebo_note(found, alpha=ALPHA, margin=MARGIN)
    assert (note is None) == (words is None)
    assert words is None or words in (note or "")
