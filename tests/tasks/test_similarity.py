"""Near-duplicates: copies and siblings are found, whatever their names; strangers are not."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from codeself.tasks.formats.mbpp import load_mbpp
from codeself.tasks.similarity import clusters, code_tokens, near_duplicates, with_joint_families
from tests.tasks.made_up import made_up

COUNT = made_up(
    task_id="a",
    family="a",
    prompt="Write a function to count the vowels of a given string.",
    reference_solution="""\
def count(text):
    total = 0
    for c in text:
        if c in 'aeiou':
            total += 1
    return total
""",
)
RENAMED = made_up(
    task_id="b",
    family="b",
    prompt="Write a function to count the vowels of a given string!",
    reference_solution="""\
# other names
def vowels(s):
  n = 0
  for ch in s:
    if ch in 'aeiou':
      n += 1
  return n
""",
)
OTHER = made_up(
    task_id="c",
    family="c",
    prompt="Sort the words by length, longest first.",
    reference_solution="def by_length(words):\n    return sorted(words, key=len, reverse=True)\n",
)


def test_a_copy_with_other_names_is_found() -> None:
    (pair,) = near_duplicates([COUNT, OTHER, RENAMED])
    assert (pair.first, pair.second) == (0, 2)
    assert pair.similarity > 0.85


def test_names_do_not_matter_but_what_is_called_does() -> None:
    assert code_tokens("def f(a):\n    return len(a)") == code_tokens("def g(b):  # why\n  return len(b)\n")
    assert code_tokens("def f(a):\n    return len(a)") != code_tokens("def f(a):\n    return sum(a)")


def test_code_that_is_no_python_is_still_compared() -> None:
    assert code_tokens("def f(:\n  '''") != []


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_clusters_part_all_positions_and_join_every_pair(pairs: list[tuple[int, int]]) -> None:
    groups = clusters(10, pairs)
    assert sorted(position for group in groups for position in group) == list(range(10))
    assert all(any(a in group and b in group for group in groups) for a, b in pairs)


def test_near_duplicates_get_one_family() -> None:
    families = [task.family for task in with_joint_families([COUNT, OTHER, RENAMED])]
    assert families == ["a", "c", "a"]


def test_known_twins_of_mbpp_are_found(datasets: Path) -> None:
    tasks = load_mbpp(datasets / "mbpp.jsonl")
    pairs = {(tasks[p.first].task_id, tasks[p.second].task_id) for p in near_duplicates(tasks)}
    assert ("mbpp/248", "mbpp/704") in pairs  # word for word
    assert ("mbpp/412", "mbpp/824") in pairs  # "remove odd numbers", "remove even numbers"
    assert len(pairs) < len(tasks) / 4
