"""The table of keys in config/README.md: `python -m codeself.provenance.config_reference` writes it."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from codeself.records.config import Config
from codeself.records.files import read_text, write_text

BEGIN = "<!-- begin: written by python -m codeself.provenance.config_reference -->\n"
END = "<!-- end -->\n"


def config_reference() -> str:
    """Markdown: one table a record, in the order in which the config nests them."""
    places: dict[type[BaseModel], list[str]] = {}
    for place, record in _records(Config, ""):
        places.setdefault(record, []).append(place)
    sections = []
    for record, names in places.items():
        rows = "".join(
            f"| `{name}` | {_kind(field)} | {_default(field)} | {field.description or ''} |\n"
            for name, field in record.model_fields.items()
        )
        title = " and ".join(f"`{name}`" for name in names if name) or "Top level"
        first = (record.__doc__ or "").strip().split("\n")[0]
        sections.append(
            f"### {title}\n\n{first}\n\n| key | type | default | meaning |\n|---|---|---|---|\n{rows}"
        )
    return "\n".join(sections)


def with_reference(text: str) -> str:
    """A README's text, with what stands between the marks written anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{config_reference()}\n{END}{after}"


def _records(record: type[BaseModel], place: str) -> Iterator[tuple[str, type[BaseModel]]]:
    yield place, record
    for name, field in record.model_fields.items():
        for kind, path in _parts(field.annotation, f"{place}.{name}".lstrip(".")):
            tag = kind.model_fields.get("backend") or kind.model_fields.get("source")
            label = f"{path} ({typing.get_args(tag.annotation)[0]})" if tag is not None else path
            yield from _records(kind, label)


def _parts(annotation: Any, path: str) -> Iterator[tuple[type[BaseModel], str]]:
    """The records inside a type, with the path at which they stand: <name> for a mapping's key."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, path
        return
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is dict:
        path += ".<name>"
    elif origin is tuple:
        path += "[]"
    elif origin is typing.Literal:
        return
    for part in inner[:1] if origin is typing.Annotated else inner:
        yield from _parts(part, path)


def _kind(field: FieldInfo) -> str:
    return _name(field.annotation).replace("|", "or")


def _name(annotation: Any) -> str:
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is type(None):
        return "null"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "see below"
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin is typing.Annotated:
        return _name(inner[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_name(part) for part in inner))
    if origin is tuple:
        return "list, see below" if "see below" in _name(inner[0]) else f"list of {_name(inner[0])}"
    if origin is dict:
        return "mapping, see below" if "see below" in _name(inner[1]) else f"mapping to {_name(inner[1])}"
    if annotation is Any:
        return "any value"
    return {"int": "integer", "float": "number", "str": "text", "bool": "true or false"}[annotation.__name__]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel) or value is PydanticUndefined:
        return ""
    return "" if value in (None, "") else f"`{json.dumps(value)}`"


if __name__ == "__main__":
    readme = Path("config/README.md")
    write_text(readme, with_reference(read_text(readme)))
