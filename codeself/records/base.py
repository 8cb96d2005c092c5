"""The base of every record: frozen, and closed to keys it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError


class Record(BaseModel):
    """Carries data between stages. Immutable; an unknown key or a wrong type is an error, never a guess."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    def to_json_dict(self) -> dict[str, Any]:
        """The record as plain JSON data, under the names it has in files."""
        return self.model_dump(mode="json", by_alias=True)


def describe_validation_error(error: ValidationError) -> str:
    """One line for a pydantic error: the first key at fault, what is wrong with it, what was found."""
    problems = error.errors(include_url=False)
    first = problems[0]
    key = ".".join(str(part) for part in first["loc"]) or "record"
    message = {
        "extra_forbidden": "is not a known key",
        "missing": "is missing",
    }.get(first["type"], first["msg"][0].lower() + first["msg"][1:])
    text = f"{key}: {message}"
    if first["type"] not in {"missing", "extra_forbidden"} and not isinstance(first["input"], Mapping):
        text += f" (found {_short(first['input'])})"
    if len(problems) > 1:
        text += f" (and {len(problems) - 1} more)"
    return text


def _short(value: object, width: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= width else text[: width - 1] + "…"
