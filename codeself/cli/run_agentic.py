"""run-agentic: a policy that answers, sees what the public tests say, and answers again."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from codeself.cli.judging import JudgeOptions
from codeself.cli.option_groups import with_option_groups
from codeself.cli.sampling import DrawOptions, PolicyOptions, ShardOptions, template_path


class StrategyName(StrEnum):
    self_debug = "self-debug"
    resample = "resample"


class RuleName(StrEnum):
    last = "last"
    first_public = "first-public"
    most_public = "most-public"


@with_option_groups
def command(
    attempted: ShardOptions,
    policy: Annotated[str, typer.Option(help="The policy's name in the records.")],
    options: PolicyOptions,
    output: Annotated[Path, typer.Option(help="Where to write the traces, as JSON Lines.")],
    drawing: DrawOptions,
    judge: JudgeOptions,
    strategy: Annotated[
        StrategyName, typer.Option(help="What a later answer is written from.")
    ] = StrategyName.self_debug,
    revision_prompt: Annotated[
        str, typer.Option(help="Template of a revision: a file, or a name under resources/prompts.")
    ] = "revise_completion_v1",
    rule: Annotated[RuleName, typer.Option(help="Which answer is submitted.")] = RuleName.first_public,
    attempts: Annotated[int, typer.Option(min=1, help="Attempts a task.")] = 2,
    revisions: Annotated[int, typer.Option(min=0, help="Answers after the first, at most.")] = 7,
    tokens: Annotated[int, typer.Option(min=1, help="Tokens that an attempt may write.")] = 512,
    executions: Annotated[int, typer.Option(min=1, help="Runs of the public tests, at most.")] = 8,
) -> None:
    """Attempt the tasks of a split: propose, run public tests, observe, revise, submit.

    The policy is told what public tests say and nothing else: its judge does not have the others. Once all
    attempts have ended, every answer is judged on hidden tests; locked ones are the final evaluation's alone.
    A run that is killed keeps what was written beside the output, in a file that ends in .partial; the same
    command goes on from there.
    """
    from dataclasses import asdict

    from codeself.agents.running import Settings, run_agent
    from codeself.cli.progress import counting
    from codeself.policies.prompts import load_template
    from codeself.provenance.code_digest import code_digest
    from codeself.records.jsonl import write_records
    from codeself.records.traces import Budget
    from codeself.rollouts.kept_answers import KeptAnswers
    from codeself.sandbox.pool import JudgePool

    drawing.check()
    settings = Settings(
        strategy=strategy.value,
        rule=rule.value,
        budget=Budget(revisions=revisions, tokens=tokens, executions=executions),
        attempts=attempts,
        **asdict(drawing),
    )
    settings.check()
    chosen = attempted.chosen()
    first, revision = map(load_template, (options.template_path, template_path(revision_prompt)))
    writer = KeptAnswers(options.policy(chosen), output, code_digest("run-agentic"))
    with (
        JudgePool(judge.config(), judge.workers) as pool,
        counting(strategy.value, len(chosen) * attempts) as progress,
    ):
        traces = run_agent(writer, policy, chosen, first, revision, settings, pool, progress=progress)
    write_records(output, traces)
    writer.forget()
