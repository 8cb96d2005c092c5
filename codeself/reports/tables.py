"""The per-task table: one CSV row a task, written and read through pandas."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from codeself.records.base import describe_validation_error
from codeself.records.errors import InputError
from codeself.records.files import read_bytes, writing
from codeself.records.metrics import TaskRow


def write_rows(path: Path, rows: Sequence[TaskRow]) -> None:
    """Write the table, whole or not at all. A value that does not exist is an empty cell."""
    table = pd.DataFrame([row.model_dump() for row in rows], columns=list(TaskRow.model_fields), dtype=object)
    with writing(path) as stream:
        table.to_csv(stream, index=False, lineterminator="\n")


def read_rows(path: Path) -> list[TaskRow]:
    """The rows of a table. Raises InputError naming the file, the line and the column at fault."""
    try:
        table = pd.read_csv(io.BytesIO(read_bytes(path)), dtype=str, keep_default_na=False)
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is not a per-task table: {error}") from error
    rows = []
    for line, cells in enumerate(table.to_dict("records"), start=2):
        try:
            rows.append(TaskRow.model_validate({name: cell or None for name, cell in cells.items()}))
        except ValidationError as error:
            raise InputError(f"{path}, line {line}: {describe_validation_error(error)}") from error
    return rows
