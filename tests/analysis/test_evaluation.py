"""An evaluation's numbers, against counts made independently of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from codeself.analysis.evaluation import evaluate
from codeself.analysis.matching import Graded, match
from codeself.analysis.outcomes import Settings
from codeself.records.errors import InputError
from codeself.records.metrics import InputDigests, Metrics, TaskRow
from codeself.records.verdicts import PhaseResult
from codeself.rewards import reward_v0_correctness
from tests.evaluations import MadeUp, made_up

SETTINGS = Settings("families", "test", (1, 4), 0.95, 300, 0.1, 0)
INPUTS = InputDigests(tasks="", rollouts=(), verdicts=())


def run(made: MadeUp, settings: Settings = SETTINGS, faults: int = 0) -> tuple[Metrics, list[TaskRow]]:
    """faults: how many of the graded rollouts, from the front, are taken for infrastructure faults."""
    graded = match(made.tasks, made.rollouts, made.verdicts)
    rewards = [reward_v0_correctness(item.verdict).value for item in graded[faults:]]
    return evaluate(graded[faults:], graded[:faults], rewards, "reward_v0_correctness", settings, INPUTS)


@pytest.fixture(scope="module")
def made() -> MadeUp:
    return made_up(families=9, variants=3, samples=6, seed=5)


@pytest.fixture(scope="module")
def found(made: MadeUp) -> tuple[Metrics, list[TaskRow]]:
    return run(made)


def test_rates_are_those_of_the_verdicts(made: MadeUp, found: tuple[Metrics, list[TaskRow]]) -> None:
    metrics, _ = found
    sampled = {r.rollout_id for r in made.rollouts if r.decoding == "sampled"}
    for tests, right in (("hidden", lambda v: v.correct), ("locked", lambda v: v.correct_locked)):
        outcome = metrics.outcome(tests)
        assert outcome is not None
        assert outcome.greedy is not None
        greedy = [right(v) for v in made.verdicts if v.rollout_id not in sampled]
        drawn = [right(v) for v in made.verdicts if v.rollout_id in sampled]
        assert outcome.greedy.value == pytest.approx(np.mean(greedy))
        assert outcome.pass_at_k[0].estimate.value == pytest.approx(np.mean(drawn))
        assert [point.k for point in outcome.pass_at_k] == [1, 4]
        assert [point.k for point in outcome.curve] == [1, 2, 3, 4, 5, 6]
        assert (outcome.tasks, outcome.families) == (27, 9)
    assert metrics.headline == "locked"
    assert metrics.main.tests == "locked"
    assert metrics.reward.mean == pytest.approx(np.mean([v.correct for v in made.verdicts]))


def test_every_candidate_is_in_the_phase_table_once(
    made: MadeUp, found: tuple[Metrics, list[TaskRow]]
) -> None:
    metrics, _ = found
    assert sum(c.greedy + c.sampled for c in metrics.phases) == metrics.completions == len(made.verdicts)
    expected = Counter((v.decided_by, v.status) for v in made.verdicts)
    assert {(c.phase, c.status): c.greedy + c.sampled for c in metrics.phases} == expected
    failures = Counter(v.candidate.status for v in made.verdicts if v.candidate.status != "parsed")
    assert metrics.parse_failures.reasons == failures


def test_rows_add_up_to_the_metrics(found: tuple[Metrics, list[TaskRow]]) -> None:
    metrics, rows = found
    assert len(rows) == metrics.tasks
    assert metrics.main.informative_groups is not None
    informative = [0 < (row.right_locked or 0) < row.samples for row in rows]
    assert metrics.main.informative_groups.value == pytest.approx(np.mean(informative))
    assert sum(row.truncated for row in rows) == metrics.lengths.truncated
    assert sum(metrics.lengths.histogram) == metrics.lengths.completions == metrics.completions
    assert sum(family.tasks for family in metrics.main.by_family) == metrics.tasks


def test_asking_for_another_k_moves_no_other_interval(
    made: MadeUp, found: tuple[Metrics, list[TaskRow]]
) -> None:
    metrics, _ = run(made, replace(SETTINGS, k=(1, 2)))
    assert metrics.main.pass_at_k[0] == found[0].main.pass_at_k[0]
    assert metrics.main.greedy == found[0].main.greedy


def test_the_same_evaluation_gives_the_same_metrics(
    made: MadeUp, found: tuple[Metrics, list[TaskRow]]
) -> None:
    assert run(made) == found


def test_a_fault_of_the_judge_is_in_no_rate(made: MadeUp, found: tuple[Metrics, list[TaskRow]]) -> None:
    graded = match(made.tasks, made.rollouts, made.verdicts)
    metrics, rows = run(made, faults=3)  # the first task's greedy answer and two of its samples
    assert metrics.infrastructure == 3
    assert metrics.completions == len(made.rollouts)
    assert rows[0].infrastructure == 3
    assert rows[0].greedy_hidden is None
    assert rows[0].samples == 4
    kept = [item.verdict.correct for item in graded[3:] if item.rollout.decoding == "greedy"]
    hidden = metrics.outcome("hidden")
    assert hidden is not None
    assert hidden.greedy is not None
    assert hidden.greedy.value == pytest.approx(np.mean(kept))
    assert hidden.greedy.tasks == 26
    assert [point.estimate.tasks for point in hidden.curve] == [27, 27, 27, 27, 26, 26]


def test_locked_tests_of_some_tasks_do_not_make_the_headline(made: MadeUp) -> None:
    bare = made.tasks[0].model_copy(update={"locked_tests": ()})
    verdicts = [
        v.model_copy(update={"correct_locked": None}) if v.task_id == bare.task_id else v
        for v in made.verdicts
    ]
    metrics, rows = run(replace(made, tasks=[bare, *made.tasks[1:]], verdicts=verdicts))
    assert metrics.headline == "hidden"
    locked = metrics.outcome("locked")
    assert locked is not None
    assert locked.tasks == 26
    assert [row.right_locked for row in rows if row.task_id == bare.task_id] == [None]


def test_locked_tests_run_for_some_candidates_only_are_refused(made: MadeUp) -> None:
    place = next(i for i, v in enumerate(made.verdicts) if v.correct)
    verdicts = list(made.verdicts)
    verdicts[place] = verdicts[place].model_copy(update={"correct_locked": None})
    with pytest.raises(InputError, match=f"rollout '{verdicts[place].rollout_id}'.*judge all of them"):
        run(replace(made, verdicts=verdicts))


def test_without_locked_tests_hidden_ones_make_the_headline() -> None:
    metrics, rows = run(made_up(families=4, variants=1, samples=4, locked=False))
    assert metrics.headline == "hidden"
    assert metrics.outcome("locked") is None
    assert {row.right_locked for row in rows} == {None}


def test_greedy_alone_and_samples_alone_are_evaluations_too() -> None:
    greedy, _ = run(made_up(families=4, variants=2, samples=0))
    assert greedy.main.pass_at_k == greedy.main.curve == ()
    assert greedy.main.informative_groups is None
    assert greedy.power.paired is None
    assert greedy.power.greedy is not None
    sampled, _ = run(made_up(families=4, variants=2, samples=4, greedy=False))
    assert sampled.main.greedy is None
    assert sampled.power.greedy is None
    assert sampled.power.paired is not None


@pytest.mark.parametrize("right", [1e-9, 1 - 1e-9])
@pytest.mark.parametrize(("families", "variants"), [(1, 1), (1, 3), (3, 1)])
def test_all_wrong_and_all_right_have_numbers_everywhere(right: float, families: int, variants: int) -> None:
    metrics, _ = run(made_up(families=families, variants=variants, samples=4, right=right))
    text = metrics.model_dump_json()
    assert "NaN" not in text
    assert "Infinity" not in text
    assert Metrics.model_validate_json(text) == metrics
    for point in metrics.main.curve:
        assert point.estimate.low < point.estimate.high


def test_more_tries_than_samples_have_no_estimate(made: MadeUp) -> None:
    with pytest.raises(
        InputError, match="pass@7 needs at least as many samples a task as k, and there are 6"
    ):
        run(made, replace(SETTINGS, k=(1, 7)))


def test_nothing_but_faults_is_no_evaluation(made: MadeUp) -> None:
    graded: list[Graded] = match(made.tasks, made.rollouts, made.verdicts)
    with pytest.raises(InputError, match="every verdict is an infrastructure fault"):
        evaluate([], graded, [], "reward_v0_correctness", SETTINGS, INPUTS)


def test_passing_only_what_was_shown_is_counted(made: MadeUp, found: tuple[Metrics, list[TaskRow]]) -> None:
    def shown_only(phases: dict[str, PhaseResult]) -> bool:
        return phases["public"].status == "passed" and phases["hidden"].status != "passed"

    expected = sum(shown_only({**v.phases}) for v in made.verdicts)
    assert found[0].passed_public_only == expected > 0
