"""Practice through TRL: the same prompts, order, stop rule and judge, and the artifacts of any other run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="trl is not installed: pip install 'codeself[crosscheck]'")
pytest.importorskip("peft")

import torch
from transformers import AutoModelForCausalLM, GenerationConfig

from codeself.learning.curriculum import Curriculum
from codeself.learning.trl_sampling import generate
from codeself.learning.trl_settings import check_settings
from codeself.learning.trl_trainer import TRLTrainer
from codeself.policies.backend import Prompt, Request
from codeself.policies.model_text import ModelText
from codeself.policies.prompts import Template
from codeself.policies.sources import fetch_model
from codeself.policies.transformers import TransformersPolicy
from codeself.records.digests import sha256_file
from codeself.records.errors import InputError
from codeself.records.jsonl import read_record
from codeself.records.judging import JudgeConfig
from codeself.records.models import MODEL_FILE, ModelRecord
from codeself.records.practice import PracticeConfig
from codeself.records.sources import LocalModel
from codeself.rewards import Reward
from codeself.sandbox.pool import JudgePool
from tests.made_tasks import make_task
from tests.tiny_models import make_tiny_model

# Its string is open, so that the random bytes of a tiny model do not end the block at once.
TEMPLATE = Template("p", "completion", '{{ task.prompt }}\n{{ task.opening }}')
SETTINGS: dict[str, Any] = {
    "arms": ("grpo",),
    "trainer": "trl",
    "steps": 3,
    "prompts_per_step": 4,
    "samples": 4,
    "max_new_tokens": 8,
    "checkpoint_every": 2,
    "autocast": "none",
    "optimizer": {"learning_rate": 1e-3},
}
