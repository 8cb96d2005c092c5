"""Settings that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATASETS = Path(os.environ.get("CODESELF_DATASETS") or ROOT.parent / "shared" / "datasets")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's top folder."""
    return ROOT


@pytest.fixture(scope="session")
def datasets() -> Path:
    """Folder of the public benchmark files. A test that needs them skips where they are not."""
    if not DATASETS.is_dir():
        pytest.skip(f"no benchmark files in {DATASETS}; name their folder in CODESELF_DATASETS")
    return DATASETS
