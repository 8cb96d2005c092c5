"""Practice through TRL: the same prompts, order, stop rule and judge, and the artifacts of any other run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("trl", reason="trl is not installed: pip install 'codeself[crosscheck]'")
pytest.importorskip("peft")

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from codeself.cli.sampling import Backend
from codeself.cli.train import command as train
from codeself.learning import trl_trainer
from codeself.learning.assignment import Assignment
from codeself.learning.curriculum import Curriculum
from codeself.learning.language_model import LanguageModelLearner
from codeself.learning.learner import Texts
from codeself.learning.practice_log import PracticeLog
from codeself.learning.trl_sampling import Written, generate
from codeself.learning.trl_settings import arguments, check_settings
from codeself.learning.trl_trainer import TRLTrainer
from codeself.learning.update import learn
from codeself.policies.backend import Completion, Prompt, Request
from codeself.policies.model_text import ModelText, checked_record
from codeself.policies.prompts import Template
from codeself.policies.sources import fetch_model
from codeself.policies.transformers import TransformersPolicy
from codeself.records.digests import sha256_file
from codeself.records.errors import InputError
from codeself.records.jsonl import read_record, read_records, write_record
from codeself.records.judging import JudgeConfig
from codeself.records.models import MODEL_FILE, ModelRecord
from codeself.records.practice import PracticeConfig
from codeself.records.sources import LocalModel
from codeself.records.tasks import SplitManifest
from codeself.records.training import PracticeSample, StepRecord, StepTiming, TrainingRecord
from codeself.rewards import reward_v0_correctness
from codeself.sandbox.pool import JudgePool
from tests.experiments import experiment
from tests.learning.batches import answers_to, paid
from tests.made_tasks import adding_task, write_task_set
from tests.tiny_models import make_tiny_model

TEMPLATE = Template("p", "completion", "{{ task.opening }}")
TASKS = [adding_task(number) for number in range(3)]
SETTINGS: dict[str, Any] = {
    "arms": ["grpo"],
    "trainer": "trl",
    "steps": 3,
    "prompts_per_step": 4,
    "samples": 4,
    "max_new_tokens": 24,
    "checkpoint_every": 2,
    "autocast": "none",
    "informative_only": False,
    "optimizer": {"learning_rate": 1e-3, "warmup_steps": 2},
}


def settings(**changes: Any) -> PracticeConfig:
    return PracticeConfig.model_validate(SETTINGS | changes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that has seen answers, right and wrong ones alike, until it writes some of each."""
    here = tmp_path_factory.mktemp("tiny")
    torch.set_num_threads(1)
    made = make_tiny_model(here / "made")
    model = AutoModelForCausalLM.from_pretrained(made, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(made)
    texts = [
        f"{prompt.text}\n    return x + {number}\n#"
        for prompt in TEMPLATE.render(TASKS)
        for number in range(len(TASKS))
    ]
    # All of one length, as every number has one digit.
    batch = torch.tensor([tokenizer(text)["input_ids"] for text in texts])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(150):
        model(batch, labels=batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(made)
    fetch_model(LocalModel(source="local", path=str(made)), here / "model")
    return here / "model"


@pytest.fixture(scope="module")
def pool() -> Iterator[JudgePool]:
    with JudgePool(JudgeConfig(), 1) as made:
        yield made


class Killed(Exception):
    pass


def practise(
    folder: Path,
    pool: JudgePool,
    state: Path,
    *,
    kill_after: int | None = None,
    seen: list[int] | None = None,
    **changes: Any,
) -> tuple[TRLTrainer, PracticeLog]:
    assignment = Assignment("grpo", 0, settings(**changes), TASKS, TEMPLATE, pool, reward_v0_correctness)
    trainer = TRLTrainer(folder, assignment, device="cpu", threads=1)

    def watch(record: StepRecord, _: StepTiming) -> None:
        if record.step == kill_after:
            raise Killed

    return trainer, trainer.run(state, "run", (seen if seen is not None else []).append, watch)


def weights(trainer: TRLTrainer, folder: Path) -> dict[str, torch.Tensor]:
    trainer.save(folder, "test")
    return load_file(folder / "model.safetensors")


def test_greedy_completions_are_our_samplers_own(folder: Path) -> None:
    text = ModelText(folder, checked_record(folder).chat_template_sha256)
    # In an open string a completion does not end at a dedent, so that some are cut off.
    prompts = [
        Prompt("p", "completion", "d", text, text if stops else 'f("""')
        for text in ("def f(x):", "def longer_name(first, second):", TASKS[1].starter_code.rstrip())
        for stops in (True, False)
    ]
    asked = [(prompt, text.prompt_ids(prompt, "t", 24)) for prompt in prompts]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    greedy = GenerationConfig(max_new_tokens=24, do_sample=False, pad_token_id=0, eos_token_id=[*text.ends])
    written = generate(model, text, asked, greedy)
    requests = [Request("t", prompt, "greedy", 0, 0, 0.0, 1.0, 24) for prompt in prompts]
    ours = TransformersPolicy(folder, "float32", "cpu", 1, 4).complete(requests, lambda _: None)
    assert [each.ids for each in written] == [list(each.token_ids) for each in ours]
    assert [(each.text, each.finish_reason) for each in written] == [
        (each.text, each.finish_reason) for each in ours
    ]
    assert {each.finish_reason for each in written} == {"stop", "length"}


def test_a_run_meets_the_tasks_in_our_order_and_pays_what_the_judge_says(
    folder: Path, pool: JudgePool, tmp_path: Path
) -> None:
    _, log = practise(folder, pool, tmp_path / "state")
    curriculum = Curriculum(TASKS, 0)
    met = [sample.task_id for sample in log.samples]
    assert met == [curriculum.at(place).task_id for place in range(12) for _ in range(4)]
    assert [record.position for record in log.records] == [4, 8, 12]
    assert [record.learning_rate for record in log.records] == [5e-4, 1e-3, 1e-3]
    for record in log.records:
        own = [sample for sample in log.samples if sample.step == record.step]
        rewards = [sample.reward for sample in own]
        assert record.reward == pytest.approx(np.mean(rewards))
        assert rewards == [float(sample.correct) for sample in own]
        assert record.sampled_tokens == sum(sample.completion_tokens for sample in own)
        assert record.entropy
        assert record.loss is not None
        assert record.updates == 1
    assert {0.0, 1.0} == {sample.reward for sample in log.samples}
    assert all(timing.updating > 0 for timing in log.timings)


def test_its_gradient_is_ours_on_the_same_completions(
    folder: Path, pool: JudgePool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Written] = []

    def keeping(*words: Any) -> list[Written]:
        made = generate(*words)
        drawn.extend(made)
        return made

    monkeypatch.setattr(trl_trainer, "generate", keeping)
    kind = {"loss": {"aggregation": "token"}, "steps": 1}
    _, log = practise(folder, pool, tmp_path / "state", **kind)
    config = settings(**kind)
    learner = LanguageModelLearner(
        folder, config, dtype="float32", device="cpu", threads=1, batch_size=8, critic=False, seed=0
    )
    groups = []
    for place in range(4):
        samples, own = log.samples[4 * place : 4 * place + 4], drawn[4 * place : 4 * place + 4]
        (task,) = {sample.task_id for sample in samples}
        made = next(each for each in TASKS if each.task_id == task)
        (prompt,) = TEMPLATE.render([made])
        completions = tuple(Completion("", "stop", "", token_ids=tuple(each.ids)) for each in own)
        (scores,) = learner.score([Texts(task, prompt, completions)])
        scored = tuple(
            Completion("", "stop", "", token_ids=each.token_ids, logprobs=tuple(score.logprobs))
            for each, score in zip(completions, scores, strict=True)
        )
        rewards = [sample.reward or 0.0 for sample in samples]
        groups.append(answers_to(Texts(task, prompt, scored), paid(rewards)))
    report = learn(learner, groups, "grpo", config, 1.0, 0)
    ((updated, _),) = report.updates
    (record,) = log.records
    assert updated.gradient_norm > 0.01
    assert record.gradient_norm == pytest.approx(updated.gradient_norm, rel=1e-4)
    assert record.loss == pytest.approx(updated.loss, abs=1e-5)
    assert record.entropy == pytest.approx(updated.scores.entropy.mean(), rel=1e-4)


def test_a_killed_run_goes_on_from_trls_checkpoint(folder: Path, pool: JudgePool, tmp_path: Path) -> None:
    seen: list[int] = []
    whole, expected = practise(folder, pool, tmp_path / "whole", seen=seen)
    with pytest.raises(Killed):
        practise(folder, pool, tmp_path / "state", kill_after=2, seen=seen)
    resumed, log = practise(folder, pool, tmp_path / "state", seen=seen)
    assert seen == [0, 0, 2]
    assert log.samples == expected.samples
    assert log.records == expected.records
    ours, theirs = weights(whole, tmp_path / "a"), weights(resumed, tmp_path / "b")
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    base = load_file(folder / "model.safetensors")
    assert any(not torch.equal(ours[name], base[name]) for name in ours)


def test_a_step_may_make_several_updates(folder: Path, pool: JudgePool, tmp_path: Path) -> None:
    seen: list[int] = []
    several = {"optimizer": {"learning_rate": 1e-3, "warmup_steps": 2, "epochs": 2, "minibatches": 2}}
    whole, expected = practise(folder, pool, tmp_path / "whole", **several)
    assert [record.updates for record in expected.records] == [4, 4, 4]
    assert [record.learning_rate for record in expected.records] == [5e-4, 1e-3, 1e-3]
    assert len(expected.samples) == 48
    with pytest.raises(Killed):
        practise(folder, pool, tmp_path / "state", kill_after=2, **several)
    resumed, log = practise(folder, pool, tmp_path / "state", seen=seen, **several)
    assert seen == [2]
    assert log.records == expected.records
    ours, theirs = weights(whole, tmp_path / "a"), weights(resumed, tmp_path / "b")
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_adapters_are_added_into_the_policy_that_is_written(
    folder: Path, pool: JudgePool, tmp_path: Path
) -> None:
    lora = {"lora": {"rank": 2, "targets": ["q_proj"]}, "steps": 2, "optimizer": {"learning_rate": 0.1}}
    trainer, _ = practise(folder, pool, tmp_path / "state", **lora)
    ours, base = weights(trainer, tmp_path / "policy"), load_file(folder / "model.safetensors")
    assert {name for name in base if not torch.equal(ours[name], base[name])} == {
        f"model.layers.{layer}.self_attn.q_proj.weight" for layer in (0, 1)
    }


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"refills": 1}, "refills"),
        ({"advantage": {"baseline": "leave-one-out"}}, "advantage.baseline"),
        ({"loss": {"kl_coefficient": 0.1, "kl_estimator": "k1"}}, "loss.kl_estimator"),
        ({"loss": {"mask_truncated": True}}, "loss.mask_truncated"),
        ({"optimizer": {"minibatches": 3}}, "groups_per_pass"),
        ({"groups_per_pass": 3}, "groups_per_pass"),
    ],
)
def test_what_trl_has_nothing_like_is_refused(changes: dict[str, Any], key: str) -> None:
    cpu = torch.device("cpu")
    check_settings(settings(), cpu)
    with pytest.raises(InputError, match=rf"^practice\.{key}: cannot be had with trainer trl"):
        check_settings(settings(**changes), cpu)


