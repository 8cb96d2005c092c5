"""Families of tasks as their authors write them: YAML files, a family a few lines.

    drop_first:
      signature: "drop_first(text: str) -> str"
      doc: Return `text` without its first $n characters.
      params: {n: [1, 2, 3, 4, 5]}
      reference: "return text[$n:]"
      inputs: "text((0, 12))"
      edges: "''; 'a'"
      wrong: ["return text[$n - 1:]", "return text[:-$n]"]

signature  name, parameters and types; `imports` (optional) are lines that stand above it.
doc        what is asked, in words. It becomes the docstring and the prompt.
params     values that each parameter may take. `$n` or `${n}` stands for the chosen value in every other key,
           "$$" for a dollar sign. Parameters that vary together share a key:
           {"word, op": [[greater than, ">"], [less than, "<"]]}.
reference  the body of a right solution. wrong: bodies that the hidden tests must reject, two or more.
inputs     one expression for each argument, from the generators of codeself.tasks.families.generators.
edges      (optional) arguments of special calls, calls divided by ";".

These are programs of whoever writes the file: `inputs`, `edges`, `reference` and `wrong` run in this process
when tests are made. Use definitions that you trust, as you would a Python module. What they return must not hang on the
order of a set of strings, which differs between processes: sort it.
"""

from __future__ import annotations

import ast
import string
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr, ValidationError, field_validator

from codeself.records.base import Record, describe_validation_error
from codeself.records.errors import InputError

Value = str | int | float | bool


class Family(Record):
    """One idea, and the parameters that make variants of it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    signature: str = Field(min_length=1)
    doc: str = Field(min_length=1)
    params: dict[str, list[Any]] = Field(min_length=1)
    reference: str = Field(min_length=1)
    inputs: str = Field(min_length=1)
    edges: str = ""
    wrong: tuple[str, ...] = Field(min_length=2)
    imports: str = ""
    _origin: str = PrivateAttr(default="")

    @field_validator("params")
    @classmethod
    def _match_their_names(cls, params: dict[str, list[Any]]) -> dict[str, list[Any]]:
        for key, values in params.items():
            names = parameter_names(key)
            if not values:
                raise ValueError(f"'{key}' has no values")
            for value in values:
                parts = value if len(names) > 1 else [value]
                if not isinstance(parts, list) or len(parts) != len(names):
                    raise ValueError(f"a value of '{key}' is {value!r}, expected a list of {len(names)}")
                for part in parts:
                    if not isinstance(part, Value):
                        raise ValueError(
                            f"a value of '{key}' is {part!r}, expected text, a number or a boolean"
                        )
        return params

    @property
    def place(self) -> str:
        """Where the family was written, for messages."""
        return f"{self._origin}, family '{self.name}'"

    @property
    def topic(self) -> str:
        """What kind of idea it is: the name of the file that defines it."""
        return Path(self._origin).stem

    def fill(self, key: str, text: str, values: dict[str, str]) -> str:
        """The text of a key with the parameters' values put in."""
        try:
            return string.Template(text).substitute(values)
        except KeyError as error:
            known = ", ".join(sorted(values))
            raise InputError(
                f"{self.place}: {key}: uses ${error.args[0]}, expected one of params ({known})"
            ) from None
        except ValueError:
            raise InputError(
                f"{self.place}: {key}: has a lone '$', expected $name, ${{name}} or $$"
            ) from None


def parameter_names(key: str) -> list[str]:
    return [name.strip() for name in key.split(",")]


def read_family(file: Path, name: Any, fields: Any) -> Family:
    """The family of one entry of a file. Raises InputError naming file, family and key at fault."""
    place = f"{file}, family '{name}'"
    if not isinstance(fields, dict):
        raise InputError(
            f"{place}: is {kind_of(fields)}, expected signature, doc, params, reference, inputs and wrong"
        )
    if "name" in fields:
        raise InputError(f"{place}: name: is not a known key; the name stands above the family")
    try:
        family = Family.model_validate({"name": name, **fields})
    except ValidationError as error:
        raise InputError(f"{place}: {describe_validation_error(error)}") from None
    family._origin = str(file)
    # Filled with each parameter's first value: finds what does not parse, and unknown parameters.
    values: dict[str, str] = {}
    for key, options in family.params.items():
        names = parameter_names(key)
        values.update(zip(names, map(str, options[0] if len(names) > 1 else [options[0]]), strict=True))
    signature_of(family, values)
    for key, source in (
        ("inputs", f"({family.inputs}\n,)"),
        ("edges", family.edges),
        ("imports", family.imports),
    ):
        _parse(family, key, family.fill(key, source, values))
    for index, body in enumerate((family.reference, *family.wrong)):
        key = f"wrong[{index - 1}]" if index else "reference"
        body = family.fill(key, body, values)
        _parse(family, key, f"def f():\n{indented(body)}")
    family.fill("doc", family.doc, values)
    return family


def signature_of(family: Family, values: dict[str, str]) -> ast.FunctionDef:
    """The parsed signature of a variant. Raises InputError unless it is one plain function's."""
    text = family.fill("signature", family.signature, values)
    try:
        nodes = ast.parse(f"def {text}: ...").body
    except (SyntaxError, ValueError):
        nodes = []
    node = nodes[0] if len(nodes) == 1 else None
    if not isinstance(node, ast.FunctionDef) or not node.args.args or node.returns is None:
        raise InputError(
            f"{family.place}: signature: found '{text}', expected a name, parameters and a return type,"
            " such as f(text: str) -> str"
        )
    return node


def indented(body: str) -> str:
    return "".join(f"    {line}\n" if line.strip() else "\n" for line in body.strip("\n").split("\n"))


def _parse(family: Family, key: str, source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise InputError(f"{family.place}: {key}: is not Python: {reason}") from None


def kind_of(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
