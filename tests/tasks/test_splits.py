"""Splits: whole families, independent of order, stable under growth, near-duplicates on one side."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeself.records.datasets import SplitConfig
from codeself.records.errors import InputError
from codeself.records.tasks import SPLITS, SplitManifest, Task
from codeself.tasks.splits import family_sides, split_tasks
from tests.tasks.made_up import made_up

NAMES = st.lists(st.text("abcdefgh", min_size=1, max_size=6), unique=True, min_size=1, max_size=30)
WORDS = "amber basil cedar dune ember fjord grove heath inlet jetty knoll ledge marsh".split()


def task(family: str, variant: int = 0, prompt: str = "") -> Task:
    """A task whose words come from its family's name, so that families do not read alike."""
    words = random.Random(family)
    text = prompt or " ".join(words.choices(WORDS, k=14))
    body = " + ".join(f"{word}(n)" for word in words.choices(WORDS, k=10))
    return made_up(
        task_id=f"{family}/{variant}",
        family=family,
        prompt=f"{text} {variant}",
        reference_solution=f"def double(n):\n    return {body}\n",
    )


def split(tasks: list[Task], **changes: object) -> SplitManifest:
    config = SplitConfig.model_validate(changes)
    return split_tasks(tasks, config, taskset="t", tasks_sha256="0" * 64)


def side(manifest: SplitManifest, task_id: str) -> str:
    (found,) = [name for name in SPLITS if task_id in manifest.task_ids[name]]
    return found


@settings(deadline=None, max_examples=30)
@given(NAMES, st.randoms())
def test_every_task_is_in_one_split_whatever_the_order(names: list[str], order: random.Random) -> None:
    tasks = [task(name, variant) for name in names for variant in range(2)]
    manifest = split(tasks)
    ids = list(itertools.chain(*manifest.task_ids.values()))
    assert sorted(ids) == sorted(t.task_id for t in tasks)
    shuffled = list(tasks)
    order.shuffle(shuffled)
    assert split(shuffled) == manifest


@settings(deadline=None, max_examples=30)
@given(NAMES)
def test_a_family_is_never_divided(names: list[str]) -> None:
    manifest = split([task(name, variant) for name in names for variant in range(3)])
    families = list(itertools.chain(*manifest.families.values()))
    assert len(families) == len(set(families)) == len(names)


@settings(deadline=None, max_examples=30)
@given(NAMES, st.data())
def test_a_late_family_variant_stays_in_its_split_and_moves_nothing(
    names: list[str], data: st.DataObject
) -> None:
    tasks = [task(name) for name in names]
    before = split(tasks)
    late = data.draw(st.sampled_from(names))
    after = split([task(late, 1), *tasks])
    assert side(after, f"{late}/1") == side(before, f"{late}/0")
    assert all(side(after, t.task_id) == side(before, t.task_id) for t in tasks)


@given(st.sets(st.integers(0, 40), min_size=2), st.sets(st.integers(0, 40)), st.integers(0, 5))
def test_a_late_family_moves_no_other(first: set[int], more: set[int], seed: int) -> None:
    config = SplitConfig(seed=seed)
    before = family_sides({f"f{n}" for n in first}, [], config)
    after = family_sides({f"f{n}" for n in first | more}, [], config)
    assert after.items() >= before.items()


@given(
    st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=15),
    st.randoms(),
)
def test_families_that_read_alike_share_a_side(pairs: list[tuple[int, int]], order: random.Random) -> None:
    names = {f"f{n}" for n in range(20)}
    alike = [(f"f{a}", f"f{b}") for a, b in pairs]
    sides = family_sides(names, alike, SplitConfig())
    assert all(sides[a] == sides[b] for a, b in alike)
    order.shuffle(alike)
    assert family_sides(names, alike, SplitConfig()) == sides


def test_near_duplicates_of_different_families_are_kept_together_and_named() -> None:
    twin = task("left").model_copy(update={"task_id": "right/0", "family": "right"})
    tasks = [task(f"f{n}") for n in range(20)] + [task("left"), twin]
    manifest = split(tasks)
    (pair,) = manifest.near_duplicates
    assert (pair.first, pair.second, pair.similarity) == ("left/0", "right/0", 1.0)
    assert pair.splits[0] == pair.splits[1]


def test_shares_are_met_over_many_families() -> None:
    sides = family_sides({f"family {n}" for n in range(4000)}, [], SplitConfig())
    shares = {name: sum(s == name for s in sides.values()) / 4000 for name in SPLITS}
    # Four standard deviations of a share over 4000 draws are at most 0.032.
    assert shares == pytest.approx({"train": 0.6, "dev": 0.1, "test": 0.3}, abs=0.032)


def test_the_seed_deals_anew() -> None:
    names = {f"f{n}" for n in range(50)}
    assert family_sides(names, [], SplitConfig(seed=1)) != family_sides(names, [], SplitConfig(seed=2))


def test_a_share_of_nothing_gets_nothing() -> None:
    config = SplitConfig.model_validate({"fractions": {"train": 0, "dev": 0, "test": 1}})
    assert set(family_sides({f"f{n}" for n in range(50)}, [], config).values()) == {"test"}


def test_origin_follows_the_dataset_and_reports_twins_that_it_parts() -> None:
    left = task("left").model_copy(update={"metadata": {"split": "train"}})
    right = left.model_copy(update={"task_id": "right/0", "metadata": {"split": "test"}})
    manifest = split([left, right], method="origin")
    assert manifest.task_ids["train"] == ("left/0",)
    assert manifest.task_ids["test"] == ("right/0",)
    (pair,) = manifest.near_duplicates
    assert pair.splits == ("train", "test")


def test_origin_needs_the_datasets_split() -> None:
    with pytest.raises(InputError, match=r"task 'a/0': metadata\.split is None; expected train, dev or test"):
        split([task("a")], method="origin")
