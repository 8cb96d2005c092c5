"""What a revision changed."""

from __future__ import annotations

import ast
import difflib

from codeself.policies.syntax import parse
from codeself.records.traces import Change

_WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def change_of(before: str | None, after: str) -> Change:
    """before: the source of the answer before, None for a first answer."""
    if before is None:
        return "first"
    if before.strip() == after.strip():
        return "unchanged"
    old, new = _tree(before), _tree(after)
    return "cosmetic" if old is not None and old == new else "substantive"


def unified(before: str | None, after: str) -> str:
    """Lines of a unified diff without its file names; empty for a first answer and an unchanged one."""
    if before is None:
        return ""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=50)
    return "\n".join(list(lines)[2:])


def _tree(source: str) -> str | None:
    tree = parse(source)
    if tree is None:
        return None
    for node in ast.walk(tree):
        if isinstance(node, _WITH_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return ast.dump(tree)
