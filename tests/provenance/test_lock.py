"""The lock files say the same on every machine, and cover what pyproject asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from codeself.provenance.lock import lock_texts


def installed(name: str, version: str, file: str, sha256: str = "a" * 64) -> dict:
    """An entry of pip's installation report."""
    return {
        "metadata": {"name": name, "version": version},
        "download_info": {
            "url": f"https://example.org/{file}",
            "archive_info": {"hashes": {"sha256": sha256}},
        },
    }


CORE = [
    installed("Jinja2", "3.1", "jinja2-3.1-py3-none-any.whl", "1" * 64),
    installed("numpy", "2.4", "numpy-2.4-cp311-cp311-manylinux_2_28_x86_64.whl"),
    installed("connection_pool", "0.0.3", "connection_pool-0.0.3.tar.gz"),
    {
        "metadata": {"name": "codeself", "version": "0.1.0"},
        "download_info": {"url": "file:///home/me/codeself", "dir_info": {}},
    },
]
TRAIN = [*CORE, installed("torch", "2.13.0+cpu", "torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl")]


@pytest.fixture
def locks() -> dict[str, list[str]]:
    texts = lock_texts({"core": {"install": CORE}, "train": {"install": TRAIN}})
    return {name: text.splitlines()[1:] for name, text in texts.items()}


def test_a_pure_wheel_is_held_by_its_hash_in_the_first_group_that_needs_it(
    locks: dict[str, list[str]],
) -> None:
    assert locks["requirements.core.lock"] == [f"jinja2==3.1 --hash=sha256:{'1' * 64}"]
    assert locks["requirements.train.lock"] == []


def test_what_differs_by_platform_is_held_by_its_version(locks: dict[str, list[str]]) -> None:
    assert locks["requirements.platform.lock"] == ["connection-pool==0.0.3", "numpy==2.4", "torch==2.13.0"]


def pins(root: Path, group: str) -> dict[str, str]:
    lines = (root / f"requirements.{group}.lock").read_text().splitlines()
    found = dict(
        re.match(r"([\w.-]+)==([\w.]+)", line).groups() for line in lines if not line.startswith("#")
    )
    assert found
    return found


def test_the_locks_cover_every_dependency_and_agree_with_its_bound(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    locked = {group: pins(root, group) for group in ("core", "train", "dev", "platform")}
    for group, wanted in (
        ("core", project["dependencies"]),
        ("train", extras["train"]),
        ("dev", extras["crosscheck"]),
        ("dev", extras["dev"]),
    ):
        for requirement in wanted:
            name, bound = re.fullmatch(r"([\w.-]+)(?:\[[\w,-]+\])?>=([\w.]+)", requirement).groups()
            name = re.sub(r"[-_.]+", "-", name).lower()
            known = locked["core"] | locked["platform"] | locked["train"]
            known |= locked["dev"] if group == "dev" else {}
            assert name in known, f"{name} is not locked: run make lock"
            assert _numbers(known[name]) >= _numbers(bound)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def test_no_package_is_locked_twice(root: Path) -> None:
    groups = [pins(root, group) for group in ("core", "train", "dev", "platform")]
    names = [name for group in groups for name in group]
    assert len(names) == len(set(names))


def test_every_hashed_line_has_a_whole_sha256(root: Path) -> None:
    for group in ("core", "train", "dev"):
        lines = (root / f"requirements.{group}.lock").read_text().splitlines()[1:]
        assert all(re.fullmatch(r"[\w.-]+==[\w.]+ --hash=sha256:[0-9a-f]{64}", line) for line in lines)
