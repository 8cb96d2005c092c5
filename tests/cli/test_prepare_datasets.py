"""prepare-datasets, from files to files, references run in the real sandbox."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from codeself.cli.prepare_datasets import command
from codeself.records.errors import InputError
from codeself.records.jsonl import write_records
from codeself.records.tasks import CallTest, CheckTest, read_tasks
from tests.tasks.made_up import made_up


def some_rows(source: Path, target: Path, count: int) -> Path:
    lines = gzip.decompress(source.read_bytes()).splitlines(keepends=True)[:count]
    target.write_bytes(gzip.compress(b"".join(lines)))
    return target


def test_mbpp_becomes_tasks_and_twins_share_a_family(
    datasets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command(output=tmp_path / "t.jsonl", format="mbpp", name="mbpp", tasks=datasets / "mbpp.jsonl")
    tasks = {task.task_id: task for task in read_tasks(tmp_path / "t.jsonl")}
    assert len(tasks) == 974
    assert tasks["mbpp/704"].family == tasks["mbpp/248"].family == "mbpp/248"
    assert "974 tasks with 974 public, 1,948 hidden, 0 locked tests" in capsys.readouterr().err


def test_humaneval_with_plus_runs_references_in_the_sandbox(datasets: Path, tmp_path: Path) -> None:
    files = [
        some_rows(datasets / f"{n}.jsonl.gz", tmp_path / f"{n}.jsonl.gz", 4)
        for n in ("HumanEval", "HumanEvalPlus")
    ]
    for output in ("a.jsonl", "b.jsonl"):
        command(output=tmp_path / output, format="humaneval", name="h", tasks=files[0], plus=files[1])
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    first, *_ = tasks = read_tasks(tmp_path / "a.jsonl")
    assert len(tasks) == 4
    assert [type(test) for test in first.hidden_tests] == [CheckTest]
    assert CallTest(args=([1.0, 2.0, 3.0], 0.5), expected=False) in first.public_tests
    assert len(first.locked_tests) > 500
    assert not any(test in first.locked_tests for test in first.public_tests)


def test_mbppplus_is_a_task_set_of_its_own(datasets: Path, tmp_path: Path) -> None:
    file = some_rows(datasets / "MbppPlus.jsonl.gz", tmp_path / "m.jsonl.gz", 4)
    command(output=tmp_path / "t.jsonl", format="mbppplus", name="m", tasks=file)
    first, *_ = read_tasks(tmp_path / "t.jsonl")
    assert first.task_id == "mbppplus/2"
    (public,) = first.public_tests
    assert isinstance(public, CallTest)
    assert public.args == ({"$tuple": [3, 4, 5, 6]}, {"$tuple": [5, 7, 4, 10]})
    assert public.compare == "set"


def test_families_are_drawn_by_their_seed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "families").mkdir()
    shutil.copy(root / "resources" / "families" / "predicates.yaml", tmp_path / "families")
    for output, seed in (("a.jsonl", 0), ("b.jsonl", 0), ("c.jsonl", 1)):
        command(
            output=tmp_path / output,
            format="families",
            name="f",
            definitions=tmp_path / "families",
            variants=1,
            seed=seed,
        )
    first, again, other = ((tmp_path / name).read_bytes() for name in ("a.jsonl", "b.jsonl", "c.jsonl"))
    assert first == again != other


def test_canonical_tasks_are_checked_and_kept(tmp_path: Path) -> None:
    write_records(tmp_path / "mine.jsonl", [made_up()])
    command(output=tmp_path / "t.jsonl", format="canonical", name="mine", tasks=tmp_path / "mine.jsonl")
    assert read_tasks(tmp_path / "t.jsonl") == [made_up(origin="mine")]


def test_a_reference_that_does_not_answer_is_one_clear_error(tmp_path: Path) -> None:
    row = {
        "task_id": "Mbpp/1",
        "prompt": "",
        "entry_point": "f",
        "canonical_solution": "def f(x): return 1 / x\n",
        "base_input": [[1], [0]],
        "plus_input": [],
        "atol": 0,
        "contract": "",
        "assertion": "assert f(1) == 1",
    }
    (tmp_path / "p.jsonl").write_text(json.dumps(row))
    with pytest.raises(InputError, match="the reference f, input 1: ZeroDivisionError"):
        command(output=tmp_path / "t.jsonl", format="mbppplus", name="m", tasks=tmp_path / "p.jsonl")
    assert not (tmp_path / "t.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"format": "apps"}, "'apps' is not a format; expected one of families, mbpp"),
        ({"format": "mbpp"}, "--tasks: is missing"),
        ({"format": "mbppplus", "tasks": Path("x"), "plus": Path("y")}, "--plus: format mbppplus takes no"),
    ],
)
def test_flags_that_do_not_fit_are_named(tmp_path: Path, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        command(output=tmp_path / "t.jsonl", name="x", **arguments)  # type: ignore[arg-type]
