"""Every attack fails, every honest oddity passes, and the judge serves the next candidate as if nothing had been."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from codeself.records.errors import InfrastructureError
from codeself.records.verdicts import Verdict
from codeself.sandbox.zygote_process import ZygoteProcess
from tests.attacks import (
    benign,
    contaminating,
    crashing,
    escaping,
    evading,
    exhausting,
    forging,
    host,
    leaking,
)
from tests.attacks.cases import ROOMY, TIGHT, Case
from tests.attacks.judging import Host, judged
from tests.attacks.judging import host as set_up

SUITES = (forging, leaking, escaping, exhausting, evading, contaminating, crashing, host)
ATTACKS = [
    pytest.param(suite.__name__, case, id=f"{suite.__name__.rpartition('.')[2]}: {case.name}")
    for suite in SUITES
    for case in suite.ATTACKS
]


@pytest.fixture(scope="module")
def machine() -> Iterator[Host]:
    with set_up() as machine:
        yield machine


@pytest.fixture(scope="module")
def outcomes(machine):
    """A suite's verdicts: all are judged at the first question, so that two judges share the work."""

    @cache
    def of(suite: str) -> dict[str, tuple[Verdict, Verdict]]:
        module = next((module for module in SUITES if module.__name__ == suite), None)
        cases = benign.PROGRAMS if module is None else module.ATTACKS
        # A pair must meet the same judge.
        workers = 1 if module is contaminating else 2
        filled = [machine.filled_in(case) for case in cases]
        return {
            case.name: (verdict, honest)
            for case, verdict, honest in judged(filled, "strict", ROOMY if module is None else TIGHT, workers)
        }

    try:
        ZygoteProcess("strict", TIGHT).close()
    except InfrastructureError as error:
        pytest.skip(f"this machine does not offer strict: {error}")
    return of


@pytest.mark.parametrize(("suite", "case"), ATTACKS)
def test_an_attack_gains_nothing(outcomes, suite: str, case: Case):
    verdict, honest = outcomes(suite)[case.name]
    decided = verdict.phases[verdict.decided_by]
    assert not verdict.correct, case.must_not
    assert verdict.status != "infrastructure", f"spared its zero: {decided.detail}"
    assert verdict.isolation == "strict"
    if case.unsaid:
        silent = verdict.candidate.model_copy(update={"program": ""})
        assert case.unsaid not in verdict.model_copy(update={"candidate": silent}).model_dump_json()
    assert honest.correct, f"the honest candidate after it: {honest.phases[honest.decided_by].detail}"


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in benign.PROGRAMS])
def test_an_honest_oddity_passes(outcomes, case: Case):
    verdict, _ = outcomes("benign")[case.name]
    assert verdict.correct, verdict.phases[verdict.decided_by]


def test_the_host_is_as_it_was(outcomes, machine: Host):
    for suite in SUITES:
        outcomes(suite.__name__)
    assert machine.troubles() == []


def test_names_are_unique_so_that_no_case_hides_another():
    for cases in (*(suite.ATTACKS for suite in SUITES), benign.PROGRAMS):
        names = [case.name for case in cases]
        assert len(names) == len(set(names))
