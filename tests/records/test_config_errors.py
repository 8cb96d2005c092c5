"""A config that cannot be used is one line that names the key."""

from __future__ import annotations

from typing import Any

import pytest

from codeself.records.config import parse_config
from codeself.records.datasets import DatasetFile, SplitConfig
from codeself.records.errors import InputError


def config(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "tasksets": {"families": {"format": "families"}},
        "policies": {"mock": {"backend": "mock"}},
        "base": "mock",
        "evaluations": [{"taskset": "families"}],
    }
    return base | changes


def test_a_small_config_is_enough() -> None:
    parsed = parse_config(config(), "c.yaml")
    assert parsed.evaluations[0].split == "test"
    assert parsed.tasksets["families"].splits == SplitConfig()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tasksetz": {}}, "tasksetz: is not a known key"),
        ({"base": "gpt"}, "'gpt' is not under policies"),
        ({"evaluations": []}, "evaluations: "),
        ({"evaluations": [{"taskset": "mbpp"}]}, "'mbpp' is not under tasksets"),
        ({"tasksets": {"m": {"format": "mbpp"}}}, "needs a tasks file"),
        ({"policies": {"M": {"backend": "mock"}}, "base": "M"}, "must be lower case"),
        (
            {"policies": {"mock": {"backend": "mock", "right": 2}}},
            r"policies\.mock\.mock\.right: .*\(found 2\)",
        ),
        ({"sampling": {"samples": 4}}, "needs at least as many samples"),
        ({"sampling": {"samples": 0, "greedy": False}}, "samples must be at least 1"),
        ({"seed": "now"}, "seed: .*integer.*found 'now'"),
        (
            {"tasksets": {"families": {"format": "families", "permuted": True}}},
            "permuted takes examples: 2 or more",
        ),
        (
            {
                "tasksets": {
                    "m": {"format": "mbpp", "permuted": True, "tasks": {"path": "m", "sha256": "0" * 64}}
                }
            },
            "format mbpp cannot be permuted",
        ),
        ({"locked_reads": ["again", "again"]}, "locked_reads: expected each name once"),
        ({"locked_reads": [""]}, r"locked_reads\.0: "),
    ],
)
def test_the_first_fault_is_named_in_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parse_config(config(**changes), "c.yaml")
    assert str(caught.value).startswith("c.yaml: ")
    assert "\n" not in str(caught.value)


def test_a_dataset_is_pinned() -> None:
    with pytest.raises(ValueError, match="sha256 or a content_sha256"):
        DatasetFile(url="https://example.org/a.jsonl")
    with pytest.raises(ValueError, match="url or a path"):
        DatasetFile(sha256="0" * 64)


@pytest.mark.parametrize("fractions", [{"train": 0.5, "test": 0.4}, {"train": 1.5, "test": -0.5}])
def test_shares_add_up(fractions: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="add up to 1"):
        SplitConfig.model_validate({"fractions": fractions})
