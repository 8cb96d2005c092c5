"""A small experiment on the real graph: real rules, real commands, a few families, the mock policy."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

FAMILIES_A_FILE = 2
CONFIG = {
    "results": "results/tiny",
    "base": "mock",
    "tasksets": {
        "families": {
            "definitions": "tiny_families",
            "variants": 1,
            "splits": {"fractions": {"train": 0.3, "dev": 0.2, "test": 0.5}},
        }
    },
    "sampling": {"samples": 2},
    "metrics": {"k": [1, 2], "resamples": 200},
    "practice": {
        "arms": ["grpo", "random-reward"],
        "steps": 2,
        "prompts_per_step": 4,
        "samples": 4,
        "checkpoint_every": 1,
        "optimizer": {"learning_rate": 0.3, "minibatches": 1},
    },
}


# Read by every Python process of a run: writes down which modules of the package it had loaded at its end.
LOADED = """
import atexit, os, sys
def write():
    names = sorted(name for name in sys.modules if name.split(".")[0] == "codeself")
    if names:
        with open(f"{os.environ['LOADED_MODULES']}/{os.getpid()}", "w") as stream:
            stream.write("\\n".join([" ".join(sys.argv), *names]))
if "LOADED_MODULES" in os.environ:
    atexit.register(write)
"""


@dataclass(frozen=True)
class Project:
    """A copy of the repository with the small experiment in config/tiny.yaml. Its code is the copy's own."""

    folder: Path

    @property
    def results(self) -> Path:
        return self.folder / "results" / "tiny"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LOADED_MODULES": str(self.folder / "loaded"),
        }

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", *arguments, "--configfile", "config/tiny.yaml"]

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def make_everything(self) -> str:
        done = self.snakemake()
        assert done.returncode == 0, done.stdout
        return done.stdout

    def stale_rules(self) -> set[str]:
        """The rules that the next run would run, and nothing when there is nothing to do."""
        planned = self.snakemake("--dry-run")
        assert planned.returncode == 0, planned.stdout
        if "Nothing to be done" in planned.stdout:
            return set()
        return {
            line.split()[1].rstrip(":") for line in planned.stdout.splitlines() if line.startswith("rule ")
        }

    def loaded_modules(self) -> dict[str, set[str]]:
        """For each command that ran to its end here, the modules of the package that it had loaded."""
        loaded: dict[str, set[str]] = {}
        for path in (self.folder / "loaded").iterdir():
            words, *names = path.read_text().splitlines()
            program, _, rest = words.partition(" ")
            if Path(program).name == "codeself":
                loaded.setdefault(rest.split()[0], set()).update(names)
        return loaded

    def edit(self, module: str, edit: Callable[[str], str]) -> None:
        path = self.folder / "codeself" / module
        text = path.read_text()
        assert edit(text) != text
        path.write_text(edit(text))

    def configure(self, key: str, value: object) -> None:
        """Set a key of the experiment's config; a mapping is laid over the one that is there."""
        path = self.folder / "config" / "tiny.yaml"
        config = yaml.safe_load(path.read_text())
        config[key] = {**config.get(key, {}), **value} if isinstance(value, dict) else value
        path.write_text(yaml.safe_dump(config))

    def artifacts(self) -> dict[str, bytes]:
        """Every file of the record: logs, benchmarks and facts of the host hold timings, and are no part of it."""
        return {
            str(path.relative_to(self.results)): path.read_bytes()
            for path in sorted(self.results.rglob("*"))
            if path.is_file()
            and path.relative_to(self.results).parts[0] not in {"logs", "benchmarks"}
            and path != self.results / "archive" / "host.json"
        }


def new_project(root: Path, folder: Path) -> Project:
    folder.mkdir(parents=True)
    shutil.copy2(root / "Snakefile", folder)
    for name in ("codeself", "config", "profiles", "resources", "workflow"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    few: dict[str, object] = {}
    (folder / "tiny_families").mkdir()
    for path in sorted((folder / "resources" / "families").glob("*.yaml")):
        few = dict(list(yaml.safe_load(path.read_text()).items())[:FAMILIES_A_FILE])
        (folder / "tiny_families" / path.name).write_text(
            yaml.safe_dump(few, sort_keys=False, allow_unicode=True)
        )
    (folder / "loaded").mkdir()
    (folder / "sitecustomize.py").write_text(LOADED)
    (folder / "config" / "tiny.yaml").write_text(yaml.safe_dump(CONFIG))
    return Project(folder)


@pytest.fixture(scope="session")
def finished(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The small experiment, run to its end. Shared by all test processes: to copy, not to change."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (shared / "finished.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        project = Project(shared / "finished")
        if not project.folder.exists():
            making = new_project(root, shared / f"making-{os.getpid()}")
            making.make_everything()
            making.folder.rename(project.folder)
    return project


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A finished project of the test's own, times of files kept."""
    subprocess.run(["cp", "-a", str(finished.folder), str(tmp_path / "project")], check=True)
    return Project(tmp_path / "project")


@pytest.fixture
def fresh_project(root: Path, tmp_path: Path) -> Project:
    """A project in which nothing has been made."""
    return new_project(root, tmp_path / "fresh")
