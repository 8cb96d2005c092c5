"""What is read off trusted source: tests made ready to run, and the names that a reference defines or imports."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import Any

SETTLE = "__settle__"
# Statements after which what they called is over; definitions, and statements that leave the block, are not among
# them.
_SIMPLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Assert, ast.Delete)
_ENDING = (*_SIMPLE, ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match)


@lru_cache(maxsize=4096)
def compiled(source: str) -> CodeType:
    """Tests as code that calls SETTLE whenever a statement which may have called the candidate is over."""
    tree = ast.parse(source)
    for node in [*ast.walk(tree)]:
        for name in ("body", "orelse", "finalbody"):
            statements = getattr(node, name, None)
            if isinstance(statements, list) and statements:
                setattr(
                    node, name, _settled(statements, inner=name != "body" or not isinstance(node, ast.Module))
                )
    return compile(tree, "<tests>", "exec", dont_inherit=True)


def _settled(statements: list[Any], inner: bool) -> list[Any]:
    made = []
    for position, statement in enumerate(statements):
        # A block may follow a condition, a loop's next item, or a statement that raised.
        if position == 0 and inner and not _is_text(statement):
            made.append(_settle(statement))
        made.append(statement)
        if (
            isinstance(statement, _ENDING)
            and not _is_text(statement)
            and any(
                isinstance(node, ast.Call | ast.Subscript | ast.Attribute) for node in ast.walk(statement)
            )
        ):
            made.append(_settle(statement))
    return made


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _settle(statement: ast.stmt) -> ast.stmt:
    call = ast.Expr(ast.Call(ast.Name(SETTLE, ast.Load()), [], []))
    return ast.fix_missing_locations(ast.copy_location(call, statement))


@dataclass(frozen=True)
class Reference:
    """The top-level names of a reference: its classes, and what it imports from the standard library."""

    classes: frozenset[str] = frozenset()
    imports: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    def imported(self, name: str) -> Any:
        """What the reference's import of a name gives. Raises KeyError."""
        module, attribute = self.imports[name]
        found = importlib.import_module(module)
        return found if attribute is None else getattr(found, attribute)


@lru_cache(maxsize=4096)
def read_reference(program: str) -> Reference:
    try:
        statements = ast.parse(program).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Reference()
    classes = frozenset(node.name for node in statements if isinstance(node, ast.ClassDef))
    imports = {name: place for node in statements for name, place in _imported(node)}
    return Reference(classes, imports)


def _imported(node: ast.stmt) -> Iterator[tuple[str, tuple[str, str | None]]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            if _is_standard(alias.name):
                module = alias.name if alias.asname else alias.name.split(".")[0]
                yield alias.asname or module, (module, None)
    elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0 and _is_standard(node.module):
        for alias in node.names:
            if alias.name == "*":
                whole = importlib.import_module(node.module)
                names = getattr(whole, "__all__", None) or [n for n in vars(whole) if not n.startswith("_")]
                yield from ((name, (node.module, name)) for name in names)
            else:
                yield alias.asname or alias.name, (node.module, alias.name)


def _is_standard(module: str) -> bool:
    return module.split(".")[0] in sys.stdlib_module_names
