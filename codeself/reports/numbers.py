"""Numbers as a reader meets them: one way to write a share, a gain, an interval and a count."""

from __future__ import annotations

from codeself.records.metrics import Estimate

MINUS, DASH, SPACE = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{NO-BREAK SPACE}"


def percent(share: float) -> str:
    """A share with one decimal: 32.5 %."""
    return f"{_fixed(100 * share)}{SPACE}%"


def level(confidence: float) -> str:
    """A confidence level, without a decimal that says nothing: 95 %."""
    return f"{100 * confidence:g}{SPACE}%"


def points(gain: float) -> str:
    """A difference of shares, in percentage points: 6.9 points."""
    return f"{_fixed(100 * gain)}{SPACE}points"


def interval(estimate: Estimate) -> str:
    """The bounds of an estimate, with an en dash between them."""
    return f"{_fixed(100 * estimate.low)}{DASH}{_fixed(100 * estimate.high)}{SPACE}%"


def with_interval(estimate: Estimate) -> str:
    """An estimate and its bounds, for running text."""
    return f"{percent(estimate.value)} ({interval(estimate)})"


def count(number: int, singular: str = "", plural: str = "") -> str:
    """A count with thousands set apart, and its noun in the right form."""
    digits = f"{number:,}"
    if not singular:
        return digits
    return f"{digits} {singular if number == 1 else plural or singular + 's'}"


def decimal(number: float, places: int = 1) -> str:
    return _fixed(number, places)


def share_of(part: int, whole: int) -> str:
    """A part of a whole with both numbers: 40 of 160 (25.0 %)."""
    return f"{count(part)} of {count(whole)} ({percent(part / whole if whole else 0.0)})"


def listed(items: list[str]) -> str:
    """Items as a sentence lists them: a, b and c."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def _fixed(number: float, places: int = 1) -> str:
    text = f"{number:,.{places}f}"
    if float(text.replace(",", "")) == 0:
        return text.lstrip("-")  # no minus zero
    return text.replace("-", MINUS)
