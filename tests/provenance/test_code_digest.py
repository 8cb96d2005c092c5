"""A command's digest follows the code that the command runs, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from codeself.cli import COMMANDS, module_of
from codeself.provenance.code_digest import code_digest, modules_behind

FILES = {
    "__init__.py": "__version__ = '1'\n",
    "cli/__init__.py": "COMMANDS = ('grade', 'greet')\n",
    "cli/grade.py": (
        '"""grade."""\n\n\ndef command():\n    from codeself.judging.judge import judge\n    return judge()\n'
    ),
    "cli/greet.py": "def command():\n    return 'hello'\n",
    "judging/__init__.py": '"""Judging."""\n',
    "judging/judge.py": (
        "from typing import TYPE_CHECKING\n\nfrom codeself.judging import limits\n\n"
        "if TYPE_CHECKING:\n    from codeself.words import WORDS\n\n\n"
        "def judge():\n    '''Judges.'''\n    # by the limits\n    return limits.LIMIT, 'worker.py'\n"
    ),
    "judging/limits.py": "from .units import SECOND\n\nLIMIT = 3 * SECOND\n",
    "judging/units.py": "SECOND = 1\n",
    "judging/worker.py": "print('works')\n",
    "words.py": "WORDS = ['hello']\n",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "before" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "before"


def edited(package: Path, name: str, old: str, new: str) -> Path:
    """A copy of the package in which one module differs."""
    copy = Path(shutil.copytree(package, package.with_name("after")))
    text = (copy / name).read_text()
    assert old in text
    (copy / name).write_text(text.replace(old, new))
    return copy


def test_everything_a_command_reaches_is_counted(package: Path) -> None:
    assert modules_behind("codeself.cli.grade", root=package) == [
        "codeself.cli.grade",
        "codeself.judging",
        "codeself.judging.judge",
        "codeself.judging.limits",
        "codeself.judging.units",
        "codeself.judging.worker",
    ]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("cli/grade.py", '"""grade."""', '"""Grade, in better words."""'),
        ("judging/judge.py", "# by the limits", "# in other words\n\n"),
        ("judging/judge.py", "'''Judges.'''", "'''Judges well.'''"),
        ("judging/__init__.py", '"""Judging."""', ""),
    ],
    ids=["docstring of the command", "comment", "docstring", "no docstring"],
)
def test_words_about_the_code_do_not_count(package: Path, name: str, old: str, new: str) -> None:
    assert code_digest("grade", root=edited(package, name, old, new)) == code_digest("grade", root=package)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("cli/grade.py", "return judge()", "return [judge()]"),
        ("judging/__init__.py", '"""Judging."""', "import this"),
        ("judging/limits.py", "3 *", "4 *"),
        ("judging/units.py", "= 1", "= 2"),
        ("judging/worker.py", "works", "rests"),
    ],
    ids=["the command", "a package", "imported in a function", "relative import", "run by its file name"],
)
def test_an_edit_of_reached_code_counts(package: Path, name: str, old: str, new: str) -> None:
    after = edited(package, name, old, new)
    assert code_digest("grade", root=after) != code_digest("grade", root=package)
    assert code_digest("greet", root=after) == code_digest("greet", root=package)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("words.py", "hello", "bye"),
        ("cli/greet.py", "hello", "bye"),
        ("cli/__init__.py", "'greet'", "'greet', 'part'"),
        ("__init__.py", "'1'", "'2'"),
    ],
    ids=["only for type checkers", "another command", "the list of commands", "the version"],
)
def test_an_edit_elsewhere_does_not_count(package: Path, name: str, old: str, new: str) -> None:
    assert code_digest("grade", root=edited(package, name, old, new)) == code_digest("grade", root=package)


def test_modules_loaded_by_a_made_up_name_count(package: Path) -> None:
    after = edited(package, "cli/greet.py", "'hello'", "__import__(f\"codeself.judging.{'units'}\")")
    assert "codeself.judging.units" in modules_behind("codeself.cli.greet", root=after)


def test_what_a_use_of_the_command_never_runs_can_be_left_out(package: Path) -> None:
    unused = ["codeself.judging.limits"]
    assert modules_behind("codeself.cli.grade", unused, package) == [
        "codeself.cli.grade",
        "codeself.judging",
        "codeself.judging.judge",
        "codeself.judging.worker",
    ]
    after = edited(package, "judging/units.py", "= 1", "= 2")
    assert code_digest("grade", unused, after) == code_digest("grade", unused, package)


def test_leaving_out_a_module_that_does_not_exist_is_an_error(package: Path) -> None:
    with pytest.raises(LookupError, match=r"codeself\.judging\.limit$"):
        code_digest("grade", ["codeself.judging.limit"], package)


def test_an_unknown_command_is_an_error(package: Path) -> None:
    with pytest.raises(LookupError, match=r"codeself\.cli\.no_such"):
        code_digest("no-such", root=package)


def test_no_module_is_beyond_the_digests_of_all_commands(root: Path) -> None:
    """A module that no command reaches is dead, or is loaded in a way that staleness by code cannot see."""
    reached = {name for command in COMMANDS for name in modules_behind(module_of(command))}
    modules = {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        for path in (root / "codeself").rglob("*.py")
    }
    # The program's own start, and what works on the graph from outside it.
    outside = {"codeself", "codeself.__main__", "codeself.cli", "codeself.provenance"}
    outside |= {name for name in modules if name.startswith("codeself.provenance.")}
    outside.add("codeself.sandbox.trl_reward")  # for other trainers to import
    assert modules - reached - outside == set()
