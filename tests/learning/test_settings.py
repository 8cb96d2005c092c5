"""What an arm is told: the config of practice, with what is different for the arm."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from codeself.records.base import describe_validation_error
from codeself.records.practice import PracticeConfig


def config(**changes: Any) -> PracticeConfig:
    return PracticeConfig.model_validate({"arms": ["grpo", "ppo"]} | changes)


def test_an_arms_own_settings_are_merged_into_those_of_all() -> None:
    made = config(
        optimizer={"learning_rate": 1e-4, "epochs": 2},
        overrides={"ppo": {"steps": 5, "optimizer": {"learning_rate": 3e-4}, "lora": {"rank": 4}}},
    )
    grpo, ppo = made.for_arm("grpo"), made.for_arm("ppo")
    assert grpo.optimizer.learning_rate == 1e-4
    assert (ppo.optimizer.learning_rate, ppo.optimizer.epochs, ppo.steps) == (3e-4, 2, 5)
    assert grpo.lora is None
    assert ppo.lora is not None
    assert (ppo.lora.rank, ppo.lora.alpha) == (4, 32)
    told = {"steps": grpo.steps, "optimizer": grpo.optimizer, "lora": None, "overrides": grpo.overrides}
    assert ppo.model_copy(update=told) == grpo


def test_an_override_of_nothing_is_nothing() -> None:
    assert config(overrides={"ppo": {}}).for_arm("ppo").steps == config().steps
    assert config(lora={"rank": 2}, overrides={"ppo": {"lora": None}}).for_arm("ppo").lora is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"overrides": {"ppo": {"step": 1}}}, r"overrides\.ppo\.step: is not a known key"),
        ({"overrides": {"ppo": {"loss": {"clip": 1}}}}, r"overrides\.ppo\.loss\.clip: is not a known key"),
        ({"overrides": {"ppo": {"steps": 0}}}, r"overrides\.ppo\.steps: .*\(found 0\)"),
        ({"overrides": {"ppo": {"loss": 3}}}, r"overrides\.ppo\.loss: .*\(found 3\)"),
        ({"overrides": {"ppo": {"arms": ["ppo"]}}}, r"overrides\.ppo\.arms: is the same for all arms"),
        ({"overrides": {"ppo": {"seeds": 3}}}, r"overrides\.ppo\.seeds: is the same for all arms"),
        ({"overrides": {"sft": {}}}, r"overrides\.sft"),
        ({"arms": ["grpo", "sft"]}, r"arms\.1: .*\(found 'sft'\)"),
        ({"arms": ["grpo", "grpo"]}, r"arms: expected one or more, each once, not \['grpo', 'grpo'\]"),
        ({"seeds": [1, 1]}, r"seeds: expected one or more, each once"),
        ({"seeds": []}, r"seeds: expected one or more, each once"),
        ({"seeds": 0}, r"seeds: is 0; expected at least one seed"),
        ({"samples": 1}, r"samples: .*\(found 1\)"),
        ({"trainer": "trl"}, r"trainer: trl knows arm grpo alone"),
        (
            {"optimizer": {"minibatches": 9}, "prompts_per_step": 8},
            r"optimizer\.minibatches: 9 of 8 groups; expected at most one for each of prompts_per_step",
        ),
        ({"temperature": 0}, r"temperature: .*\(found 0\)"),
    ],
)
def test_a_bad_key_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as error:
        config(**changes)
    text = describe_validation_error(error.value)
    assert "\n" not in text
    assert re.search(words, text), text


def test_seeds_are_counted_or_named() -> None:
    assert config(seeds=3).training_seeds == (0, 1, 2)
    assert config(seeds=[7, 5]).training_seeds == (7, 5)