def test_several_gpus_are_refused_as_trl_would_spread_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two cannot be had here."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(InputError, match=r"^practice\.trainer: trl would spread .* the 2 GPUs that it sees"):
        check_settings(settings(), torch.device("cuda"))


def test_the_kl_term_is_the_estimate_alone(tmp_path: Path) -> None:
    """So that its gradient is ours: TRL's default weights it by the ratio, which has a gradient of its own."""
    asked = arguments(settings(loss={"kl_coefficient": 0.1}), tmp_path, 0, torch.device("cpu"))
    assert (asked.beta, asked.use_bias_correction_kl) == (0.1, False)


def test_a_layer_that_is_not_there_is_one_line(folder: Path, pool: JudgePool, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^practice\.lora\.targets: 'none_such' is no layer of this model"):
        practise(folder, pool, tmp_path / "state", lora={"targets": ["q_proj", "none_such"]})


def test_the_command_leaves_the_artifacts_of_any_other_run(folder: Path, tmp_path: Path) -> None:
    made = experiment(tmp_path / "plan", {"grpo": 1.0}, families=4, variants=2, samples=2)
    made.declare(practice=json.dumps(SETTINGS))
    tasks, splits = write_task_set(tmp_path, TASKS)
    manifest = read_record(splits, SplitManifest)
    ids = {"train": manifest.task_ids["test"], "dev": (), "test": ()}
    write_record(splits, manifest.model_copy(update={"task_ids": ids}))
    prompt = tmp_path / "prompt.j2"
    prompt.write_text("{# style: completion #}{{ task.opening }}")
    output = tmp_path / "trained"
    call = {"plan": made.plan, "tasks": tasks, "splits": splits, "seed": 0, "output": output, "workers": 1}
    call |= {"timings": tmp_path / "timings.jsonl", "prompt": str(prompt), "arm": "grpo"}
    with pytest.raises(InputError, match=r"--backend: 'mock' has no weights for trainer trl"):
        train(**call, backend=Backend.mock)  # type: ignore[arg-type]
    train(**call, backend=Backend.transformers, model=folder)  # type: ignore[arg-type]
    done = read_record(output / "done.json", TrainingRecord)
    assert (done.steps, done.samples, done.arm) == (3, 48, "grpo")
    assert "TRL" in done.base.source
    assert done.policy_sha256 == sha256_file(output / "policy" / MODEL_FILE)
    assert len(read_records(output / "metrics.jsonl", StepRecord)) == 3
    assert len(read_records(output / "samples.jsonl", PracticeSample)) == 48
    assert len(read_records(tmp_path / "timings.jsonl", StepTiming)) == 3
    assert not (output / "state").exists()
    policy = TransformersPolicy(output / "policy", "float32", "cpu", 1, 4)
    assert read_record(output / "policy" / MODEL_FILE, ModelRecord).name.endswith("grpo, seed 0, 3 steps")
    assert policy.identity.digest != done.base.digest
