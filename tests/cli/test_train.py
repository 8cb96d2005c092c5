"""train: what a run leaves, that it is the same bytes however often it was killed, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from codeself.learning.checkpoints import Checkpoint, Checkpoints
from codeself.policies.mock import MockPolicy
from codeself.records.digests import sha256_file
from codeself.records.errors import InputError
from codeself.records.jsonl import read_record, read_records, write_record
from codeself.records.models import MODEL_FILE
from codeself.records.practice import ARMS
from codeself.records.tasks import SplitManifest
from codeself.records.training import StepTiming
from tests.learning.runs import MOCK_SETTINGS, SETTINGS, TASKS, Run, make_taught_model

LORA = {"rank": 4, "alpha": 8, "targets": ["q_proj", "down_proj"]}


@pytest.fixture(scope="module")
def taught_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny model that solves some of the tasks, now and then."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    return make_taught_model(tmp_path_factory.mktemp("taught"))


class Killed(Exception):
    pass


def mock_run(folder: Path, arm: str = "grpo", seed: int = 0, **changes: Any) -> Run:
    folder.mkdir(parents=True, exist_ok=True)
    return Run(folder, MOCK_SETTINGS | changes, arm, seed)


def model_run(folder: Path, model: Path, arm: str = "grpo", seed: int = 0, **changes: Any) -> Run:
    folder.mkdir(parents=True, exist_ok=True)
    return Run(folder, SETTINGS | changes, arm, seed, model)


def make_to(run: Run, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the run here, up to the state of this step."""
    keep = Checkpoints.keep

    def dying(self: Checkpoints, checkpoint: Checkpoint) -> None:
        keep(self, checkpoint)
        if checkpoint.step == step:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "keep", dying)
        with pytest.raises(Killed):
            run.make()


def test_what_a_run_leaves(tmp_path: Path) -> None:
    run = mock_run(tmp_path).make()
    assert sorted(run.files) == ["done.json", "metrics.jsonl", f"policy/{MODEL_FILE}", "samples.jsonl"]
    done, steps, samples = run.done, run.steps, run.samples
    assert (done.policy, done.arm, done.seed, done.steps, done.tasks) == ("grpo-seed0", "grpo", 0, 4, 5)
    assert done.plan_sha256 == sha256_file(tmp_path / "plan.json")
    assert done.policy_sha256 == sha256_file(run.output / "policy" / MODEL_FILE)
    assert done.isolation != "none"
    assert done.samples == len(samples) == sum(step.completions for step in steps)
    assert done.wasted == sum(step.wasted for step in steps)
    assert done.sampled_tokens == sum(sample.completion_tokens for sample in samples)
    assert done.learned_tokens == sum(step.learned_tokens for step in steps)
    assert done.settings["steps"] == 4
    assert not {"arms", "seeds", "overrides", "writers"} & done.settings.keys()
    assert [step.step for step in steps] == [0, 1, 2, 3]
    assert len(read_records(tmp_path / "timings.jsonl", StepTiming)) == 4
    assert MockPolicy.read(TASKS, run.output / "policy").log_odds != MockPolicy(TASKS, 0.4, 0.1, 1).log_odds
    text = b"".join(run.files.values()).decode()
    assert str(tmp_path) not in text


def test_what_is_practised_is_of_the_train_split(tmp_path: Path) -> None:
    run = mock_run(tmp_path).make()
    trained = {task.task_id for task in TASKS[:5]}
    assert {sample.task_id for sample in run.samples} == trained


@pytest.mark.parametrize(
    ("changes", "measured"),
    [
        ({"divergence_every": 2}, [1, 3]),
        ({"divergence_every": 0}, []),
        ({"divergence_every": 0, "loss": {"kl_coefficient": 0.1}}, [0, 1, 2, 3]),
    ],
)
def test_the_way_from_the_base_is_measured_in_the_steps_that_are_asked_for(
    tmp_path: Path, changes: dict[str, Any], measured: list[int]
) -> None:
    steps = mock_run(tmp_path, informative_only=False, **changes).make().steps
    assert [step.step for step in steps if step.reference_divergence is not None] == measured
    assert all(step.reference_divergence > 0 for step in steps if step.step and step.step in measured)  # type: ignore[operator]


@pytest.mark.parametrize("arm", ["grpo", "grpo-selfdebug", "ppo"])
def test_a_killed_mock_run_ends_as_one_that_was_not(tmp_path: Path, arm: str) -> None:
    whole, killed = (mock_run(tmp_path / name, arm) for name in ("whole", "killed"))
    whole.make()
    killed.make_and_kill(2)
    assert killed.states == ["step-000002"]
    assert list(killed.files) == ["state/step-000002/state.json"]
    assert killed.make().files == whole.files
    assert len({step.loss for step in killed.steps}) > 2


