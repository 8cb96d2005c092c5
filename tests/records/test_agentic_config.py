"""The part of the config that attempts are told: what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from codeself.records.config import parse_config
from codeself.records.errors import InputError


@pytest.fixture
def config(root: Path) -> dict[str, Any]:
    return yaml.safe_load((root / "config" / "config.yaml").read_text())


def test_nobody_attempts_unless_named(config: dict[str, Any]) -> None:
    del config["agentic"]
    assert parse_config(config, "made").agentic.policies == ()


@pytest.mark.parametrize(
    ("agentic", "words"),
    [
        (
            {"policies": ["base", "grpo-seed7"]},
            r"agentic.policies: 'grpo-seed7' is none of .*\(base, grpo-seed0",
        ),
        ({"policies": ["base", "base"]}, "expected each once"),
        ({"policies": ["base"], "taskset": "mpbb"}, "agentic.taskset: 'mpbb' is not under tasksets"),
        ({"policies": ["base"], "tokens": 63}, r"agentic.tokens: 63 do not hold one answer .* \(64\)"),
        ({"policies": ["base"], "rule": "best"}, "agentic.rule"),
        ({"polices": ["base"]}, "agentic.polices: is not a known key"),
    ],
    ids=["no such policy", "twice", "no such task set", "too few tokens", "no such rule", "unknown key"],
)
def test_what_cannot_be_meant_is_refused(config: dict[str, Any], agentic: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_config(config | {"agentic": agentic}, "made")
