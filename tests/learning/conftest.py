"""One tiny model, and one judge, for all tests of learning."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from codeself.records.judging import JudgeConfig, Limits
from codeself.sandbox.pool import JudgePool


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with a few thousand random numbers for weights."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from codeself.policies.sources import fetch_model
    from codeself.records.sources import LocalModel
    from tests.tiny_models import make_tiny_model

    here = tmp_path_factory.mktemp("tiny")
    fetch_model(LocalModel(source="local", path=str(make_tiny_model(here / "made"))), here / "model")
    return here / "model"


@pytest.fixture(scope="session")
def pool() -> Iterator[JudgePool]:
    with JudgePool(JudgeConfig(limits=Limits(cpu_seconds=0.4, wall_seconds=2.0)), 2) as made:
        yield made
