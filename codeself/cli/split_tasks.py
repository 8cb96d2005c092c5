"""split-tasks: which tasks are for practice, tuning and the final evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    tasks: Annotated[Path, typer.Option(help="The task set, as JSON Lines.")],
    taskset: Annotated[str, typer.Option(help="The task set's name.")],
    output: Annotated[Path, typer.Option(help="Where to write the split manifest, as JSON.")],
    method: Annotated[
        str, typer.Option(help="hash: by a hash of the family; origin: the dataset's own splits.")
    ] = "hash",
    seed: Annotated[int, typer.Option(help="Salt of the hash.")] = 0,
    train: Annotated[float, typer.Option(help="Expected share of families.")] = 0.6,
    dev: Annotated[float, typer.Option(help="Expected share of families.")] = 0.1,
    test: Annotated[float, typer.Option(help="Expected share of families.")] = 0.3,
) -> None:
    """Deal the families of a task set out to train, dev and test, near-duplicates on one side."""
    import sys

    from pydantic import ValidationError

    from codeself.records.base import describe_validation_error
    from codeself.records.datasets import SplitConfig
    from codeself.records.digests import sha256_file
    from codeself.records.errors import InputError
    from codeself.records.jsonl import write_record
    from codeself.records.tasks import read_tasks
    from codeself.tasks.splits import split_tasks

    try:
        config = SplitConfig.model_validate(
            {"method": method, "seed": seed, "fractions": {"train": train, "dev": dev, "test": test}}
        )
    except ValidationError as error:
        raise InputError(f"split-tasks: {describe_validation_error(error)}") from error
    manifest = split_tasks(read_tasks(tasks), config, taskset=taskset, tasks_sha256=sha256_file(tasks))
    write_record(output, manifest)
    sizes = ", ".join(f"{split} {len(ids)}" for split, ids in manifest.task_ids.items())
    apart = sum(pair.splits[0] != pair.splits[1] for pair in manifest.near_duplicates)
    print(
        f"{taskset}: {sizes}; {len(manifest.near_duplicates)} near-duplicate pairs, {apart} across splits",
        file=sys.stderr,
    )
