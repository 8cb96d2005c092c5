"""prepare-datasets: the canonical task file of one task set."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from codeself.records.tasks import Task, Visibility

FORMATS = ("families", "mbpp", "humaneval", "mbppplus", "humanevalplus", "canonical")
VISIBILITIES: tuple[Visibility, ...] = ("public", "hidden", "locked")


def command(
    output: Annotated[Path, typer.Option(help="Where to write the tasks, as JSON Lines.")],
    format: Annotated[str, typer.Option(help=f"One of {', '.join(FORMATS)}.")],
    name: Annotated[str, typer.Option(help="The task set's name.")],
    tasks: Annotated[Path | None, typer.Option(help="The dataset's file (all formats but families).")] = None,
    plus: Annotated[
        Path | None,
        typer.Option(help="The EvalPlus file whose inputs become locked tests (mbpp, humaneval)."),
    ] = None,
    definitions: Annotated[Path, typer.Option(help="Folder of family definitions (families).")] = Path(
        "resources/families"
    ),
    variants: Annotated[int, typer.Option(min=1, help="Variants drawn from each family (families).")] = 4,
    seed: Annotated[int, typer.Option(help="Seed of the variants (families).")] = 0,
    renamed: Annotated[
        bool, typer.Option(help="Give entry points and arguments neutral names (families, canonical).")
    ] = False,
    examples: Annotated[int, typer.Option(min=1, help="Public examples in each docstring (families).")] = 1,
    permuted: Annotated[
        bool, typer.Option(help="Put public examples into another order (families, canonical).")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, help="Sandboxes that run references side by side.")] = 1,
) -> None:
    """Write the tasks of one task set in the canonical form, whatever they come from.

    Results that a dataset does not state come from running its reference solutions in the sandbox.
    """
    import sys

    from codeself.records.errors import InputError
    from codeself.records.jsonl import write_records

    if format not in FORMATS:
        raise InputError(f"--format: '{format}' is not a format; expected one of {', '.join(FORMATS)}")
    if plus is not None and format not in ("mbpp", "humaneval"):
        raise InputError(f"--plus: format {format} takes no EvalPlus file; only mbpp and humaneval do")
    if format == "families":
        from codeself.tasks.families.loading import family_tasks, load_families

        made = family_tasks(load_families(definitions), variants, seed, examples)
    elif tasks is None:
        raise InputError(f"--tasks: is missing; format {format} reads the dataset's file")
    elif format == "canonical":
        from codeself.tasks.formats.canonical import load_canonical

        made = load_canonical(tasks, name)
    else:
        made = _public_tasks(format, tasks, plus, workers)
    if renamed:
        from codeself.tasks.renaming import renamed as under_other_names

        made = [under_other_names(task) for task in made]
    if permuted:
        from codeself.tasks.permuting import permuted as in_another_order

        made = [in_another_order(task) for task in made]
    count = write_records(output, made)
    totals = ", ".join(f"{sum(len(t.tests(kind)) for t in made):,} {kind}" for kind in VISIBILITIES)
    size = output.stat().st_size / 1e6
    print(f"{name}: {count} tasks with {totals} tests, {size:.1f} MB", file=sys.stderr)


def _public_tasks(format: str, tasks: Path, plus: Path | None, workers: int) -> list[Task]:
    """The tasks of a public dataset, near-duplicates in one family."""
    from codeself.records.judging import JudgeConfig
    from codeself.sandbox.expectations import expected_outputs
    from codeself.sandbox.pool import JudgePool
    from codeself.tasks.formats.evalplus import load_humanevalplus, load_mbppplus
    from codeself.tasks.formats.humaneval import load_humaneval
    from codeself.tasks.formats.mbpp import load_mbpp
    from codeself.tasks.similarity import with_joint_families

    if format == "mbpp" and plus is None:
        return with_joint_families(load_mbpp(tasks))
    with JudgePool(JudgeConfig(), workers=workers) as pool:
        expect = partial(expected_outputs, pool)
        if format == "mbpp":
            return with_joint_families(load_mbpp(tasks, plus, expect))
        if format == "humaneval":
            return with_joint_families(load_humaneval(tasks, expect, plus))
        if format == "mbppplus":
            return with_joint_families(load_mbppplus(tasks, expect))
        return with_joint_families(load_humanevalplus(tasks, expect))
