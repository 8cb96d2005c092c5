"""States appear whole or not at all, and belong to one run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from codeself.learning.checkpoints import Checkpoint, Checkpoints


def state(step: int) -> Checkpoint:
    return Checkpoint(step, ({}, {"weights": [0.1 + 0.2, 1e-300, step]}), {"records": [{"loss": 1 / 3}]})


def test_the_newest_state_comes_back_as_it_was_and_is_alone(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path / "state", "a")
    assert kept.newest() is None
    for step in (2, 4, 10):
        kept.keep(state(step))
    assert kept.newest() == state(10)
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["step-000010"]
    kept.keep(state(10))
    assert kept.newest() == state(10)
    kept.remove()
    assert list(tmp_path.iterdir()) == []


def test_arrays_come_back_bit_for_bit(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    arrays = {
        "weight": torch.randn(3, 5),
        "step": torch.tensor(7.0),
        "half": torch.randn(4).to(torch.bfloat16),
        "rng": torch.get_rng_state(),
    }
    Checkpoints(tmp_path, "a").keep(Checkpoint(3, (arrays, {}), {}))
    found = Checkpoints(tmp_path, "a").newest()
    assert found is not None
    assert found.learner[0].keys() == arrays.keys()
    for name, array in arrays.items():
        assert found.learner[0][name].dtype == array.dtype
        assert torch.equal(found.learner[0][name], array)


def test_a_state_of_another_run_is_passed_over(tmp_path: Path) -> None:
    Checkpoints(tmp_path, "a").keep(state(2))
    assert Checkpoints(tmp_path, "b").newest() is None
    assert Checkpoints(tmp_path, "a").newest() == state(2)


@pytest.mark.parametrize("damage", ["unfinished", "half", "nothing", "other"])
def test_what_is_no_whole_state_is_passed_over_for_the_one_before(tmp_path: Path, damage: str) -> None:
    Checkpoints(tmp_path, "a").keep(state(2))
    whole = (tmp_path / "step-000002" / "state.json").read_text()
    later = tmp_path / (".step-000004" if damage == "unfinished" else "step-000004")
    later.mkdir()
    if damage != "nothing":
        text = {"unfinished": whole, "half": whole[: len(whole) // 2], "other": "[]"}[damage]
        (later / "state.json").write_text(text)
    assert Checkpoints(tmp_path, "a").newest() == state(2)
    Checkpoints(tmp_path, "a").keep(state(4))
    assert [path.name for path in tmp_path.iterdir()] == ["step-000004"]


@pytest.mark.parametrize("arrays", ["{}", "{'w': __import__('torch').zeros(4000)}"])
def test_a_disk_that_takes_no_more_is_one_line_and_leaves_the_state_before(
    tmp_path: Path, arrays: str
) -> None:
    if "torch" in arrays:
        pytest.importorskip("torch")
    Checkpoints(tmp_path, "a").keep(state(2))
    # Files of this process may have 2,000 bytes.
    program = (
        "import resource\nfrom pathlib import Path\n"
        "from codeself.learning.checkpoints import Checkpoint, Checkpoints\n"
        "from codeself.records.errors import CodeselfError\n"
        f"arrays = {arrays}\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "try:\n"
        f"    Checkpoints(Path({str(tmp_path)!r}), 'a').keep(\n"
        "        Checkpoint(4, (arrays, {}), {'x': 'x' * 4000})\n"
        "    )\n"
        "except CodeselfError as error:\n"
        "    print(error)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert "step-000004: cannot be written: " in ended.stdout
    assert ended.stdout.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["step-000002"]
    assert Checkpoints(tmp_path, "a").newest() == state(2)
