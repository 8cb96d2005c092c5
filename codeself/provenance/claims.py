"""What a check found: claims, each with the place of what differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Tier = Literal["bytes", "statistics", "grade", "generate", "train"]
State = Literal[
    "exact",  # the same, to the last byte
    "left out",  # by the config that packed the archive; the manifest has its digest
    "different",
    "missing",
    "added",  # nothing in the record speaks of it
    "unchecked",  # could not be tried
]
ALLOWED: frozenset[State] = frozenset({"exact", "left out"})


@dataclass(frozen=True)
class Claim:
    """One claim of the record, checked. place: what differs and where, or why it could not be tried."""

    tier: Tier
    subject: str
    state: State
    place: str = ""

    @property
    def holds(self) -> bool:
        return self.state in ALLOWED

    def __str__(self) -> str:
        return f"{self.state:<10} {self.subject}" + (f": {self.place}" if self.place else "")


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
    same = type(was) is type(now) and was == now
    return "" if same else f"{path or 'value'} is {_short(now)}, and was {_short(was)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
