"""Reading text that may be Python, whatever it is: nothing here raises, and nothing is executed.

Text that nobody writes in earnest (very long, or nested deeper than the parser goes) counts as unreadable.
"""

from __future__ import annotations

import ast
import builtins
import re
import warnings
from collections.abc import Iterator, Sequence

MAX_CHARACTERS = 100_000
# A statement that only makes sense after the one above it.
_CONTINUES = re.compile(r"(?:elif|else|except|finally|case)\b|[)\]}]")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def parse(text: str) -> ast.Module | None:
    """The syntax tree of a whole program, or None where the text is not one."""
    if len(text) > MAX_CHARACTERS:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def defines(tree: ast.Module | None, name: str) -> bool:
    """Whether running the program binds the name at its top level."""
    return tree is not None and name in bound_names(tree.body)


def bound_names(statements: Sequence[ast.stmt]) -> set[str]:
    """Names that these statements bind at their own level, branches of if, try, with and loops included."""
    names: set[str] = set()
    stack: list[ast.stmt] = list(statements)
    while stack:
        node = stack.pop()
        if isinstance(node, _DEFINITIONS):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        else:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.stmt):
                    stack.append(child)
                elif isinstance(child, ast.ExceptHandler):
                    stack.extend(child.body)
                elif isinstance(child, ast.expr):
                    names.update(
                        part.id
                        for part in ast.walk(child)
                        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
                    )
    return names


def free_names(tree: ast.Module) -> set[str]:
    """Names that the program reads and binds nowhere."""
    read: set[str] = set()
    bound = set(vars(builtins))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    return read - bound - bound_names(statements)


def has_body(tree: ast.Module, name: str) -> bool:
    """Whether the definition of the name does more than hold a docstring (a name bound otherwise does)."""
    found = [node for node in tree.body if isinstance(node, _DEFINITIONS) and node.name == name]
    if not found:
        return True
    body = found[-1].body
    return len(body) > 1 or not (isinstance(body[0], ast.Expr) and _is_text(body[0].value))


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def statement_starts(text: str, *, comments: bool = False) -> Iterator[int]:
    """Offsets of lines that begin a statement at column 0, outside brackets and strings.

    A line that closes a bracket, or continues the statement above it, begins none. comments: whether a
    comment at column 0 counts. Works on half a program: an open bracket or string then runs to the end.
    """
    depth = 0
    quote = ""
    position = 0
    at_line_start = True
    while position < len(text):
        character = text[position]
        if quote:
            if character == "\\":
                position += 2
            elif text.startswith(quote, position):
                position += len(quote)
                quote = ""
            elif character == "\n" and len(quote) == 1:
                quote = ""  # not closed on its line: broken code, or an apostrophe in prose
            else:
                position += 1
            continue
        begins = at_line_start and depth == 0 and not character.isspace()
        if begins and not _CONTINUES.match(text, position) and (comments or character != "#"):
            yield position
        at_line_start = character == "\n"
        if character == "#":
            position = text.find("\n", position)
            if position < 0:
                return
        elif character in "\"'":
            quote = character * 3 if text.startswith(character * 3, position) else character
            position += len(quote)
        elif character == "\\" and text.startswith("\n", position + 1):
            position += 2
        else:
            depth = max(depth + (character in "([{") - (character in ")]}"), 0)
            position += 1


def statements_apart(text: str) -> list[str]:
    """The text cut at each line that begins a statement, decorators with what they decorate."""
    starts = list(statement_starts(text))
    joined: list[list[str]] = []
    decorated = False
    for start, end in zip(starts, [*starts[1:], len(text)], strict=False):
        if decorated:
            joined[-1].append(text[start:end])
        else:
            joined.append([text[start:end]])
        decorated = text[start] == "@"
    return ["".join(pieces) for pieces in joined]


def end_of_block(opening: str, text: str) -> int | None:
    """Where, in a text that continues an opening, the first statement or comment at column 0 begins.

    opening: the beginning of a program that ends inside a function. None while its block may still go on.
    """
    for start in statement_starts(opening + text, comments=True):
        if start >= len(opening):
            return start - len(opening)
    return None
