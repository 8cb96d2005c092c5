"""A verdict: what the judge found about one candidate, phase by phase."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from codeself.records.base import Record

Phase = Literal["parse", "scan", "syntax", "import", "public", "hidden", "locked"]
PHASES: tuple[Phase, ...] = ("parse", "scan", "syntax", "import", "public", "hidden", "locked")

Status = Literal[
    "passed",  # every test of the phase
    "failed",  # a wrong answer
    "error",  # the candidate raised
    "timeout",  # CPU or wall limit
    "memory",  # memory limit
    "output",  # too much output, or a value too large or not readable as data
    "crashed",  # the candidate's process ended before it answered
    "refused",  # by the scan's policy
    "skipped",  # an earlier phase decided, or the phase has no tests
    "infrastructure",  # a fault of ours: never scored
]

ParseStatus = Literal[
    "parsed",
    "empty",  # nothing but white space
    "no_code",  # prose alone
    "no_entry_point",  # code that does not define the entry point
    "truncated",  # cut off by the token budget, and not whole without its last line
    "invalid_syntax",  # code that Python cannot parse
]

IsolationLevel = Literal["none", "limits", "restricted", "strict"]


class Candidate(Record):
    """The program parsed out of a completion. program is empty unless status is "parsed"."""

    status: ParseStatus
    program: str = ""
    source: str = ""  # where in the completion it was found: "fence", "bare", "continuation"


class PhaseResult(Record):
    """How a phase ended. passed and total count tests; detail is for people, trimmed, and free of host facts."""

    status: Status
    passed: int = Field(default=0, ge=0)
    total: int = Field(default=0, ge=0)
    detail: str = ""


class ScanFinding(Record):
    """Something that the static scan noticed."""

    rule: str
    line: int
    detail: str


class Verdict(Record):
    """The judge's result for one candidate.

    decided_by: the phase that ended the judging: the first that did not pass, or the last that ran.
    status: of that phase. correct: every hidden test passed (public ones too, where there are any).
    correct_locked: None where locked tests were not run.
    """

    task_id: str
    rollout_id: str = ""
    candidate: Candidate
    isolation: IsolationLevel
    phases: dict[Phase, PhaseResult]
    findings: tuple[ScanFinding, ...] = ()
    decided_by: Phase
    status: Status
    correct: bool
    correct_locked: bool | None = None
