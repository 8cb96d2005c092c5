"""Sampling by vLLM, with a stand-in for its module: what is asked of the engine, and what is kept of its answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from codeself.policies.backend import Prompt, Request
from codeself.records.errors import InputError
from codeself.records.jsonl import read_records
from codeself.records.rollouts import Rollout
from codeself.records.sources import LocalModel

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from transformers import AutoModelForCausalLM

from codeself.cli.run_rollouts import command as run_rollouts
from codeself.cli.sampling import Backend, SplitName
from codeself.policies.model_text import ModelText
from codeself.policies.sources import fetch_model
from codeself.policies.transformers import TransformersPolicy
from codeself.policies.vllm import VLLMPolicy
from tests.made_tasks import adding_task, write_task_set
from tests.policies import stand_in_vllm
from tests.tiny_models import make_tiny_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("tiny")
    fetch_model(LocalModel(source="local", path=str(make_tiny_model(here / "made"))), here / "model")
    return here / "model"


@pytest.fixture(autouse=True)
def _engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", stand_in_vllm)
    monkeypatch.setattr(stand_in_vllm.LLM, "asked", [])
    monkeypatch.setattr(stand_in_vllm.LLM, "made", [])


def prompts() -> list[Prompt]:
    """In an open string a completion does not end at a dedent."""
    return [
        Prompt("p", "completion", "d", text, text if stops else 'f("""')
        for text in ("def f(x):", "def longer_name(first, second):", "class A: #", "x")
        for stops in (True, False)
    ]


def greedy(prompt: Prompt) -> Request:
    return Request("t", prompt, "greedy", 0, 7, 0.0, 1.0, 24)


def sampled(prompt: Prompt, seed: int) -> Request:
    return Request("t", prompt, "sampled", 0, seed, 0.7, 1.0, 24)


def test_greedy_answers_are_those_of_the_transformers_backend(folder: Path) -> None:
    requests = [greedy(prompt) for prompt in prompts()]
    counted: list[int] = []
    ours = TransformersPolicy(folder, "float32", "cpu", 1, 4).complete(requests, lambda _: None)
    assert VLLMPolicy(folder, "float32", 0.5).complete(requests, counted.append) == ours
    assert sum(counted) == len(requests)
    assert {each.finish_reason for each in ours} == {"stop", "length"}
    # The engine would have written on.
    assert min(len(each.token_ids) for each in ours) < 24


def test_each_request_brings_its_own_seed_and_greedy_ones_none(folder: Path) -> None:
    prompt = prompts()[1]
    policy = VLLMPolicy(folder, "float32", 0.5)
    seed = 2**63 - 1
    one, other, again, _ = policy.complete(
        [sampled(prompt, seed), sampled(prompt, 4), sampled(prompt, seed), greedy(prompt)], lambda _: None
    )
    assert one == again
    assert one.token_ids != other.token_ids
    assert [each.seed for each in stand_in_vllm.LLM.asked] == [seed, 4, seed, None]
    assert [each.temperature for each in stand_in_vllm.LLM.asked] == [0.7, 0.7, 0.7, 0.0]
    (settings,) = stand_in_vllm.LLM.made
    assert settings["logprobs_mode"] == "processed_logprobs"
    assert settings["gpu_memory_utilization"] == 0.5


def test_log_probabilities_are_those_of_the_drawn_tokens_at_the_temperature(folder: Path) -> None:
    text = ModelText(folder, "")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    policy = VLLMPolicy(folder, "float32", 0.5)
    for prompt in prompts():
        (made,) = policy.complete([sampled(prompt, 3)], lambda _: None)
        ids = text.prompt_ids(prompt, "t", 24)
        logits = model(torch.tensor([[*ids, *made.token_ids]])).logits[0, len(ids) - 1 : -1]
        expected = torch.log_softmax(logits / 0.7, dim=-1).gather(1, torch.tensor(made.token_ids)[:, None])
        assert made.logprobs == pytest.approx(expected[:, 0].tolist(), abs=1e-4)


def test_a_prompt_without_room_is_an_error_that_names_the_task(folder: Path) -> None:
    request = Request("t/9", Prompt("p", "completion", "d", "x" * 500), "greedy", 0, 7, 0.0, 1.0, 24)
    with pytest.raises(InputError, match=r"task 't/9': its prompt has 500 tokens"):
        VLLMPolicy(folder, "float32", 0.5).complete([request], lambda _: None)


def test_a_machine_without_vllm_is_told_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(
        InputError, match=r"backend vllm: vllm is not installed .* or use backend transformers"
    ):
        VLLMPolicy(folder, "float32", 0.5)


def test_rollouts_say_which_engine_wrote_them(folder: Path, tmp_path: Path) -> None:
    tasks, splits = write_task_set(tmp_path, [adding_task(1), adding_task(2)])
    (tmp_path / "p.j2").write_text("{# style: completion #}{{ task.opening }}")
    run_rollouts(
        tasks=tasks,
        splits=splits,
        split=SplitName.test,
        policy="base",
        backend=Backend.vllm,
        output=tmp_path / "rollouts.jsonl",
        prompt=str(tmp_path / "p.j2"),
        samples=2,
        max_new_tokens=8,
        model=folder,
    )
    made = read_records(tmp_path / "rollouts.jsonl", Rollout)
    assert len(made) == 6
    assert {each.identity.backend for each in made} == {"vllm"}
    assert "vLLM 0.0-stand-in" in made[0].identity.source


def test_other_backends_do_not_load_it() -> None:
    program = "import sys, codeself.cli.run_rollouts; sys.exit('vllm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
