"""Mutants of a program: copies with one small fault each, as a slip of the hand would make them.

A test suite is judged by how many of them it rejects. Some mutants happen to be right (`x < 1` and `x <= 0`
agree on integers), so a score below one is no proof of weak tests. The order is that of the source: the
same program has the same mutants.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.FloorDiv,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}
_METHODS = {
    "startswith": "endswith",
    "endswith": "startswith",
    "upper": "lower",
    "lower": "upper",
    "lstrip": "rstrip",
    "rstrip": "lstrip",
    "ljust": "rjust",
    "rjust": "ljust",
}


@dataclass(frozen=True)
class Mutant:
    """A program with one fault. change: what was done, for people. line: where in the original."""

    program: str
    change: str
    line: int


def mutants(program: str) -> list[Mutant]:
    """Every mutant of a program, each different from the program and from those before it.

    Only the bodies of functions are changed; docstrings, signatures and imports stay. Empty for a program
    that is not Python.
    """
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    seen = {ast.dump(tree)}
    found = []
    for path in _paths(tree):
        node = _at(tree, path)
        for change, replacement in _replacements(node):
            mutated = _with(tree, path, replacement)
            key = ast.dump(mutated)
            if key in seen:
                continue
            seen.add(key)
            found.append(Mutant(ast.unparse(mutated) + "\n", change, _line(node)))
    return found


Path = tuple[tuple[str, int | None], ...]


def _paths(tree: ast.AST) -> Iterator[Path]:
    """Where the nodes are that may be changed: those inside the bodies of functions."""
    for path, node in _walk(tree, ()):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for index, statement in enumerate(node.body):
                if not (index == 0 and _is_text(statement)):
                    yield from (inner for inner, _ in _inside(statement, (*path, ("body", index))))


def _inside(node: ast.AST, path: Path) -> Iterator[tuple[Path, ast.AST]]:
    # A nested function's body is found by its own definition.
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    yield path, node
    for step, child in _children(node):
        yield from _inside(child, (*path, step))


def _walk(node: ast.AST, path: Path) -> Iterator[tuple[Path, ast.AST]]:
    yield path, node
    for step, child in _children(node):
        yield from _walk(child, (*path, step))


def _children(node: ast.AST) -> Iterator[tuple[tuple[str, int | None], ast.AST]]:
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            yield (name, None), value
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield (name, index), item


def _at(tree: ast.AST, path: Path) -> ast.AST:
    node = tree
    for name, index in path:
        value = getattr(node, name)
        node = value if index is None else value[index]
    return node


def _with(tree: ast.AST, path: Path, replacement: ast.AST) -> ast.AST:
    """A copy of the tree with another node at a path."""
    mutated = copy.deepcopy(tree)
    *way, (name, index) = path
    parent = _at(mutated, tuple(way))
    if index is None:
        setattr(parent, name, replacement)
    else:
        getattr(parent, name)[index] = replacement
    return ast.fix_missing_locations(mutated)


def _replacements(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What a node may be replaced by, and what to call that."""
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            for other in _COMPARISONS[type(operator)]:
                ops = [*node.ops[:index], other(), *node.ops[index + 1 :]]
                yield _swap(node, ast.Compare(node.left, ops, node.comparators))
    elif isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _ARITHMETIC:
        changed = copy.copy(node)
        changed.op = _ARITHMETIC[type(node.op)]()
        yield _swap(node, changed)
        if isinstance(node, ast.BinOp):
            yield _swap(node, node.left)
    elif isinstance(node, ast.BoolOp):
        other_op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield _swap(node, ast.BoolOp(other_op, node.values))
        for index in range(len(node.values)):
            rest = [*node.values[:index], *node.values[index + 1 :]]
            yield _swap(node, rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest))
    elif isinstance(node, ast.UnaryOp):
        yield _swap(node, node.operand)
    elif isinstance(node, ast.IfExp):
        yield _swap(node, ast.IfExp(node.test, node.orelse, node.body))
        yield _swap(node, node.body)
        yield _swap(node, node.orelse)
    elif isinstance(node, ast.Constant):
        yield from _other_constants(node)
    elif isinstance(node, ast.Slice):
        yield from _other_slices(node)
    elif isinstance(node, ast.comprehension):
        for index in range(len(node.ifs)):
            rest = [*node.ifs[:index], *node.ifs[index + 1 :]]
            changed_loop = ast.comprehension(node.target, node.iter, rest, node.is_async)
            yield f"condition '{ast.unparse(node.ifs[index])}' dropped", changed_loop
    elif isinstance(node, ast.Call):
        yield from _other_calls(node)
    if isinstance(node, ast.stmt):
        yield from _other_statements(node)


def _other_constants(node: ast.Constant) -> Iterator[tuple[str, ast.AST]]:
    value = node.value
    if isinstance(value, bool):
        yield _swap(node, ast.Constant(not value))
    elif isinstance(value, int | float):
        yield _swap(node, ast.Constant(value + 1))
        yield _swap(node, ast.Constant(value - 1))
    elif isinstance(value, str):
        yield _swap(node, ast.Constant("" if value else "x"))


def _other_slices(node: ast.Slice) -> Iterator[tuple[str, ast.AST]]:
    for name in ("lower", "upper", "step"):
        if getattr(node, name) is not None:
            changed = copy.copy(node)
            setattr(changed, name, None)
            yield _swap(node, changed)


def _other_calls(node: ast.Call) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        yield _swap(node, ast.Call(ast.Name(_CALLS[node.func.id], ast.Load()), node.args, node.keywords))
    elif isinstance(node.func, ast.Attribute):
        if node.func.attr in _METHODS:
            method = ast.Attribute(node.func.value, _METHODS[node.func.attr], ast.Load())
            yield _swap(node, ast.Call(method, node.args, node.keywords))
        yield _swap(node, node.func.value)
    elif isinstance(node.func, ast.Name) and len(node.args) == 1 and not node.keywords:
        yield _swap(node, node.args[0])


def _other_statements(node: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.Return):
        if node.value is not None:
            yield "returns None", ast.Return(ast.Constant(None))
            if isinstance(node.value, ast.List | ast.ListComp):
                yield "returns an empty list", ast.Return(ast.List([], ast.Load()))
    elif isinstance(node, ast.If | ast.While):
        negated = copy.copy(node)
        negated.test = ast.UnaryOp(ast.Not(), node.test)
        yield f"condition '{ast.unparse(node.test)}' negated", negated
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.If | ast.For | ast.Break | ast.Continue):
        yield f"'{_first_line(node)}' dropped", ast.Pass()


def _swap(old: ast.AST, new: ast.AST) -> tuple[str, ast.AST]:
    return f"'{_text(old)}' became '{_text(new)}'", new


def _text(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(copy.deepcopy(node)))


def _first_line(node: ast.stmt) -> str:
    return ast.unparse(node).split("\n")[0]


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _line(node: ast.AST) -> int:
    return getattr(node.target if isinstance(node, ast.comprehension) else node, "lineno", 0)
