"""compare-policies and report-evidence, from files to claims."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from codeself.cli.evaluate_rollouts import command as evaluate
from codeself.cli.report_evidence import command as report
from codeself.records.digests import sha256_file
from codeself.records.errors import InputError
from codeself.records.jsonl import read_record, read_records, write_records
from codeself.records.metrics import Metrics
from codeself.records.verdicts import Verdict
from codeself.reports.claims import claim
from tests.experiments import Experiment, experiment


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """Two arms of which one learned much, a placebo that learned nothing, two training seeds each."""
    folder = tmp_path_factory.mktemp("finished")
    gains = {"grpo": 1.6, "ppo": 0.0, "random-reward": 0.0}
    made = experiment(folder, gains, seeds=(0, 1), families=20, variants=2, samples=6)
    made.declare()
    made.compare()
    return made


@pytest.fixture
def made(finished: Experiment, tmp_path: Path) -> Experiment:
    """An experiment of the test's own."""
    return finished.copied(tmp_path / "made")


def write_report(made: Experiment, folder: Path, **more: object) -> None:
    report(
        plan=made.plan,
        comparisons=made.folder / "comparisons.json",
        output_md=folder / "evidence.md",
        output_html=folder / "evidence.html",
        figures=folder / "figures",
        **more,  # type: ignore[arg-type]
    )


def test_a_planted_gain_is_found_and_none_is_not(made: Experiment) -> None:
    found = {result.endpoint.name: result for result in made.compare().endpoints}
    assert found["grpo-over-base"].significant
    assert found["grpo-over-random-reward"].significant
    assert not found["random-reward-over-base"].significant
    assert not found["ppo-over-random-reward"].significant
    assert found["grpo-over-base"].difference.method == "bca-family-seed"
    assert found["grpo-over-base"].p_adjusted >= found["grpo-over-base"].p


def test_differences_are_those_of_the_metrics_files(made: Experiment) -> None:
    compared = made.compare()
    rate = {}
    for policy in made.policies:
        outcome = read_record(made.folder / "metrics" / policy / "test.json", Metrics).main
        rate[policy] = outcome.pass_at_k[0].estimate.value
    of_arm = {arm: (rate[f"{arm}-seed0"] + rate[f"{arm}-seed1"]) / 2 for arm in made.arms} | {
        "base": rate["base"]
    }
    for result in compared.endpoints:
        if result.endpoint.answers == "sampled":
            expected = of_arm[result.endpoint.arm.name] - of_arm[result.endpoint.comparator.name]
            assert result.difference.value == pytest.approx(expected, abs=1e-12)
    assert {side.name: side.sampled.value for side in compared.sides if side.sampled} == pytest.approx(of_arm)


def test_the_base_has_the_rates_and_intervals_of_its_own_evaluation(made: Experiment) -> None:
    own = read_record(made.folder / "metrics" / "base" / "test.json", Metrics)
    made.declare(resamples=own.resamples, confidence=own.confidence, seed=own.seed)
    base = made.compare().sides[0]
    assert (base.sampled, base.greedy) == (own.main.pass_at_k[0].estimate, own.main.greedy)


def test_the_parts_of_a_gain_add_up_to_it(made: Experiment) -> None:
    compared = made.compare()
    gains = {r.endpoint.name: r.difference for r in compared.endpoints}
    for control in compared.controls:
        whole = control.formatting.value + control.solving.value
        assert whole == pytest.approx(control.gain.value, abs=1e-12)
        assert control.gain == gains[f"{control.arm}-over-base"]
        assert sum(map(sum, control.transitions.shares)) == pytest.approx(1, abs=1e-12)
        assert {gap.name for gap in control.gaps} == {"public to hidden", "hidden to locked"}
    grpo = compared.controls[0]
    right = grpo.transitions.classes.index("right")
    column = sum(row[right] for row in grpo.transitions.shares)
    assert column == pytest.approx(compared.sides[1].sampled.value)  # type: ignore[union-attr]
    assert {each.name for each in compared.slices} == {"lists", "strings", "numbers"}


def test_the_same_files_give_the_same_bytes(made: Experiment) -> None:
    before = (made.folder / "comparisons.json").read_bytes()
    made.compare()
    assert (made.folder / "comparisons.json").read_bytes() == before


def test_a_plan_that_training_did_not_have_is_refused(made: Experiment) -> None:
    plan = json.loads(made.plan.read_text())
    made.plan.write_text(json.dumps(plan | {"alpha": 0.1}))
    with pytest.raises(InputError, match=r"grpo-seed0/done\.json: was trained under another plan"):
        made.compare()


