"""Locked tests are read once a policy, and never before that was written down: open-locked-tests and what heeds it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codeself.records.errors import InputError
from codeself.records.jsonl import read_records, write_records
from codeself.records.locked_reads import ReadTime
from codeself.records.rollouts import Rollout
from tests.experiments import Experiment, experiment


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    folder = tmp_path_factory.mktemp("locked")
    made = experiment(folder, {"grpo": 1.0, "random-reward": 0.0}, families=6, variants=2, samples=3)
    made.declare()
    return made


@pytest.fixture
def made(finished: Experiment, tmp_path: Path) -> Experiment:
    return finished.copied(tmp_path / "made")


def answers(made: Experiment, policy: str) -> Path:
    return made.folder / "parts" / policy / "test.rollouts.jsonl"


def change_an_answer(made: Experiment, policy: str) -> None:
    first, *rest = read_records(answers(made, policy), Rollout)
    changed = first.model_copy(update={"completion": first.completion + "\n# another"})
    write_records(answers(made, policy), [changed, *rest])


def times(made: Experiment, policy: str) -> list[ReadTime]:
    return read_records(made.folder / "times" / policy / "families.test.jsonl", ReadTime)


def test_a_reading_says_which_answers_were_judged_for_which_plan(made: Experiment) -> None:
    reads = made.open_locked_tests("grpo-seed0")
    (read,) = reads.reads
    assert (reads.policy, reads.taskset, reads.split, read.name) == ("grpo-seed0", "families", "test", None)
    assert read.answers == len(read_records(answers(made, "grpo-seed0"), Rollout))
    assert read.tests > 0
    assert read.plan_sha256 == made.compare().inputs.plan
    assert read.training_sha256
    assert made.open_locked_tests("base").last.training_sha256 == ""
    assert [row.number for row in times(made, "grpo-seed0")] == [1]


def test_the_same_answers_in_other_files_are_the_same_reading(made: Experiment) -> None:
    before = made.open_locked_tests("base").last
    rows = read_records(answers(made, "base"), Rollout)
    halves = [made.folder / "first.jsonl", made.folder / "second.jsonl"]
    for path, half in zip(halves, (rows[1::2], rows[::2]), strict=True):
        write_records(path, half)
    after = made.open_locked_tests("base", rollouts=halves)
    assert len(after.reads) == 1
    assert after.last.answers_sha256 == before.answers_sha256
    assert len(after.last.rollouts) == 2
    assert len(times(made, "base")) == 1


def test_a_second_reading_with_other_answers_takes_a_name_of_its_own(made: Experiment) -> None:
    kept = made.reads("grpo-seed0").read_bytes()
    change_an_answer(made, "grpo-seed0")
    with pytest.raises(
        InputError, match="have been read with answers of policy 'grpo-seed0', and these answers"
    ):
        made.open_locked_tests("grpo-seed0")
    assert made.reads("grpo-seed0").read_bytes() == kept
    named = made.open_locked_tests("grpo-seed0", further=["longer practice"])
    assert named.further == ("longer practice",)
    assert made.open_locked_tests("grpo-seed0", further=["longer practice"]) == named
    assert [row.number for row in times(made, "grpo-seed0")] == [1, 2]
    change_an_answer(made, "grpo-seed0")
    with pytest.raises(InputError, match=r"will print it \(used: longer practice\)"):
        made.open_locked_tests("grpo-seed0", further=["longer practice"])
    third = made.open_locked_tests("grpo-seed0", further=["longer practice", "another rate"])
    assert third.further == ("longer practice", "another rate")


def test_a_plan_made_after_the_first_look_is_another_reading(made: Experiment) -> None:
    before = made.reads("base").read_bytes()
    plan = json.loads(made.plan.read_text())
    made.plan.write_text(json.dumps(plan | {"margin": 0.2}))
    with pytest.raises(InputError, match="and this plan was made after that"):
        made.open_locked_tests("base")
    assert made.reads("base").read_bytes() == before


def test_a_plan_younger_than_the_training_it_judges_opens_nothing(made: Experiment) -> None:
    made.reads("grpo-seed0").unlink()
    plan = json.loads(made.plan.read_text())
    made.plan.write_text(json.dumps(plan | {"margin": 0.2}))
    with pytest.raises(
        InputError, match=r"grpo-seed0/done\.json: was trained under another plan .* train again"
    ):
        made.open_locked_tests("grpo-seed0")
    assert not made.reads("grpo-seed0").exists()


def test_without_locked_tests_there_is_nothing_to_guard(tmp_path: Path) -> None:
    made = experiment(tmp_path, {"grpo": 1.0}, families=6, variants=1, samples=2, locked=False)
    made.declare()
    change_an_answer(made, "grpo-seed0")
    assert made.open_locked_tests("grpo-seed0").last.tests == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"split": "exam"}, "--split: 'exam' is none of"),
        ({"split": "dev"}, "expected policy 'grpo-seed0', and a task of split 'dev'"),
        ({"policy": "ppo-seed0"}, "--policy: 'ppo-seed0' is none of"),
        ({"policy": "random-reward-seed0"}, "is of policy 'grpo-seed0'"),
        ({"training": None}, "--training: is missing"),
        ({"rollouts": []}, "--rollouts: hold no answer"),
    ],
)
def test_what_does_not_belong_together_is_one_line(
    made: Experiment, change: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        made.open_locked_tests("grpo-seed0", **change)


def test_the_judge_runs_locked_tests_on_no_other_answers(made: Experiment) -> None:
    from codeself.cli.execute_rollouts import command as judge

    given = {
        "tasks": made.folder / "tasks.jsonl",
        "rollouts": answers(made, "base"),
        "output": made.folder / "judged.jsonl",
        "locked_reads": made.reads("grpo-seed0"),
    }
    with pytest.raises(InputError, match="allows no reading of locked tests with these rollouts"):
        judge(**given)
    tasks = made.folder / "other.jsonl"
    tasks.write_text((made.folder / "tasks.jsonl").read_text() + "\n")
    with pytest.raises(InputError, match="is of another task file"):
        judge(**given | {"tasks": tasks, "locked_reads": made.reads("base")})
    assert not (made.folder / "judged.jsonl").exists()


def test_locked_results_without_their_reading_are_not_compared(made: Experiment) -> None:
    given = made.arguments()["locked_reads"]
    assert isinstance(given, list)
    with pytest.raises(InputError, match="none is of policy 'random-reward-seed0', families, split test"):
        made.compare(locked_reads=given[:-1])
    change_an_answer(made, "grpo-seed0")
    made.open_locked_tests("grpo-seed0", further=["a trial"])
    with pytest.raises(InputError, match="allows no reading of locked tests with these rollouts"):
        made.compare()


def test_the_reports_print_every_further_reading(made: Experiment, tmp_path: Path) -> None:
    from codeself.cli.make_report import command as baseline
    from codeself.cli.report_evidence import command as report

    def evidence() -> str:
        report(
            plan=made.plan,
            comparisons=made.folder / "comparisons.json",
            output_md=tmp_path / "evidence.md",
            output_html=tmp_path / "evidence.html",
            figures=tmp_path / "figures",
        )
        return (tmp_path / "evidence.md").read_text()

    made.compare()
    text = evidence()
    assert "Locked tests were read once for each policy and task set" in text
    assert "more than once" not in text
    original = answers(made, "base").read_bytes()
    change_an_answer(made, "base")
    made.open_locked_tests("base", further=["a first trial"])
    answers(made, "base").write_bytes(original)
    made.open_locked_tests("base", further=["a first trial", "back again"])
    made.compare()
    text = evidence()
    said = "with answers of `base`, 3 times, the later readings asked for as “a first trial” and “back again”"
    assert text.count(said) == 2
    assert "| 2: a first trial |" in text
    baseline(
        metrics=[made.folder / "metrics" / "base" / "test.json"],
        per_task=[made.folder / "metrics" / "base" / "test.tasks.csv"],
        locked_reads=[made.reads("base")],
        output_md=tmp_path / "baseline.md",
        output_html=tmp_path / "baseline.html",
        figures=tmp_path / "baseline_figures",
    )
    assert said in (tmp_path / "baseline.md").read_text()
    assert said.replace("`base`", "<code>base</code>") in (tmp_path / "baseline.html").read_text()
