"""compare-training: how the arms practised, as a report, and what that cost, as a page beside the record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from codeself.analysis.practice_curves import Run
    from codeself.records.training import StepTiming


def command(
    plan: Annotated[Path, typer.Option(help="The plan that training waited for (JSON).")],
    training: Annotated[list[Path], typer.Option(help="done.json of a training run; give it again.")],
    metrics: Annotated[list[Path], typer.Option(help="Its metrics.jsonl, in the same order.")],
    timings: Annotated[list[Path], typer.Option(help="The seconds of its steps (JSONL), in the same order.")],
    output_md: Annotated[Path, typer.Option(help="Markdown file to write.")],
    output_html: Annotated[Path, typer.Option(help="HTML file to write: self-contained.")],
    figures: Annotated[Path, typer.Option(help="Folder that receives the figures (SVG).")],
    output_costs: Annotated[
        Path, typer.Option(help="Page of seconds and memory to write (Markdown): host facts, no record.")
    ],
    title: Annotated[str, typer.Option(help="Title of the experiment.")] = "Training",
    rate: Annotated[
        list[float] | None,
        typer.Option(
            min=0, max=1, help="Pass rate whose samples and seconds are sought; 0.25, 0.5 and 0.75 if none."
        ),
    ] = None,
    window: Annotated[int, typer.Option(min=1, help="Steps over which the pass rate is smoothed.")] = 3,
) -> None:
    """Show practice side by side: learning curves, diagnostics, endings, samples to a pass rate.

    The report describes and tests nothing. It is the same bytes for the same record; seconds are on the other page.
    """
    import os

    from codeself.analysis.practice_curves import by_arm
    from codeself.records.digests import sha256_file
    from codeself.records.files import write_text
    from codeself.records.jsonl import read_record
    from codeself.records.plan import Plan
    from codeself.reports.drawing import standalone
    from codeself.reports.file_links import link_html, link_markdown
    from codeself.reports.pages import render_html, render_markdown
    from codeself.reports.training import COSTS, EVIDENCE, METHODS, compose
    from codeself.reports.training_costs import METHODS as COSTS_METHODS
    from codeself.reports.training_costs import compose_costs

    declared, digest = read_record(plan, Plan), sha256_file(plan)
    _one_each(training, metrics, timings)
    rates = sorted(set(rate or (0.25, 0.5, 0.75)))
    runs = [_run(done, rows, plan, digest) for done, rows in zip(training, metrics, strict=True)]
    _each_once(runs, training)
    seconds = {run.name: _timings(run, path) for run, path in zip(runs, timings, strict=True)}

    report = compose(
        f"{title}: how the arms practised",
        declared,
        runs,
        rates,
        window,
        [(_shown(path), sha256_file(path)) for path in (plan, *training, *metrics)],
        Path(os.path.relpath(figures, output_md.parent)).as_posix(),
    )
    costs = compose_costs(
        f"{title}: what practice cost",
        by_arm(runs),
        seconds,
        rates,
        window,
        [(_shown(path), sha256_file(path)) for path in (*metrics, *timings)],
    )

    def links(page: Path) -> dict[str, str]:
        # The report of the declared tests stands beside this one.
        target = Path(os.path.relpath(output_costs, page.parent)).as_posix()
        return {COSTS: target, EVIDENCE: f"evidence{page.suffix}"}

    for drawn in report.figures:
        write_text(figures / f"{drawn.name}.svg", standalone(drawn.svg))
    write_text(output_md, link_markdown(render_markdown(report, METHODS), links(output_md)))
    write_text(output_html, link_html(render_html(report, METHODS), links(output_html)))
    write_text(output_costs, render_markdown(costs, COSTS_METHODS))


def _run(done: Path, metrics: Path, plan: Path, digest: str) -> Run:
    """One run. Raises InputError for one of another plan, and for rows that are not its own."""
    from pydantic import ValidationError

    from codeself.analysis.practice_curves import Run
    from codeself.records.base import describe_validation_error
    from codeself.records.errors import InputError
    from codeself.records.jsonl import read_record, read_records
    from codeself.records.practice import PracticeConfig
    from codeself.records.training import StepRecord, TrainingRecord

    record, steps = read_record(done, TrainingRecord), read_records(metrics, StepRecord)
    if record.plan_sha256 != digest:
        raise InputError(
            f"{done}: was trained under another plan ({record.plan_sha256[:12]}…, not {digest[:12]}… of {plan});"
            " runs of different plans do not compare: train again"
        )
    if not steps:
        raise InputError(f"{metrics}: has no step; expected one row a step of {record.policy}")
    for line, step in enumerate(steps):
        if step.step != line:
            raise InputError(f"{metrics}: row {line + 1} is of step {step.step}; expected step {line}")
    for name, told, found in (
        ("steps", record.steps, len(steps)),
        ("samples", record.samples, sum(step.completions for step in steps)),
        ("wasted", record.wasted, sum(step.wasted for step in steps)),
        ("sampled_tokens", record.sampled_tokens, sum(step.sampled_tokens for step in steps)),
        ("learned_tokens", record.learned_tokens, sum(step.learned_tokens for step in steps)),
    ):
        if told != found:
            raise InputError(
                f"{metrics}: its rows make {name} {found}, and {done} says {told}; they are not of one run"
            )
    try:
        settings = PracticeConfig.model_validate(record.settings)
    except ValidationError as error:
        raise InputError(f"{done}: settings.{describe_validation_error(error)}") from error
    return Run(record, settings, tuple(steps))


def _timings(run: Run, path: Path) -> list[StepTiming]:
    from codeself.records.errors import InputError
    from codeself.records.jsonl import read_records
    from codeself.records.training import StepTiming

    found = read_records(path, StepTiming)
    if [timing.step for timing in found] != [step.step for step in run.steps]:
        raise InputError(
            f"{path}: has {len(found)} rows; expected one for each of the {len(run.steps)} steps of"
            f" {run.name}, in their order"
        )
    return found


def _one_each(training: list[Path], metrics: list[Path], timings: list[Path]) -> None:
    from codeself.records.errors import InputError

    for flag, paths in (("--metrics", metrics), ("--timings", timings)):
        if len(paths) != len(training):
            raise InputError(f"{flag}: {len(paths)} given for {len(training)} --training; expected one each")


def _each_once(runs: list[Run], training: list[Path]) -> None:
    from codeself.records.errors import InputError

    seen: dict[str, Path] = {}
    for run, path in zip(runs, training, strict=True):
        if run.name in seen:
            raise InputError(f"{path}: is of run {run.name}, as {seen[run.name]} is; each run enters once")
        seen[run.name] = path


def _shown(path: Path) -> str:
    """A path as pages name it: no more than its folder's name of what is the machine's own."""
    return f"{path.parent.name}/{path.name}" if path.is_absolute() else path.as_posix()
