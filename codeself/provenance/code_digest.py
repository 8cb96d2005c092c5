"""The digest of the code behind a command: it changes when, and only when, what the command runs changes.

It covers the module of the command and every codeself module that it reaches, by their syntax trees, so
that comments, docstrings and layout do not count. A module is reached by

- an import anywhere in a module, inside functions too (but not under `if TYPE_CHECKING`);
- its dotted name as a string ("codeself.sandbox.x"), for modules started or loaded by name;
- a string "codeself.policies." with a dot at its end: then every module of that package;
- its file's name as a string ("x.py"), for a sibling file that is run as a program.

A package's own module is reached with any module inside it. codeself and codeself.cli are exempt unless
something is imported out of them: they only choose which command to run.

The text of a syntax tree differs between minor versions of Python, so another Python makes every stage stale.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path

PACKAGE = "codeself"
_ROOT = Path(__file__).resolve().parent.parent
_ONLY_DISPATCH = frozenset({PACKAGE, f"{PACKAGE}.cli"})
_WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code_digest(command: str, without: Collection[str] = (), root: Path = _ROOT) -> str:
    """12 hex digits for a codeself command, such as "run-rollouts".

    without: modules that this use of the command never runs (another backend's, say), and what only they
    reach. root: folder of the package.
    """
    digest = hashlib.sha256()
    for module in modules_behind(f"{PACKAGE}.cli.{command.replace('-', '_')}", without, root):
        digest.update(f"{module} {_load(module, root)[0]}\n".encode())
    return digest.hexdigest()[:12]


def modules_behind(module: str, without: Collection[str] = (), root: Path = _ROOT) -> list[str]:
    """The names of all codeself modules that a module reaches, itself included, sorted."""
    for name in (module, *without):
        if _file_of(name, root) is None:
            raise LookupError(f"there is no module {name}")
    reached: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in reached and name not in without:
            reached.add(name)
            waiting.extend(_load(name, root)[1])
            waiting.extend(package for package in _packages_of(name) if package not in _ONLY_DISPATCH)
    return sorted(reached)


@functools.cache
def _load(module: str, root: Path) -> tuple[str, frozenset[str]]:
    """A module's own digest, and the modules it names."""
    path = _file_of(module, root)
    assert path is not None
    tree = ast.parse(path.read_bytes(), str(path))
    named = frozenset(name for name in _named(tree, module, path, root) if name != module)
    for node in ast.walk(tree):
        if isinstance(node, _WITH_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return hashlib.sha256(ast.dump(tree).encode("utf-8", "surrogatepass")).hexdigest(), named


def _named(tree: ast.AST, module: str, path: Path, root: Path) -> Iterator[str]:
    for node in _running(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if _file_of(alias.name, root) is not None:
                    yield alias.name
        elif isinstance(node, ast.ImportFrom):
            package = _imported_from(node, module, path)
            for alias in node.names:
                inner = f"{package}.{alias.name}"
                name = inner if _file_of(inner, root) is not None else package
                if _file_of(name, root) is not None:
                    yield name
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _named_by_string(node.value, module, path, root)


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree, without what stands under `if TYPE_CHECKING`."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            waiting.extend(node.orelse)
        else:
            waiting.extend(ast.iter_child_nodes(node))


def _named_by_string(text: str, module: str, path: Path, root: Path) -> Iterator[str]:
    if text.startswith(f"{PACKAGE}."):
        if text.endswith("."):
            folder = root.joinpath(*text.split(".")[1:-1])
            yield from sorted(f"{text}{file.stem}" for file in folder.glob("*.py") if file.stem != "__init__")
        elif _file_of(text, root) is not None:
            yield text
    elif text.endswith(".py") and text.removesuffix(".py").isidentifier():
        sibling = path.with_name(text)
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        if sibling.is_file() and sibling != path and text != "__init__.py":
            yield f"{package}.{sibling.stem}"


def _imported_from(node: ast.ImportFrom, module: str, path: Path) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    keep = len(parts) - node.level + (path.name == "__init__.py")
    return ".".join([*parts[:keep], *([node.module] if node.module else [])])


def _packages_of(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


@functools.cache
def _file_of(module: str, root: Path) -> Path | None:
    package, *parts = module.split(".")
    if package != PACKAGE or not all(part.isidentifier() for part in parts):
        return None
    place = root.joinpath(*parts)
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if parts and path.is_file():
            return path
    return place / "__init__.py" if not parts else None
