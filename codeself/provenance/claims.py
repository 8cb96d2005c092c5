"""What a check found: claims, each with the place of what differs, and what they come to as a whole."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from codeself.records.verification import CheckedClaim, Outcome, State, Tier

# What is said of a record that is what it claims to be.
HOLDING: frozenset[State] = frozenset({"exact", "within interval", "left out", "exempt"})


@dataclass(frozen=True)
class Claim:
    """One claim of the record, checked. place: what differs and where, or why it could not be tried."""

    tier: Tier
    subject: str
    state: State
    place: str = ""

    @property
    def holds(self) -> bool:
        return self.state in HOLDING

    def __str__(self) -> str:
        return printable(f"{self.state:<15} {self.subject}" + (f": {self.place}" if self.place else ""))

    def to_record(self) -> CheckedClaim:
        return CheckedClaim(tier=self.tier, subject=self.subject, state=self.state, place=self.place)


def outcome_of(claims: Iterable[Claim]) -> Outcome:
    """One claim that differs is enough; what could not be tried is no difference, and no proof either."""
    states = {claim.state for claim in claims}
    if states - HOLDING - {"unchecked"}:
        return "differs"
    return "not all checked" if "unchecked" in states else "holds"


def printable(text: str) -> str:
    """The text of an archive as a terminal may have it: what would steer the terminal is escaped."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def difference(was: Any, now: Any, path: str = "") -> str:
    """The path of the first value that differs between two pieces of JSON data, with both; empty for none."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in [*was, *(key for key in now if key not in was)]:
            inner = f"{path}.{key}".lstrip(".")
            if key not in now or key not in was:
                return f"{inner} is {'gone' if key in was else 'new'}"
            if found := difference(was[key], now[key], inner):
                return found
        return ""
    if isinstance(was, list) and isinstance(now, list):
        for at, pair in enumerate(zip(was, now, strict=False)):
            if found := difference(*pair, f"{path}[{at}]"):
                return found
        return "" if len(was) == len(now) else f"{path} has {len(now)} values, and had {len(was)}"
    return "" if _same(was, now) else f"{path or 'value'} is {_short(now)}, and was {_short(was)}"


def _same(was: Any, now: Any) -> bool:
    if isinstance(was, float) and isinstance(now, float) and math.isnan(was) and math.isnan(now):
        return True
    return type(was) is type(now) and bool(was == now)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
