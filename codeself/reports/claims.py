"""Claims: every sentence that says improved, worse or unchanged, each made from one declared test and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from codeself.records.comparisons import Difference, EndpointResult
from codeself.reports.numbers import SPACE, count, decimal, level, points

Finding = Literal["improved", "worse", "unchanged", "not shown", "too small to see"]


@dataclass(frozen=True)
class Claim:
    """What may be said of one endpoint."""

    finding: Finding
    text: str


def claim(result: EndpointResult, *, alpha: float, power: float, margin: float) -> Claim:
    """The claim that a tested endpoint allows.

    "improved" and "worse" take a test that passed after Holm's adjustment; "unchanged" takes an interval that
    lies within the margin declared for it. Anything else was not shown, and where the observed difference is
    below what the design sees with the planned power, that is said.
    """
    finding = find(result, alpha=alpha, margin=margin)
    found, endpoint = result.difference, result.endpoint
    arm, other = f"`{endpoint.arm.name}`", f"`{endpoint.comparator.name}`"
    what = "greedy answers" if endpoint.answers == "greedy" else "sampled answers"
    numbers = (
        f"{signed(found.value)} ({level_free(found)}; p{SPACE}{p_value(result.p)},"
        f" {bare_p(result.p_adjusted)} after Holm)"
    )
    if finding == "improved":
        return Claim(finding, f"{arm} improved on {other} in {what}: {numbers}.")
    if finding == "worse":
        return Claim(finding, f"{arm} is worse than {other} in {what}: {numbers}.")
    if finding == "unchanged":
        return Claim(
            finding,
            f"{arm} is unchanged from {other} in {what}: {numbers}, the whole interval within"
            f" {points(margin)} of 0, the declared margin.",
        )
    start = f"No difference between {arm} and {other} is shown in {what}: {numbers}."
    if result.p_adjusted <= alpha:
        return Claim(
            finding,
            f"{start} The test over families passed, but training seeds differ so much that the interval, in"
            " which they count as draws, holds 0 or the other side.",
        )
    if finding == "too small to see":
        sees = (
            f"differences of {points(result.detectable)} or more"
            if result.detectable is not None
            else "no difference, however large,"
        )
        return Claim(
            finding,
            f"{start} This test sees {sees} with power {level(power)} at its strictest step; it would often miss an"
            " effect of the size observed.",
        )
    return Claim(
        finding,
        f"{start} The observed difference is as large as this test was planned to see, and still did not pass.",
    )


def find(result: EndpointResult, *, alpha: float, margin: float) -> Finding:
    """Which of the five findings it is."""
    found = result.difference
    if result.significant and result.p_adjusted <= alpha and found.value != 0:
        return "improved" if found.value > 0 else "worse"
    if -margin < found.low and found.high < margin:
        return "unchanged"
    if result.detectable is None or abs(found.value) < result.detectable:
        return "too small to see"
    return "not shown"


def runs_note(results: list[EndpointResult]) -> str:
    """What the number of training runs lets the claims speak of."""
    runs = max(len(result.endpoint.arm.policies) for result in results)
    if runs == 1:
        return (
            "Each arm was trained once: the tests are about these trained policies on ideas like these, not about"
            " what another training run would give."
        )
    return (
        f"Each arm was trained {count(runs, 'time')}: intervals take training seeds as draws as well, and a test"
        " counts as passed only where its interval leaves 0 out too."
    )


def placebo_note(result: EndpointResult, *, alpha: float, margin: float) -> str | None:
    """What a placebo's own tested move from the base says of the gains over either; None where none was shown."""
    placebo, base = f"`{result.endpoint.arm.name}`", f"`{result.endpoint.comparator.name}`"
    finding = find(result, alpha=alpha, margin=margin)
    if finding == "worse":
        return (
            f"As {placebo} lost against {base}, a gain over {placebo} counts that loss as well: the gain over {base} is"
            " the smaller of the two, and the one to quote."
        )
    if finding == "improved":
        return (
            f"As {placebo} gained on {base} too, a gain over {base} counts what that gained as well: the gain over"
            f" {placebo} is the smaller of the two, and the one to quote."
        )
    return None


def signed(difference: float) -> str:
    """A difference in points with its sign: +6.9 points."""
    return ("+" if difference > 0 else "") + points(difference)


def level_free(difference: Difference) -> str:
    """The bounds of a difference, in points: 2.1 to 9.4."""
    return f"{decimal(100 * difference.low)} to {decimal(100 * difference.high)}"


def with_bounds(difference: Difference) -> str:
    """A difference and its bounds, for tables."""
    return f"{signed(difference.value)} ({level_free(difference)})"


def p_value(p: float) -> str:
    """A p-value with its sign: = 0.031, or < 0.0001."""
    if p < 0.0001:
        return f"<{SPACE}0.0001"
    return f"={SPACE}{p:.4f}" if p < 0.001 else f"={SPACE}{p:.3f}"


def bare_p(p: float) -> str:
    """A p-value for a cell: without the equals sign."""
    return p_value(p).removeprefix(f"={SPACE}")
