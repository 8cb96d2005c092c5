"""Diagnostics beside the record."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from codeself.learning.writers import numbers_of, open_writers
from codeself.records.errors import InputError
from codeself.records.training import RatioStatistics, StepRecord, StepTiming

RECORD = StepRecord(
    step=3,
    groups=4,
    completions=16,
    reward=0.25,
    reward_deviation=None,
    pass_rate=0.25,
    informative=0.5,
    refills=0,
    wasted=8,
    faulty_groups=0,
    parse_failures=0.0,
    truncated=0.0,
    mean_tokens=9.5,
    sampled_tokens=152,
    endings={"hidden: passed": 4, "public: failed": 12},
    position=16,
    learning_rate=1e-5,
    updates=1,
    learned_completions=8,
    learned_tokens=80,
    advantages=(0,) * 12,
    loss=0.125,
    gradient_norm=2.0,
    entropy=1.5,
    ratio=RatioStatistics(
        mean=1.0, deviation=0.0, least=1.0, greatest=1.0, clipped_low=0.0, clipped_high=0.5, divergence=0.0
    ),
)
TIMING = StepTiming(
    step=3,
    sampling=1.0,
    judging=0.5,
    updating=2.0,
    sampled_tokens_per_second=152.0,
    learned_tokens_per_second=40.0,
    peak_memory_mb=100.0,
)


def test_every_number_has_a_name() -> None:
    numbers = numbers_of(RECORD, TIMING)
    assert numbers["practice/reward"] == 0.25
    assert numbers["practice/ratio/clipped_high"] == 0.5
    assert numbers["practice/endings/public: failed"] == 12
    assert numbers["seconds/judging"] == 0.5
    assert not {"practice/step", "practice/reward_deviation", "practice/critic", "practice/advantages"} & set(
        numbers
    )
    assert all(isinstance(number, int | float) for number in numbers.values())


def test_tensorboard_reads_what_was_written(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (writer,) = open_writers(["tensorboard"], tmp_path, "grpo-seed0", {"steps": 4})
    for step in (0, 1):
        writer.log(step, numbers_of(RECORD, TIMING))
    writer.close()
    found = EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    assert [(event.step, event.value) for event in found.Scalars("practice/reward")] == [(0, 0.25), (1, 0.25)]
    assert "seconds/updating" in found.Tags()["scalars"]


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_a_writer_that_is_not_installed_is_one_line(tmp_path: Path, name: str) -> None:
    if importlib.util.find_spec(name):
        pytest.skip(f"{name} is installed here")
    with pytest.raises(
        InputError, match=rf"^practice\.writers: {name} is asked for and not installed"
    ) as error:
        open_writers([name], tmp_path, "run", {})
    assert str(error.value).endswith(f"pip install {name}")
    assert "\n" not in str(error.value)


def test_no_writer_is_no_folder(tmp_path: Path) -> None:
    assert open_writers([], tmp_path / "watch", "run", {}) == []
    assert list(tmp_path.iterdir()) == []