# A process of its own loads torch again.
@pytest.mark.parametrize(
    ("arm", "changes"),
    [
        ("grpo", {"informative_only": False, "loss": {"kl_coefficient": 0.05}}),
        (
            "grpo-selfdebug",
            {"informative_only": False, "loss": {"kl_coefficient": 0.05}, "groups_per_pass": 3},
        ),
        ("ppo", {"informative_only": False, "lora": LORA, "optimizer": {"learning_rate": 1e-2, "epochs": 2}}),
    ],
)
def test_a_killed_run_of_a_model_ends_as_one_that_was_not(
    taught_model: Path, tmp_path: Path, arm: str, changes: dict[str, Any]
) -> None:
    whole, killed = (model_run(tmp_path / n, taught_model, arm, **changes) for n in ("whole", "killed"))
    whole.make()
    killed.make_and_kill(2)
    assert killed.states == ["step-000002"]
    assert killed.make().files == whole.files
    assert "policy/model.safetensors" in whole.files
    assert all(step.updates for step in whole.steps)
    assert any(sample.correct for sample in whole.samples)
    assert any(sample.earlier for sample in whole.samples) == (arm == "grpo-selfdebug")


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_is_the_same_bytes_twice_and_others_with_another_seed(tmp_path: Path, arm: str) -> None:
    first, again, other = (mock_run(tmp_path / str(n), arm, seed=n // 2) for n in range(3))
    assert first.make().files == again.make().files
    assert first.files != other.make().files
    assert [s.completion for s in first.samples] != [s.completion for s in other.samples]


@pytest.mark.parametrize("arm", ["grpo", "rejection"])
def test_a_model_is_the_same_bytes_twice(taught_model: Path, tmp_path: Path, arm: str) -> None:
    first, again = (model_run(tmp_path / str(n), taught_model, arm) for n in range(2))
    assert first.make().files == again.make().files
    other = model_run(tmp_path / "other", taught_model, arm, seed=1).make()
    assert first.files["policy/model.safetensors"] != other.files["policy/model.safetensors"]


def test_groups_a_pass_are_no_part_of_what_is_learned(taught_model: Path, tmp_path: Path) -> None:
    """Its settings say so; rewards, samples and counts are the same."""
    runs = [
        model_run(tmp_path / str(size), taught_model, groups_per_pass=size, steps=2, informative_only=False)
        for size in (1, 3)
    ]
    one, three = (run.make() for run in runs)
    assert one.samples == three.samples
    for step, other in zip(one.steps, three.steps, strict=True):
        assert step.loss == pytest.approx(other.loss, abs=1e-5)
        assert step.gradient_norm == pytest.approx(other.gradient_norm, rel=1e-3)


def test_arms_of_one_seed_meet_the_same_tasks_in_the_same_order(tmp_path: Path) -> None:
    met = {
        arm: [s.task_id for s in mock_run(tmp_path / arm, arm, refills=0).make().samples]
        for arm in ("grpo", "ppo", "random-reward")
    }
    assert met["grpo"] == met["ppo"] == met["random-reward"]


def test_a_state_of_other_settings_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = mock_run(tmp_path / "fresh").make()
    run = mock_run(tmp_path / "run", optimizer={"learning_rate": 0.1})
    make_to(run, 2, monkeypatch)
    assert run.states == ["step-000002"]
    assert replace(run, practice=fresh.practice).make().files == fresh.files


@pytest.mark.parametrize("change", ["seed", "arm", "options"])
def test_a_state_of_another_run_is_passed_over(
    tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: dict[str, dict[str, Any]] = {
        "seed": {"seed": 1},
        "arm": {"arm": "ppo"},
        "options": {"options": ("--spread", "0.5")},
    }
    run = mock_run(tmp_path / "run")
    make_to(run, 2, monkeypatch)
    other = replace(run, **changes[change]).make()
    fresh = replace(mock_run(tmp_path / "fresh"), **changes[change]).make()
    assert other.files == fresh.files


def test_a_half_written_state_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = mock_run(tmp_path / "fresh").make()
    run = mock_run(tmp_path / "run")
    make_to(run, 2, monkeypatch)
    state = run.output / "state"
    (state / "step-000002").rename(state / ".step-000002")
    seen = watch_states(monkeypatch)
    assert run.make().files == fresh.files
    assert seen == [2]  # the state of step 2 was made again, and the half of it is gone


def test_a_run_that_was_killed_at_its_very_end_only_ends_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = mock_run(tmp_path / "fresh").make()
    run = mock_run(tmp_path / "run", checkpoint_every=3, steps=4)
    whole = mock_run(tmp_path / "whole", checkpoint_every=3, steps=4).make()
    make_to(run, 3, monkeypatch)
    (run.output / "policy").mkdir()
    (run.output / "policy" / MODEL_FILE).write_text("half")
    (run.output / "metrics.jsonl").write_text("half")
    assert run.make().files == whole.files
    assert whole.files["samples.jsonl"] == fresh.files["samples.jsonl"]


def watch_states(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    kept: list[int] = []
    keep = Checkpoints.keep

    def keeping(self: Checkpoints, checkpoint: Checkpoint) -> None:
        keep(self, checkpoint)
        kept.append(checkpoint.step)

    monkeypatch.setattr(Checkpoints, "keep", keeping)
    return kept


def test_states_are_kept_as_often_as_asked_and_not_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = watch_states(monkeypatch)
    run = mock_run(tmp_path, checkpoint_every=1).make()
    assert seen == [1, 2, 3]
    assert run.states == []


def test_the_mock_learns_from_true_rewards(tmp_path: Path) -> None:
    changes = {"steps": 12, "prompts_per_step": 16, "samples": 8}
    for arm in ("grpo", "ppo", "rejection"):
        steps = mock_run(tmp_path / arm, arm, **changes).make().steps
        rates = [step.pass_rate for step in steps if step.pass_rate is not None]
        assert sum(rates[-3:]) / 3 > sum(rates[:3]) / 3 + 0.15, arm


def test_overrides_are_for_their_arm_alone(tmp_path: Path) -> None:
    changes = {"overrides": {"ppo": {"steps": 2, "optimizer": {"epochs": 2}}}}
    ppo = mock_run(tmp_path / "ppo", "ppo", **changes).make()
    grpo = mock_run(tmp_path / "grpo", "grpo", **changes).make()
    assert (ppo.done.steps, grpo.done.steps) == (2, 4)
    assert ppo.done.settings["optimizer"] == grpo.done.settings["optimizer"] | {"epochs": 2}
    assert {step.updates for step in ppo.steps} == {2}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"arm": "sft"}, r"--arm: 'sft' is none of .*plan\.json's \(grpo, grpo-selfdebug, ppo"),
        ({"seed": 7}, r"--seed: 7 is none of .*plan\.json's \(0, 1\)"),
        ({"options": ("--backend", "static")}, r"--backend: 'static' cannot learn; expected mock or"),
        ({"options": ("--backend", "transformers")}, r"--model: is missing"),
        ({"options": ("--right", "0.9", "--unparsable", "0.1")}, r"no gradient at certainty"),
        ({"practice": MOCK_SETTINGS | {"arms": ["ppo"]}}, r"--arm: 'grpo' is none of .* \(ppo\)"),
        ({"practice": MOCK_SETTINGS | {"step": 1}}, r"plan\.json: practice\.step: is not a known key"),
        ({"practice": MOCK_SETTINGS | {"split": "test"}}, r"practice\.split: 'test' is the split that"),
        ({"practice": MOCK_SETTINGS | {"split": "dev"}}, r"split 'dev' of task set 'made' has no task"),
    ],
)
def test_what_cannot_be_practised_is_one_line(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    run = replace(mock_run(tmp_path), **changes)
    with pytest.raises(InputError, match=words) as error:
        run.make()
    assert "\n" not in str(error.value)
    assert not run.output.exists()


def test_the_plan_names_the_template_of_revisions(tmp_path: Path) -> None:
    run = mock_run(tmp_path, "grpo-selfdebug")
    assert run.make().done.inputs["revision"] == sha256_file(tmp_path / "revise.j2")
    assert "revision" not in mock_run(tmp_path / "plain").make().done.inputs
    other = tmp_path / "revise_otherwise.j2"
    other.write_text((tmp_path / "revise.j2").read_text() + " ")
    with pytest.raises(InputError, match=r"revise_otherwise\.j2 is not the template that .*plan\.json was"):
        replace(run, options=("--revision-prompt", str(other))).make()


def test_a_manifest_of_other_tasks_is_refused(tmp_path: Path) -> None:
    run = mock_run(tmp_path)
    arguments = run.arguments()
    assert "--splits" in arguments
    manifest = read_record(tmp_path / "splits.json", SplitManifest)
    write_record(tmp_path / "splits.json", manifest.model_copy(update={"tasks_sha256": "0" * 64}))
    with pytest.raises(InputError, match="was made from another task file"):
        run.make()


def test_a_full_run_has_its_numbers_in_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    pytest.importorskip("torch")
    run = mock_run(tmp_path / "with", writers=["tensorboard"]).make()
    plain = mock_run(tmp_path / "without").make()
    events = [name for name in run.files if "tfevents" in name]
    assert [name.rpartition("/")[0] for name in events] == ["watch/tensorboard"]
    rest = {name: data for name, data in run.files.items() if name not in events}
    # The plan says which writers are wanted, and the record says which plan; all else is the same.
    for files in (rest, plain_files := dict(plain.files)):
        done = json.loads(files["done.json"])
        del done["plan_sha256"], done["inputs"]["plan"]
        files["done.json"] = json.dumps(done).encode()
    assert rest == plain_files
