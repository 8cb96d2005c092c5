"""run-rollouts: what a policy writes for the tasks of a split."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codeself.cli.option_groups import with_option_groups
from codeself.cli.sampling import DrawOptions, PolicyOptions, ShardOptions


@with_option_groups
def command(
    sampled: ShardOptions,
    policy: Annotated[str, typer.Option(help="The policy's name in the records.")],
    writer: PolicyOptions,
    output: Annotated[Path, typer.Option(help="Where to write the rollouts, as JSON Lines.")],
    drawing: DrawOptions,
    samples: Annotated[int, typer.Option(min=0, help="Sampled completions a task.")] = 8,
    greedy: Annotated[bool, typer.Option("--greedy/--no-greedy", help="Also take the greedy one.")] = True,
) -> None:
    """Write the completions of a policy for one shard of a split, each drawn from its own seed.

    A run that is killed keeps what it finished beside the output, in a file that ends in .partial; the same
    command goes on from there.
    """
    from dataclasses import asdict

    from codeself.cli.progress import counting
    from codeself.policies.prompts import load_template
    from codeself.provenance.code_digest import code_digest
    from codeself.records.errors import InputError
    from codeself.rollouts.sampling import Draws, run_rollouts

    drawing.check()
    if not (greedy or samples):
        raise InputError("--samples: is 0 with --no-greedy; nothing would be drawn")
    chosen = sampled.chosen()
    template = load_template(writer.template_path)
    with counting("sampling", len(chosen) * (samples + greedy)) as progress:
        run_rollouts(
            writer.policy(chosen),
            policy,
            chosen,
            template,
            Draws(samples=samples, greedy=greedy, **asdict(drawing)),
            output,
            progress,
            code=code_digest("run-rollouts"),
        )
