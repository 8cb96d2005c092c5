"""The command line: one module a command, loaded only when that command runs.

A command module defines `command`, a function with typer annotations whose docstring is its help text.
Modules keep heavy imports inside the function, so that `codeself --help` stays light, and the modules that
a command imports are exactly those whose edit makes its artifacts stale. A module with subcommands defines
`group`, a typer application, instead.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from codeself import __version__
from codeself.records.errors import CodeselfError

# In the order data flows.
COMMANDS = (
    "fetch-dataset",
    "prepare-datasets",
    "validate-tasks",
    "audit-tasks",
    "split-tasks",
    "fetch-model",
    "plan",
    "train",
    "compare-training",
    "run-rollouts",
    "open-locked-tests",
    "execute-rollouts",
    "evaluate-rollouts",
    "compare-policies",
    "run-agentic",
    "report-agentic",
    "view-agent-trace",
    "make-report",
    "report-plan",
    "report-evidence",
    "index-reports",
    "make-manifest",
    "describe-record",
    "make-archive",
    "verify",
    "compare-records",
    "write-schemas",
    "judge",
    "sandbox",
)


def module_of(command: str) -> str:
    """The dotted name of the module that implements a command."""
    return f"codeself.cli.{command.replace('-', '_')}"


class _LazyGroup(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(module_of(cmd_name))
        if hasattr(module, "group"):
            return typer.main.get_command(module.group)
        app = typer.Typer(add_completion=False)
        app.command(name=cmd_name)(module.command)
        return typer.main.get_command(app)


app = typer.Typer(cls=_LazyGroup, no_args_is_help=True, add_completion=False, rich_markup_mode=None)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"codeself {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Print the version and exit."
    ),
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error."),
) -> None:
    """Practise a coding model with sandboxed test feedback, and measure honestly whether it improved.

    Each command makes one kind of artifact. `snakemake results/reports/all` calls them all in order.
    """


def main() -> Any:
    """Entry point of the console script. Errors that the user can act on are one line, without a traceback."""
    try:
        return app()
    except CodeselfError as error:
        if "--debug" in sys.argv[1:] or os.environ.get("CODESELF_DEBUG"):
            raise
        print(f"codeself: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
