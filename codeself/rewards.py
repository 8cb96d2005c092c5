"""Rewards: versioned functions of a verdict.

A reward looks at nothing but the verdict. A verdict of status infrastructure is a fault of ours and has no
reward: asking for one is an error, so that it can never be mistaken for a wrong answer.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Callable
from pathlib import Path

from codeself.records.base import Record
from codeself.records.digests import sha256_file
from codeself.records.errors import InfrastructureError, InputError
from codeself.records.verdicts import Verdict


class Reward(Record):
    """value: what practice maximises. components: what it was made of, and diagnostics that it was not made
    of.
    """

    value: float
    components: dict[str, float]


RewardFunction = Callable[[Verdict], Reward]


def is_infrastructure(verdict: Verdict) -> bool:
    """Whether a fault of ours, in any phase, left this candidate without a full verdict."""
    return verdict.status == "infrastructure" or any(
        phase.status == "infrastructure" for phase in verdict.phases.values()
    )


def reward_v0_correctness(verdict: Verdict) -> Reward:
    """1 for a candidate that passes every public and hidden test, 0 for any other.

    Correctness and nothing else: no share of tests, no length, no style. A wrong program that passes 9
    tests of 10 earns what an empty one earns, so there is nothing to gain but solving the task. How far a
    candidate came is in the components, for people: parsed, public_share and hidden_share (0 where a phase
    did not run). Raises InfrastructureError for a verdict without a result, InputError for one that
    contradicts itself.
    """
    _refuse_infrastructure(verdict)
    hidden = verdict.phases.get("hidden")
    if verdict.correct and (hidden is None or hidden.status != "passed"):
        found = "was not run" if hidden is None else f"ended as '{hidden.status}'"
        raise InputError(
            f"verdict on {_name(verdict)}: says correct, but its hidden phase {found}; it cannot be paid for"
        )
    correctness = 1.0 if verdict.correct else 0.0
    return Reward(
        value=correctness,
        components={
            "correctness": correctness,
            "parsed": 1.0 if verdict.candidate.status == "parsed" else 0.0,
            "public_share": _share(verdict, "public"),
            "hidden_share": _share(verdict, "hidden"),
        },
    )


REWARDS: dict[str, RewardFunction] = {"reward_v0_correctness": reward_v0_correctness}


def load_reward(name: str) -> RewardFunction:
    """The reward of that name, or a function of yours, named as module:function.

    What comes back refuses infrastructure verdicts and values that are not finite numbers, whoever wrote it.
    """
    if name in REWARDS:
        return REWARDS[name]
    module_name, colon, attribute = name.partition(":")
    if not colon or not module_name or not attribute:
        raise InputError(
            f"reward '{name}': is neither one of {', '.join(REWARDS)} nor of the form module:function"
        )
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise InputError(
            f"reward '{name}': module '{module_name}' cannot be imported: {type(error).__name__}:"
            f" {_line(error)}"
        ) from error
    function = getattr(module, attribute, None)
    if not callable(function):
        found = "has no such name" if function is None else f"holds a {type(function).__name__} there"
        raise InputError(f"reward '{name}': module '{module_name}' {found}; expected a function of a verdict")
    return _checked(name, function)


def reward_file_digest(name: str) -> str:
    """sha256 of the file of a reward of your own; empty for one of REWARDS, whose name tells its version.

    The module is found, not run. Raises InputError where it is not to be found.
    """
    if name in REWARDS:
        return ""
    module = name.partition(":")[0]
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError) as error:
        raise InputError(f"reward '{name}': module '{module}' cannot be found: {_line(error)}") from error
    if spec is None or spec.origin is None:
        raise InputError(f"reward '{name}': module '{module}' cannot be found, or is no file")
    return sha256_file(Path(spec.origin))


def _checked(name: str, function: Callable[[Verdict], object]) -> RewardFunction:
    def checked(verdict: Verdict) -> Reward:
        _refuse_infrastructure(verdict)
        try:
            reward = function(verdict)
        except Exception as error:
            raise InputError(
                f"reward '{name}': failed on {_name(verdict)}: {type(error).__name__}: {_line(error)}"
            ) from error
        if not isinstance(reward, Reward):
            raise InputError(
                f"reward '{name}': returned a {type(reward).__name__} for {_name(verdict)}; expected a"
                " codeself.rewards.Reward"
            )
        if not math.isfinite(reward.value):
            raise InputError(
                f"reward '{name}': is {reward.value} for {_name(verdict)}; expected a finite number"
            )
        return reward

    return checked


def _refuse_infrastructure(verdict: Verdict) -> None:
    if is_infrastructure(verdict):
        raise InfrastructureError(
            f"verdict on {_name(verdict)}: is an infrastructure fault, so it has no reward; judge it again"
        )


def _share(verdict: Verdict, phase: str) -> float:
    result = next((found for name, found in verdict.phases.items() if name == phase), None)
    return result.passed / result.total if result is not None and result.total else 0.0


def _name(verdict: Verdict) -> str:
    return f"rollout '{verdict.rollout_id}'" if verdict.rollout_id else f"task '{verdict.task_id}'"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