@pytest.mark.parametrize("done", ["{}", '{"plan_sha256": null}', "[]"])
def test_training_without_a_plan_is_refused(made: Experiment, done: str) -> None:
    (made.folder / "training" / "ppo-seed1" / "done.json").write_text(done)
    with pytest.raises(InputError, match=r"ppo-seed1/done\.json: has no plan_sha256"):
        made.compare()


def test_policies_with_other_tasks_are_refused(made: Experiment) -> None:
    table = made.folder / "metrics" / "ppo-seed0" / "test.tasks.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines[:-1], lines[-1].replace(lines[-1].split(",")[0], "another/0")]) + "\n")
    with pytest.raises(InputError, match=r"has task '.*' and policy '.*' has not"):
        made.compare()
    table.write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(InputError, match=r"has 31 tasks, its metrics 32 and the plan 32"):
        made.compare()


def test_a_task_without_an_answer_is_refused(made: Experiment) -> None:
    table = made.folder / "metrics" / "base" / "test.tasks.csv"
    first, row, *rest = table.read_text().splitlines()
    cells = row.split(",")
    names = first.split(",")
    for name, value in (("samples", "0"), ("right_hidden", "0"), ("right_locked", "0")):
        cells[names.index(name)] = value
    table.write_text("\n".join([first, ",".join(cells), *rest]) + "\n")
    with pytest.raises(InputError, match=rf"task '{cells[0]}' has no sampled answer"):
        made.compare()


def test_missing_files_of_a_policy_are_named(made: Experiment) -> None:
    given = made.arguments()
    with pytest.raises(InputError, match="policy 'random-reward-seed1', which has no metrics"):
        made.compare(
            metrics=given["metrics"][:-1], per_task=given["per_task"][:-1], verdicts=given["verdicts"][:-1]
        )  # type: ignore[index]
    with pytest.raises(InputError, match=r"no done\.json of 'random-reward-seed1'"):
        made.compare(training=given["training"][:-1])  # type: ignore[index]


def test_other_verdicts_than_those_of_the_metrics_are_refused(made: Experiment) -> None:
    path = made.folder / "parts" / "base" / "test.verdicts.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[::-1]) + "\n")
    with pytest.raises(InputError, match="none of the metrics given was made from these verdicts"):
        made.compare()


@pytest.mark.parametrize(
    ("families", "variants", "samples", "greedy", "gain"),
    [
        (3, 1, 4, True, 0.0),
        (3, 3, 2, True, 1.0),
        (6, 1, 1, True, 0.0),
        (6, 2, 0, True, 2.0),
        (6, 2, 3, False, 60.0),
        (6, 1, 2, True, -60.0),
    ],
    ids=["one task", "one family", "one sample", "greedy alone", "all right", "all wrong"],
)
def test_extreme_experiments_have_a_result_and_a_report(
    tmp_path: Path, families: int, variants: int, samples: int, greedy: bool, gain: float
) -> None:
    made = experiment(
        tmp_path,
        {"grpo": gain, "random-reward": 0.0},
        families=families,
        variants=variants,
        samples=samples,
        greedy=greedy,
        locked=False,
    )
    made.declare()
    compared = made.compare()
    assert compared.tests == "hidden"
    for result in compared.endpoints:
        assert -1 <= result.difference.low <= result.difference.value <= result.difference.high <= 1
        assert 0 <= result.p <= result.p_adjusted <= 1
        assert not result.significant or families > 3
    write_report(made, tmp_path / "out")
    pages = [(tmp_path / "out" / name).read_text() for name in ("evidence.md", "evidence.html")]
    assert all(re.findall(r"\b(nan|inf|None)\b", page) == [] for page in pages)


def test_equal_answers_have_no_discordant_pair_and_no_claim_of_a_change(
    made: Experiment, tmp_path: Path
) -> None:
    for policy in made.policies[1:]:
        give_answers_of_the_base(made, policy)
    for result in made.compare().endpoints:
        assert result.difference.value == 0
        assert result.difference.low < 0 < result.difference.high
        assert (result.p, result.significant) == (1, False)
        if result.discordant is not None:
            assert (result.discordant.lost, result.discordant.won, result.discordant.p_mid) == (0, 0, 1)
            assert result.discordant.tango.low < 0 < result.discordant.tango.high
    write_report(made, tmp_path / "out")
    assert "improved on" not in (tmp_path / "out" / "evidence.md").read_text()


