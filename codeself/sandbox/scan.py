"""A conservative static look at a candidate, before it runs. It records; the config decides whether it blocks.

The sandbox does not depend on it: a program can hide anything from a static scan. Findings tell a reader
which candidates reached for something that no task asks for.
"""

from __future__ import annotations

import ast
import re

from codeself.records.verdicts import ScanFinding

_MODULES = {
    "process": {"subprocess", "multiprocessing", "pty", "signal", "concurrent"},
    "network": {"socket", "ssl", "http", "urllib", "ftplib", "smtplib", "asyncio", "requests"},
    "files": {"shutil", "tempfile", "pathlib", "glob", "fileinput", "sqlite3", "mmap"},
    "interpreter": {
        "ctypes",
        "gc",
        "inspect",
        "importlib",
        "sys",
        "builtins",
        "code",
        "traceback",
        "faulthandler",
    },
    "host": {"os", "posix", "platform", "resource", "pwd", "getpass"},
    "unpickling": {"pickle", "marshal", "shelve", "dill"},
}
_RULE_OF_MODULE = {module: rule for rule, modules in _MODULES.items() for module in modules}
_CALLS = {
    "open": "files",
    "exec": "dynamic-code",
    "eval": "dynamic-code",
    "compile": "dynamic-code",
    "__import__": "interpreter",
    "globals": "interpreter",
    "breakpoint": "interpreter",
    "input": "input",
    "exit": "exit",
    "quit": "exit",
}
_ATTRIBUTES = {
    "__subclasses__", "__globals__", "__builtins__", "__code__", "__bases__", "__mro__", "f_back", "f_globals",
    "f_locals", "gi_frame", "tb_frame", "_getframe", "_exit", "modules",
}  # fmt: skip
_LYING = {"__eq__", "__ne__", "__class__", "__instancecheck__", "__subclasscheck__"}
# A program without any of these words has nothing to find, and need not be parsed.
_WORDS = frozenset((*_RULE_OF_MODULE, *_CALLS, *_ATTRIBUTES, *_LYING))
_word = re.compile(r"\w+", re.ASCII)
_MAX_FINDINGS = 20
_MAX_CHARACTERS = 50_000  # a comparison chain of that length takes the parser half a second
_MAX_NESTING = 200


def scan(program: str) -> tuple[ScanFinding, ...]:
    """What stands out, in the order of the lines. A program that does not parse has no findings: syntax says so."""
    if len(program) > _MAX_CHARACTERS or _nesting(program) > _MAX_NESTING:
        return (ScanFinding(rule="size", line=1, detail="too long or too deeply nested to be read"),)
    # Beyond ASCII, names that look different can be the same.
    if program.isascii() and _WORDS.isdisjoint(_word.findall(program)):
        return ()
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    findings = sorted({found for node in ast.walk(tree) for found in _look(node)})
    return tuple(
        ScanFinding(rule=rule, line=line, detail=detail) for line, rule, detail in findings[:_MAX_FINDINGS]
    )


def _look(node: ast.AST) -> list[tuple[int, str, str]]:
    if isinstance(node, ast.Import):
        return [_module(node.lineno, alias.name) for alias in node.names if _rule(alias.name)]
    if isinstance(node, ast.ImportFrom):
        return [_module(node.lineno, node.module)] if node.module and _rule(node.module) else []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        return [(node.lineno, _CALLS[node.func.id], f"calls {node.func.id}")]
    if isinstance(node, ast.Attribute) and node.attr in _ATTRIBUTES:
        return [(node.lineno, "introspection", f"reads .{node.attr}")]
    if isinstance(node, ast.FunctionDef) and node.name in _LYING:
        return [(node.lineno, "equality", f"defines {node.name}")]
    return []


def _rule(module: str) -> str | None:
    return _RULE_OF_MODULE.get(module.split(".")[0])


def _module(line: int, module: str) -> tuple[int, str, str]:
    return line, _rule(module) or "", f"imports {module.split('.')[0]}"


def _nesting(program: str) -> int:
    """Deepest bracket nesting, strings and all: an upper bound is enough to spare the parser."""
    brackets = program.count("(") + program.count("[") + program.count("{")
    if brackets <= _MAX_NESTING:
        return brackets
    depth = deepest = 0
    for character in program:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth = max(depth - 1, 0)
    return deepest
