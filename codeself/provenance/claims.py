"""What a check found: claims, each with the place of what differs, and what they come to as a whole."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from codeself.records.verification import CheckedClaim, Outcome, State, Tier

# Characters of a value that stand in a line.
_SHOWN = 60
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


def counts_of(claims: Iterable[Claim]) -> dict[Tier, dict[State, int]]:
    """How many claims there are, by tier and state, in the order in which these came."""
    counts: dict[Tier, dict[State, int]] = {}
    for claim in claims:
        own = counts.setdefault(claim.tier, {})
        own[claim.state] = own.get(claim.state, 0) + 1
    return counts


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
    if _same(was, now):
        return ""
    start = 0
    if isinstance(was, str) and isinstance(now, str):
        start = max(0, _parting(was, now) - _SHOWN // 2)
    return f"{path or 'value'} is {_short(now, start)}, and was {_short(was, start)}"


def file_difference(before: bytes, after: bytes) -> str:
    """The place at which two files first differ: a value of JSON, or a line."""
    try:
        if found := difference(json.loads(before), json.loads(after)):
            return found
    except (ValueError, RecursionError):
        pass
    was, now = before.split(b"\n"), after.split(b"\n")
    for number, (old, new) in enumerate(zip(was, now, strict=False), start=1):
        if old != new:
            return f"line {number}{_in_line(old, new)}"
    return f"{len(now)} lines, and were {len(was)}"


def _in_line(old: bytes, new: bytes) -> str:
    try:
        return f": {difference(json.loads(old), json.loads(new))}"
    except (ValueError, RecursionError):
        at = _parting(old, new)
        shown = [line[max(0, at - 20) : at + 20].decode(errors="replace") for line in (new, old)]
        return f": reads '{shown[0]}', and read '{shown[1]}'"


def _same(was: Any, now: Any) -> bool:
    if isinstance(was, float) and isinstance(now, float) and math.isnan(was) and math.isnan(now):
        return True
    return type(was) is type(now) and bool(was == now)


def _parting(was: Sequence[Any], now: Sequence[Any]) -> int:
    """The first place at which two texts differ."""
    pairs = enumerate(zip(was, now, strict=False))
    return next((at for at, pair in pairs if pair[0] != pair[1]), min(len(was), len(now)))


def _short(value: Any, start: int = 0) -> str:
    """As much of a value as a line takes; of a text, from a place on."""
    text = repr(value[start:]) if start else repr(value)
    text = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return f"…{text}" if start else text
