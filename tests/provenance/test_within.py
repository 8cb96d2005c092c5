"""Numbers that are made anew are held against the recorded ones' own intervals."""

from __future__ import annotations

import pytest

from codeself.provenance.within import estimates, follow_up, settle
from codeself.records.manifest import Job


@pytest.mark.parametrize(
    ("again", "state"),
    [
        (0.5, "exact"),
        (0.4, "within interval"),
        (0.7, "within interval"),
        (0.39, "different"),
        (None, "different"),
    ],
)
def test_a_number_is_within_its_interval_ends_and_all(again: float | None, state: str) -> None:
    found, words = settle(0.5, 0.4, 0.7, again)
    assert found == state
    assert ("was 0.5 in 0.4 to 0.7" in words) == (state != "exact")


def test_every_number_that_has_an_interval_is_found_and_no_other() -> None:
    rate = {"value": 0.5, "low": 0.25, "high": 0.75, "method": "bca"}
    data = {
        "outcomes": [{"greedy": None, "pass_at_k": [{"k": 1, "estimate": rate}]}],
        "value": 3,
        "rate": rate,
    }
    assert list(estimates(data)) == [
        (("outcomes", 0, "pass_at_k", 0, "estimate", "value"), 0.5, 0.25, 0.75),
        (("rate", "value"), 0.5, 0.25, 0.75),
    ]


def job(command: str, inputs: str, outputs: str) -> Job:
    return Job(
        rule=command,
        command=("codeself", command),
        code="",
        inputs=tuple(inputs.split()),
        outputs=tuple(outputs.split()),
    )


def test_what_follows_from_a_change_is_made_in_its_order_and_nothing_else() -> None:
    jobs = [
        job("compare", "a.metrics b.metrics", "comparison"),
        job("evaluate", "a.rollouts a.verdicts", "a.metrics"),
        job("evaluate", "b.rollouts b.verdicts", "b.metrics"),
        job("judge", "a.rollouts", "a.verdicts"),
        job("judge", "b.rollouts", "b.verdicts"),
        job("report", "comparison", "page"),
    ]
    found = follow_up(jobs, ["a.rollouts"], ("judge", "evaluate", "compare"))
    assert [each.outputs for each in found] == [("a.verdicts",), ("a.metrics",), ("comparison",)]
    assert follow_up(jobs, ["page"], ("judge", "evaluate", "compare")) == []
