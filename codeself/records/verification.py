"""What a check of an archive found, for programs to read: codeself verify --json."""

from __future__ import annotations

from typing import Literal

from codeself.records.base import Record

Tier = Literal["bytes", "statistics", "grade", "generate", "train", "against"]
State = Literal[
    "exact",  # the same, to the last byte
    "within interval",  # a number made anew lies inside the recorded number's own interval
    "left out",  # by the config that packed the archive; the manifest has its digest
    "exempt",  # of times and of the host: no part of the record
    "different",
    "missing",
    "added",  # nothing in the record speaks of it
    "unchecked",  # could not be tried
]
Outcome = Literal["holds", "differs", "not all checked"]
# 2 is for what is no record at all.
EXIT_CODES: dict[Outcome, int] = {"holds": 0, "differs": 1, "not all checked": 3}


class CheckedClaim(Record):
    """subject: a file of the record, or a value in one. place: what differs and where, or why it was not tried."""

    tier: Tier
    subject: str
    state: State
    place: str


class Verification(Record):
    """One check.

    record: what was checked, by its name. sha256: of the archive, empty for a folder. tier: how far it went. root: the
    manifest's, empty where there was none to read. recorded_commit, commit: of the code that made the record, and of
    the code that checked it; empty outside a checkout. counts: claims by tier and state.
    """

    format: str = "codeself-verification-1"
    record: str
    sha256: str
    tier: Tier
    outcome: Outcome
    exit_code: int
    root: str
    recorded_commit: str
    commit: str
    counts: dict[Tier, dict[State, int]]
    claims: tuple[CheckedClaim, ...]
