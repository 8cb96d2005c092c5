"""plan: what is declared, from the base's rates on a split that will not be judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeself.cli.report_plan import command as report
from codeself.records.digests import sha256_file
from codeself.records.errors import InputError
from tests.experiments import Experiment, experiment


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    folder = tmp_path_factory.mktemp("plan")
    return experiment(folder, {"grpo": 1.0, "random-reward": 0.0}, families=10, variants=2, samples=4)


def test_every_endpoint_is_declared_with_what_it_could_see(made: Experiment) -> None:
    plan = made.declare()
    assert [point.name for point in plan.endpoints] == [
        "grpo-over-base",
        "grpo-over-random-reward",
        "grpo-over-base-greedy",
        "random-reward-over-base",
    ]
    assert {point.tests for point in plan.endpoints} == {"locked"}
    assert (plan.design.tasks, plan.design.families) == (16, 8)
    for point in plan.endpoints:
        assert point.planned is not None
        # With so few tasks nothing at all may be large enough for the strictest step.
        if point.planned.detectable is not None and point.planned.detectable_first_step is not None:
            assert point.planned.detectable < point.planned.detectable_first_step
    report(plan=made.plan, output=made.folder / "plan.md")
    assert "4 endpoints are declared, on 16 tasks in 8 families" in (made.folder / "plan.md").read_text()
    assert plan.rates.split == "dev"


def test_the_plan_is_the_same_bytes_each_time_and_another_with_other_inputs(made: Experiment) -> None:
    made.declare()
    first = made.plan.read_bytes()
    made.declare()
    assert made.plan.read_bytes() == first
    others: list[dict[str, object]] = [
        {"practice": '{"steps": 12}'},
        {"reward": "tests.test_rewards:reward"},
        {"alpha": 0.01},
        {"seed": 1},
        {"train_seed": [0, 1]},
    ]
    for change in others:
        made.declare(**change)
        assert made.plan.read_bytes() != first, change


def test_an_arm_that_revises_has_endpoints_like_any_other_and_its_template_in_the_plan(
    made: Experiment, tmp_path: Path
) -> None:
    assert made.declare().digests.revision == ""
    revising = experiment(tmp_path, {"grpo": 1.0, "grpo-selfdebug": 1.0}, families=4, variants=2, samples=2)
    with pytest.raises(InputError, match=r"^--revision-prompt: is missing; arm grpo-selfdebug practises"):
        revising.declare()
    template = tmp_path / "revise.j2"
    template.write_text("{# style: completion #}")
    plan = revising.declare(revision_prompt=template)
    assert plan.digests.revision == sha256_file(template)
    assert [point.name for point in plan.endpoints if point.arm.name == "grpo-selfdebug"] == [
        "grpo-selfdebug-over-base",
        "grpo-selfdebug-over-base-greedy",
    ]


def test_what_is_not_wanted_is_not_declared(made: Experiment) -> None:
    plan = made.declare(test_greedy=False, test_placebos=False)
    assert [point.name for point in plan.endpoints] == ["grpo-over-base", "grpo-over-random-reward"]


def test_unrelated_tasks_get_mcnemars_test(tmp_path: Path) -> None:
    made = experiment(tmp_path, {"grpo": 1.0}, families=15, variants=1, samples=2)
    assert {point.answers: point.test for point in made.declare().endpoints} == {
        "sampled": "sign-flip-family",
        "greedy": "mcnemar-mid-p",
    }
    # Several runs are no single pair of answers.
    several = made.declare(train_seed=[0, 1])
    assert {point.test for point in several.endpoints} == {"sign-flip-family"}


def test_answers_to_the_judged_split_are_refused(made: Experiment) -> None:
    folder = made.folder / "metrics" / "base"
    with pytest.raises(InputError, match=r"is of split 'test'; a plan for 'test' must not know any answer"):
        made.declare(metrics=folder / "test.json", per_task=folder / "test.tasks.csv")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"arm": []}, "--arm: expected one or more"),
        ({"train_seed": [1, 1]}, "--train-seed: expected one or more, each once"),
        ({"practice": "{"}, "--practice: is not JSON"),
        ({"practice": "[]"}, "--practice: expected a JSON object"),
        ({"alpha": 1.0}, "--alpha"),
        ({"margin": float("nan")}, "--alpha, --power, --margin"),
        ({"resamples": 10}, "--resamples: is 10"),
        ({"split": "exam"}, "--split: 'exam' is none of"),
        ({"arm": ["base"]}, "no arm may have it"),
    ],
)
def test_what_cannot_be_planned_is_one_line(made: Experiment, change: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        made.declare(**change)
