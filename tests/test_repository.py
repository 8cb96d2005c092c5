"""The repository keeps its own rules: layout, import directions, and lists that must agree."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from codeself.cli import COMMANDS, module_of
from codeself.provenance.config_reference import with_reference

# An import points only to a stage above it.
STAGES = (
    "records",
    "tasks",
    "policies",
    "sandbox",
    "rewards",
    "rollouts",
    "agents",
    "learning",
    "analysis",
    "reports",
    "provenance",
    "cli",
)
TOP_LEVEL = {
    "Snakefile", "Makefile", "environment.yml", "README.md", "methodology.md", "CONTRIBUTING.md",
    "CITATION.cff", "LICENSE", "pyproject.toml", "workflow", "codeself", "config", "resources",
    "results", "docker", "docs", "tests", "profiles",
    "requirements.core.lock", "requirements.train.lock", "requirements.dev.lock",
    "requirements.platform.lock",
}  # fmt: skip


@pytest.fixture(scope="module")
def tracked(root: Path) -> list[Path]:
    """The files that git tracks, with their text where they are text."""
    try:
        names = subprocess.run(
            ["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [Path(name) for name in names.split("\0") if name and (root / name).is_file()]


def modules(root: Path) -> dict[str, Path]:
    """The package's modules by dotted name."""
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted((root / "codeself").rglob("*.py"))
    }


def imports(path: Path) -> set[str]:
    """Dotted names of what a module imports from the package, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} has a relative import; name the module in full"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == "codeself"}


def stage_of(name: str) -> str:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


def test_imports_point_to_earlier_stages_only(root: Path) -> None:
    for name, path in modules(root).items():
        stage = stage_of(name)
        if stage not in STAGES:
            continue
        for imported in imports(path):
            other = stage_of(imported)
            if other in STAGES and other != stage:
                assert STAGES.index(other) < STAGES.index(stage), f"{name} imports {imported}"
                assert stage != "analysis" or other == "records", f"{name} imports {imported}"


def test_every_module_belongs_to_a_stage(root: Path) -> None:
    assert {stage_of(name) for name in modules(root)} - set(STAGES) - {"", "__main__"} == set()


def test_no_module_is_named_after_no_subject(root: Path) -> None:
    words = {word for name in modules(root) for part in name.split(".") for word in part.split("_")}
    assert words & {"utils", "util", "helpers", "helper", "common", "misc"} == set()


def test_every_module_says_what_it_is_for(root: Path) -> None:
    silent = [
        name for name, path in modules(root).items() if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_a_package_file_holds_a_docstring_only(root: Path) -> None:
    for name, path in modules(root).items():
        if path.name == "__init__.py" and name not in {"codeself", "codeself.cli"}:
            assert len(ast.parse(path.read_text()).body) == 1, f"{name} holds code"


def test_the_top_level_is_as_declared(tracked: list[Path]) -> None:
    found = {path.parts[0] for path in tracked if not path.parts[0].startswith(".")}
    assert found - TOP_LEVEL == set()


def test_no_machine_or_registry_is_named_in_a_tracked_file(root: Path, tracked: list[Path]) -> None:
    # Written in pieces, so that this file does not name them.
    words = [
        "/wo" + "rk/",
        "/ro" + "ot/",
        "py" + "pi.org",
        "python" + "hosted",
        "registry.npm" + "js",
        "deb.deb" + "ian",
    ]
    pattern = re.compile("|".join(map(re.escape, words)).encode(), re.IGNORECASE)
    guilty = [str(path) for path in tracked if pattern.search((root / path).read_bytes())]
    assert guilty == []


def test_every_command_is_a_rule_or_is_documented(root: Path) -> None:
    rules = "".join(path.read_text() for path in (root / "workflow" / "rules").glob("*.smk"))
    documents = "".join(path.read_text() for path in [root / "README.md", *(root / "docs").glob("*.md")])
    for command in COMMANDS:
        assert (root / Path(*module_of(command).split("."))).with_suffix(".py").is_file(), (
            f"{command} has no module"
        )
        words = f"codeself {command}"
        assert words in rules or words in documents or f"`{command}`" in documents, f"no word of {command}"


def test_every_rule_goes_stale_by_the_code_of_the_command_it_runs(root: Path) -> None:
    text = "".join(path.read_text() for path in (root / "workflow" / "rules").glob("*.smk"))
    config = (root / "workflow" / "rules" / "config.smk").read_text()
    rules = re.split(r"^rule ", text, flags=re.MULTILINE)[1:]
    assert rules
    for rule in rules:
        name = rule.partition(":")[0]
        (command,) = re.findall(r"['\"]codeself ([a-z-]+)", rule)
        (digest,) = re.findall(r"code=(\w+)", rule)
        if digest != "code_digest":  # a function in config.smk that leaves out what this use never runs
            rule += config[config.index(f"def {digest}(") :].partition("\ndef ")[0]
        assert f'code_digest("{command}"' in rule, name
        for part in ("input:", "output:", "log:", "benchmark:", "resources:", "shell:"):
            assert part in rule or (part == "input:" and name.startswith("fetch_")), f"{name} has no {part}"
        assert '"""' in rule, f"{name} does not say what it makes"


def test_the_conda_environment_asks_for_what_pyproject_asks_for(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = {
        requirement.lower()
        for group in (project["dependencies"], extras["train"], extras["crosscheck"], extras["dev"])
        for requirement in group
    }
    entries = yaml.safe_load((root / "environment.yml").read_text())["dependencies"]
    flat = [each for entry in entries for each in (entry["pip"] if isinstance(entry, dict) else [entry])]
    # Two packages have another name on conda.
    renamed = {"snakemake-minimal": "snakemake"}
    found = set()
    for entry in flat:
        name, sign, bound = entry.partition(">=")
        found.add(renamed.get(name, name) + sign + bound)
    assert found - {f"python{project['requires-python']}", "pip", "setuptools>=77"} == wanted


def test_the_table_of_config_keys_is_up_to_date(root: Path) -> None:
    text = (root / "config" / "README.md").read_text()
    assert with_reference(text) == text, "run python -m codeself.provenance.config_reference"


def test_the_published_schemas_are_up_to_date(root: Path, tmp_path: Path) -> None:
    from codeself.cli.write_schemas import command

    command(tmp_path)
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_text() for path in (root / "workflow" / "schemas").iterdir()}
    assert made == kept, "run codeself write-schemas"


def test_the_citation_names_this_version(root: Path) -> None:
    from codeself import __version__

    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert citation["version"] == project["version"] == __version__


def test_links_between_documents_lead_somewhere(root: Path, tracked: list[Path]) -> None:
    broken = [
        f"{path}: {target}"
        for path in tracked
        if path.suffix == ".md"
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", (root / path).read_text())
        if not (root / path.parent / target).exists()
    ]
    assert broken == []
