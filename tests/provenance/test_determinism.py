"""What the manifest says of determinism is what policies set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from codeself.provenance.determinism import FLAGS, determinism
from codeself.records.rollouts import PolicyIdentity


def test_the_flags_are_those_that_a_language_model_sets(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from codeself.policies.sources import fetch_model
    from codeself.policies.transformers import TransformersPolicy
    from codeself.records.sources import LocalModel
    from tests.tiny_models import make_tiny_model

    made = LocalModel(source="local", path=str(make_tiny_model(tmp_path / "made")))
    fetch_model(made, tmp_path / "model")
    TransformersPolicy(tmp_path / "model", "float32", "cpu", 1, 4)
    found = {
        "torch.use_deterministic_algorithms": str(torch.are_deterministic_algorithms_enabled()),
        "torch.utils.deterministic.fill_uninitialized_memory": str(
            torch.utils.deterministic.fill_uninitialized_memory
        ),
        "CUBLAS_WORKSPACE_CONFIG": os.environ["CUBLAS_WORKSPACE_CONFIG"],
    }
    assert found == FLAGS["transformers"]


def test_each_policy_says_how_it_ran() -> None:
    identity = PolicyIdentity(
        backend="transformers", source="a model; float32 on cpu, 1 thread(s)", digest=""
    )
    found = determinism({"base": identity, "made-up": identity.model_copy(update={"backend": "mock"})})
    assert found.policies["base"] == "a model; float32 on cpu, 1 thread(s)"
    assert found.flags == {"mock": {}, "transformers": FLAGS["transformers"]}
