"""Rewards: correctness outranks everything, and a fault of ours is never a wrong answer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeself.records.digests import sha256_file
from codeself.records.errors import InfrastructureError, InputError
from codeself.records.verdicts import PHASES, Candidate, PhaseResult, Verdict
from codeself.rewards import (
    Reward,
    is_infrastructure,
    load_reward,
    reward_file_digest,
    reward_v0_correctness,
)

STATUSES = ("passed", "failed", "error", "timeout", "memory", "output", "crashed", "refused", "skipped")


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    """Any verdict without an infrastructure fault, in all combinations that agree with themselves."""
    phases = {}
    for phase in PHASES:
        total = draw(st.integers(0, 50))
        status = draw(st.sampled_from(STATUSES))
        phases[phase] = PhaseResult(status=status, total=total, passed=draw(st.integers(0, total)))
    correct = phases["hidden"].status == "passed" and draw(st.booleans())
    parsed = draw(st.sampled_from(("parsed", "empty", "no_code", "truncated")))
    return Verdict(
        task_id="t",
        candidate=Candidate(status=parsed),
        isolation="limits",
        phases=phases,
        decided_by="hidden",
        status=phases["hidden"].status,
        correct=correct,
        correct_locked=draw(st.sampled_from((None, True, False))),
    )


def verdict(**changes: object) -> Verdict:
    fields = {
        "task_id": "t",
        "rollout_id": "r",
        "candidate": Candidate(status="parsed", program="x = 1"),
        "isolation": "limits",
        "phases": {"hidden": PhaseResult(status="passed", passed=3, total=3)},
        "decided_by": "hidden",
        "status": "passed",
        "correct": True,
    }
    return Verdict(**(fields | changes))


@given(verdicts(), verdicts())
def test_a_right_candidate_earns_more_than_any_wrong_one(one: Verdict, other: Verdict) -> None:
    first, second = reward_v0_correctness(one), reward_v0_correctness(other)
    if one.correct and not other.correct:
        assert first.value > second.value
    if one.correct == other.correct:
        assert first.value == second.value


@given(verdicts())
def test_a_reward_is_one_or_nothing_and_its_diagnostics_are_shares(one: Verdict) -> None:
    reward = reward_v0_correctness(one)
    assert reward.value == (1.0 if one.correct else 0.0)
    assert all(0 <= value <= 1 for value in reward.components.values())


@given(verdicts())
def test_locked_tests_pay_nothing(one: Verdict) -> None:
    hidden_away = one.model_copy(
        update={
            "correct_locked": None,
            "phases": {name: result for name, result in one.phases.items() if name != "locked"},
        }
    )
    assert reward_v0_correctness(one) == reward_v0_correctness(hidden_away)


@pytest.mark.parametrize("phase", PHASES)
def test_an_infrastructure_fault_in_any_phase_has_no_reward(phase: str) -> None:
    faulty = verdict(phases={phase: PhaseResult(status="infrastructure")}, correct=False)
    assert is_infrastructure(faulty)
    with pytest.raises(InfrastructureError, match=r"rollout 'r'.*has no reward"):
        reward_v0_correctness(faulty)


def test_a_verdict_that_contradicts_itself_is_not_paid() -> None:
    with pytest.raises(InputError, match="says correct, but its hidden phase ended as 'failed'"):
        reward_v0_correctness(verdict(phases={"hidden": PhaseResult(status="failed")}))
    with pytest.raises(InputError, match="hidden phase was not run"):
        reward_v0_correctness(verdict(phases={}))


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "my_rewards.py").write_text(
        "from codeself.rewards import Reward\n"
        "def half(verdict): return Reward(value=0.5 * verdict.correct, components={})\n"
        "def endless(verdict): return Reward(value=float('inf'), components={})\n"
        "def number(verdict): return 1.0\n"
        "def broken(verdict): raise KeyError('gone')\n"
        "constant = 3\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_rewards", raising=False)
    return "my_rewards"


def test_a_reward_of_ones_own_is_loaded_by_module_and_name(own_module: str) -> None:
    assert load_reward(f"{own_module}:half")(verdict()) == Reward(value=0.5, components={})
    assert load_reward("reward_v0_correctness") is reward_v0_correctness


def test_a_reward_of_ones_own_cannot_pay_for_an_infrastructure_fault(own_module: str) -> None:
    faulty = verdict(phases={"import": PhaseResult(status="infrastructure")}, correct=False)
    with pytest.raises(InfrastructureError):
        load_reward(f"{own_module}:half")(faulty)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("reward_v9", "neither one of reward_v0_correctness nor of the form module:function"),
        (":f", "nor of the form module:function"),
        ("no_such_module:f", "cannot be imported: ModuleNotFoundError"),
        ("my_rewards:absent", "has no such name"),
        ("my_rewards:constant", "holds a int there"),
    ],
)
def test_a_name_that_is_no_reward_is_one_clear_line(own_module: str, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load_reward(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("endless", "expected a finite number"),
        ("number", "returned a float"),
        ("broken", "failed on rollout 'r'"),
    ],
)
def test_what_a_reward_of_ones_own_returns_is_checked(own_module: str, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_reward(f"{own_module}:{name}")(verdict())


def test_a_reward_of_ones_own_is_known_by_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    module = tmp_path / "paying.py"
    module.write_text("raise RuntimeError('found, not run')\n")
    first = reward_file_digest("paying:reward")
    assert first == sha256_file(module)
    module.write_text("# other\n")
    assert reward_file_digest("paying:reward") != first
    assert reward_file_digest("reward_v0_correctness") == ""
    with pytest.raises(InputError, match="module 'paying_nothing' cannot be found"):
        reward_file_digest("paying_nothing:reward")
