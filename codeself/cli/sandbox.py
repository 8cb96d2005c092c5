"""sandbox: what isolation this machine offers."""

from __future__ import annotations

import typer

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Ask about the sandbox.")


@group.callback()
def _root() -> None:
    """What isolation this machine offers for untrusted code."""


@group.command()
def doctor() -> None:
    """Try every level of isolation, say which are reached, and what to do to reach the next.

    Exits with 0 when strict is reached, with 1 otherwise.
    """
    from codeself.sandbox.doctor import MEANING, examine, machine

    for name, fact in machine().items():
        typer.echo(f"{name + ':':17} {fact}")
    reports = examine()
    for report in reports:
        typer.echo(f"\n{'yes' if report.reached else 'NO':4}{report.level}: {MEANING[report.level]}")
        if not report.reached:
            typer.echo(f"    why not: {report.reason}")
            for line in report.advice:
                typer.echo(f"    what to do: {line}")
    best = max(
        (report for report in reports if report.reached),
        key=lambda report: reports.index(report),
        default=None,
    )
    if best is None:
        typer.echo("\nNo candidate can be run here.")
    else:
        typer.echo(f"\nCandidates run at '{best.level}' here.")
    raise typer.Exit(0 if best and best.level == "strict" else 1)
