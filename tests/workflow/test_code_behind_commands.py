"""What a command loads when it runs is behind the digest that makes its stage stale."""

from __future__ import annotations

from codeself.cli import module_of
from codeself.provenance.code_digest import modules_behind
from tests.workflow.conftest import Project

# The program's own start, which only chooses the command.
START = {"codeself", "codeself.__main__", "codeself.cli", "codeself.records", "codeself.records.errors"}


def test_no_command_loads_a_module_that_its_digest_does_not_know(finished: Project) -> None:
    loaded = finished.loaded_modules()
    assert {"prepare-datasets", "audit-tasks", "run-rollouts", "execute-rollouts", "make-report"} <= set(
        loaded
    )
    for command, names in loaded.items():
        assert names - START <= set(modules_behind(module_of(command))), command


def test_the_projects_own_families_are_made_without_the_modules_that_their_digest_leaves_out(
    finished: Project,
) -> None:
    names = finished.loaded_modules()["prepare-datasets"]
    assert "codeself.tasks.families.loading" in names
    assert {
        name for name in names if name.startswith(("codeself.sandbox.", "codeself.tasks.formats."))
    } == set()
    assert "codeself.tasks.similarity" not in names


def test_a_policy_samples_without_the_other_backends(finished: Project) -> None:
    names = finished.loaded_modules()["run-rollouts"]
    assert "codeself.policies.mock" in names
    assert names & {"codeself.policies.transformers", "codeself.policies.static"} == set()