def give_answers_of_the_base(made: Experiment, policy: str) -> None:
    parts = made.folder / "parts"
    verdicts = read_records(parts / "base" / "test.verdicts.jsonl", Verdict)
    write_records(
        parts / policy / "test.verdicts.jsonl",
        [
            each.model_copy(update={"rollout_id": each.rollout_id.replace("base/", f"{policy}/", 1)})
            for each in verdicts
        ],
    )
    evaluate(
        tasks=made.folder / "tasks.jsonl",
        rollouts=[parts / policy / "test.rollouts.jsonl"],
        verdicts=[parts / policy / "test.verdicts.jsonl"],
        splits=made.folder / "splits.json",
        split="test",
        resamples=200,
        output=made.folder / "metrics" / policy / "test.json",
        per_task=made.folder / "metrics" / policy / "test.tasks.csv",
    )


@pytest.mark.parametrize("value", ["nan", "NaN", "inf", "1e999"])
def test_a_count_that_is_no_number_is_named_with_its_place(made: Experiment, value: str) -> None:
    table = made.folder / "metrics" / "ppo-seed0" / "test.tasks.csv"
    first, row, *rest = table.read_text().splitlines()
    cells = row.split(",")
    cells[first.split(",").index("right_locked")] = value
    table.write_text("\n".join([first, ",".join(cells), *rest]) + "\n")
    with pytest.raises(InputError, match=r"test\.tasks\.csv, line 2: right_locked: "):
        made.compare()


def test_gains_elsewhere_leave_out_families_that_may_have_been_practised(made: Experiment) -> None:
    other = made.folder / "other"
    given: dict[str, list[Path]] = {"other_metrics": [], "other_per_task": []}
    for policy in made.policies:
        folder = made.folder / "metrics" / policy
        metrics = json.loads((folder / "test.json").read_text()) | {"taskset": "renamed"}
        (other / policy).mkdir(parents=True)
        (other / policy / "test.json").write_text(json.dumps(metrics))
        lines = (folder / "test.tasks.csv").read_text().splitlines()
        dev = (made.folder / "metrics" / "base" / "dev.tasks.csv").read_text().splitlines()[1:]
        (other / policy / "test.tasks.csv").write_text("\n".join([*lines, *dev]) + "\n")
        given["other_metrics"].append(other / policy / "test.json")
        given["other_per_task"].append(other / policy / "test.tasks.csv")
    compared = made.compare(**given)
    gains = {control.arm: control.gain.value for control in compared.controls}
    assert {each.arm: each.difference.value for each in compared.elsewhere} == pytest.approx(gains)
    grpo = next(each for each in compared.elsewhere if each.arm == "grpo")
    assert (grpo.taskset, grpo.tasks) == ("renamed", compared.tasks)
    assert grpo.survives == pytest.approx(1)
    with pytest.raises(InputError, match="--other-per-task: expected one for each"):
        made.compare(other_metrics=given["other_metrics"])


def test_the_report_says_what_was_tested_and_from_which_files(made: Experiment, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_report(made, out, splits=made.folder / "splits.json", title="Made up")
    text, page = (out / "evidence.md").read_text(), (out / "evidence.html").read_text()
    assert "`grpo` improved on `base` in sampled answers" in text
    assert "No difference between `ppo` and `random-reward` is shown" in text or "`ppo` is unchanged" in text
    assert "`ppo` improved" not in text
    for path in (made.plan, made.folder / "comparisons.json", *(made.arguments()["metrics"])):  # type: ignore[misc]
        assert sha256_file(path) in text
        assert sha256_file(path) in page
    for figure in (out / "figures").iterdir():
        assert f"](figures/{figure.name})" in text
    assert str(tmp_path) not in text + page
    assert page.count("<h2>") == page.count("</h2>") >= 6


def test_no_sentence_of_the_report_claims_a_change_but_those_of_the_tests(
    made: Experiment, tmp_path: Path
) -> None:
    plan, compared = made.declare(), made.compare()
    write_report(made, tmp_path)
    text, _, _ = (tmp_path / "evidence.md").read_text().partition("\n## Methods\n")
    claims = [
        claim(result, alpha=plan.alpha, power=plan.power, margin=plan.margin).text
        for result in compared.endpoints
    ]
    for sentence in claims:
        assert sentence in text
        text = text.replace(sentence, "")
    # The plan says what the word will mean.
    text = text.replace("A difference is called unchanged only where", "")
    assert re.findall(r"\b(improve\w*|better|worse|unchanged|learned)\b", text) == []


def test_a_report_on_another_plan_is_refused(made: Experiment, tmp_path: Path) -> None:
    made.plan.write_text(made.plan.read_text() + " ")
    with pytest.raises(InputError, match="was made from another plan"):
        write_report(made, tmp_path)
    assert not (tmp_path / "evidence.md").exists()
