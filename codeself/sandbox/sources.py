"""What is read off trusted source: tests made ready to run, and the names that a reference defines or imports."""

from __future__ import annotations

import ast
import importlib
import opcode
import sys
from collections.abc import Iterator
from functools import cached_property, lru_cache
from types import CodeType
from typing import Any

TESTS = "<tests>"  # the file that tests seem to stand in
# Built-in functions that call no other: what they are given they neither change nor hand on.
_PLAIN = frozenset(
    "abs all any bool bytes chr complex dict float frozenset int isinstance len list ord range repr round set str "
    "sum tuple type".split()
)
_STORE = opcode.opmap["STORE_NAME"]


@lru_cache(maxsize=4096)
def compiled(source: str) -> CodeType:
    return compile(source, TESTS, "exec", dont_inherit=True)


@lru_cache(maxsize=4096)
def holds_nothing(source: str, functions: frozenset[str]) -> bool:
    """Whether all that a test passes to the functions is made on the spot, so that nobody sees it changed afterwards.

    Such a test is an expression of literals, of the functions and of plain built-in ones. Said of some of them: read
    off what is compiled anyway, which takes no time, and not off a tree.
    """
    code = compiled(source)
    return (
        functions.union(_PLAIN).issuperset(code.co_names)
        and not code.co_varnames
        and not any(isinstance(part, CodeType) for part in code.co_consts)
        and _STORE not in code.co_code[::2]  # an instruction has two bytes, of which the first says which
    )


@lru_cache(maxsize=4096)
def looks_at_arguments(source: str, functions: frozenset[str]) -> bool:
    """Whether an assert of the test's is about what it passed to one of the functions, and about nothing returned."""
    tree = ast.parse(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _names(node.func) & functions]
    passed = {name for call in calls for part in (*call.args, *call.keywords) for name in _names(part)}
    returned = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.NamedExpr | ast.For) and _names(_source_of(node)) & functions
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        for name in _names(target)
    }
    asserts = [
        _names(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
        for part in _conjuncts(node.test)
    ]
    return any(names & passed and not names & (returned | functions) for names in asserts)


@lru_cache(maxsize=4096)
def expects_nothing(source: str, functions: frozenset[str]) -> bool:
    """Whether a test calls one of the functions and leaves the result alone, or holds something against None."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            if _names(node.value.func) & functions:
                return True
        elif isinstance(node, ast.Compare) and any(map(_is_none, (node.left, *node.comparators))):
            return True
    return False


@lru_cache(maxsize=4096)
def tells_apart(source: str) -> bool:
    """Whether a test could tell an object from an equal one: it asks for identity, or changes what a call gave it."""
    tree = ast.parse(source)
    given = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        for target in node.targets
        for name in _names(target)
    }
    return any(_asks_identity(node) or _changes(node, given) for node in ast.walk(tree))


def _asks_identity(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Compare)
        and any(isinstance(step, ast.Is | ast.IsNot) for step in node.ops)
        and not any(isinstance(part, ast.Constant) for part in node.comparators)
    )


def _changes(node: ast.AST, names: set[str]) -> bool:
    """Whether it may change something of one of the names in place: by a method, or by its items."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        function = node.value.func
        return isinstance(function, ast.Attribute) and not names.isdisjoint(_names(function))
    if isinstance(node, ast.Subscript):
        return not isinstance(node.ctx, ast.Load) and not names.isdisjoint(_names(node.value))
    return False


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _conjuncts(test: ast.expr) -> list[ast.expr]:
    return test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]


def _source_of(node: ast.Assign | ast.NamedExpr | ast.For) -> ast.expr:
    return node.iter if isinstance(node, ast.For) else node.value


def _names(node: ast.AST) -> frozenset[str]:
    return frozenset(inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name))


class Reference:
    """The top-level names of a reference. Read off a tree where one is asked for: a tree takes long to build."""

    def __init__(self, program: str) -> None:
        self._program = program

    @cached_property
    def classes(self) -> frozenset[str]:
        """Those that it defines."""
        if "class" not in self._program:
            return frozenset()
        return frozenset(node.name for node in self._statements() if isinstance(node, ast.ClassDef))

    @cached_property
    def imports(self) -> dict[str, tuple[str, str | None]]:
        """What it imports from the standard library: the module and, unless it is the module itself, the name there."""
        if "import" not in self._program:
            return {}
        return {name: place for node in self._statements() for name, place in _imported(node)}

    def _statements(self) -> list[ast.stmt]:  # not kept: it takes much memory
        try:
            return ast.parse(self._program).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return []

    def imported(self, name: str) -> Any:
        """What the reference's import of a name gives. Raises KeyError."""
        module, attribute = self.imports[name]
        found = importlib.import_module(module)
        return found if attribute is None else getattr(found, attribute)


read_reference = lru_cache(maxsize=4096)(Reference)


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
