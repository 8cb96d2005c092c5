"""From the text that a policy wrote to the program that is judged.

Every text gets an answer, and every failure a name (codeself.records.verdicts.ParseStatus). Tried in order:

1. the whole text is a program that defines the entry point                        source "bare"
2. completion style: the task's opening continued, up to the first dedent          source "continuation"
3. fenced blocks: the last that defines the entry point, with what it needs        source "fence"
   from the other blocks
4. code between prose: imports, definitions and assignments at column 0            source "bare"

When the token budget ran out, the last line may be cut off: it is dropped where the rest is whole without it.
A program that uses what the task's starter code imports or defines above the entry point need not repeat it.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Sequence

from codeself.policies.openings import joined, opening_of
from codeself.policies.syntax import (
    MAX_CHARACTERS,
    bound_names,
    defines,
    end_of_block,
    free_names,
    has_body,
    parse,
    statements_apart,
)
from codeself.records.rollouts import FinishReason, PromptStyle
from codeself.records.tasks import Task
from codeself.records.verdicts import Candidate

_FENCE = re.compile(r"^([ \t]*)(`{3,}|~{3,})[ \t]*([^\n`]*)$", re.MULTILINE)
_PYTHON = frozenset({"", "python", "python3", "py", "py3", "pycon", "ipython"})
_CODE_LINE = re.compile(
    r"^(?:def|class|async[ \t]+def)[ \t]+\w|^import[ \t]+\w+[\w.]*(?:[ \t]+as\b|[ \t]*(?:,|;|#|$))"
    r"|^from[ \t]+[\w.]+[ \t]+import\b|^@\w",
    re.MULTILINE,
)
_KEPT = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Import,
    ast.ImportFrom,
    ast.Assign,
    ast.AnnAssign,
)


def parse_completion(
    completion: str, task: Task, style: PromptStyle, finish_reason: FinishReason
) -> Candidate:
    """The candidate program in a completion, or the reason why there is none. Never raises."""
    text = completion.replace("\r\n", "\n")
    if not text.strip():
        return Candidate(status="empty")
    if len(text) > MAX_CHARACTERS:
        return Candidate(status="invalid_syntax")
    candidate = _candidate(text, task, style, finish_reason == "length")
    if candidate.status != "parsed" or candidate.source == "continuation":
        return candidate
    program = _with_helpers([task.starter_code, candidate.program], 1, task.entry_point)
    return Candidate(status="parsed", program=program, source=candidate.source)


def _candidate(text: str, task: Task, style: PromptStyle, cut: bool) -> Candidate:
    name = task.entry_point
    tree = parse(text)
    if tree is not None and defines(tree, name):
        if cut and not has_body(tree, name):
            return Candidate(status="truncated", source="bare")
        return _whole(text, "bare", name)
    attempts = []
    if style == "completion":
        attempts.append(_continuation(text, opening_of(task), name, cut))
    blocks, unclosed = _fenced(text)
    if blocks:
        attempts.append(_from_fences(blocks, name, cut or unclosed))
    else:
        attempts.append(_between_prose(text, name, cut))
    found = next((attempt for attempt in attempts if attempt.status == "parsed"), None)
    return found or max(attempts, key=lambda attempt: _TELLING.index(attempt.status))


# Of several failures, the one that says most about what the policy tried.
_TELLING = ("empty", "no_code", "no_entry_point", "invalid_syntax", "truncated")


def _whole(program: str, source: str, name: str) -> Candidate:
    tree = parse(program)
    if not defines(tree, name):
        return Candidate(status="no_entry_point" if tree is not None else "invalid_syntax", source=source)
    return Candidate(status="parsed", program=program.rstrip() + "\n", source=source)


def _maybe_cut(program: str, source: str, name: str, cut: bool) -> Candidate:
    """The program, without its last line where that was cut off and the rest is whole."""
    candidate = _whole(program, source, name)
    if not cut or candidate.status == "parsed":
        return candidate
    shorter = program.rstrip().rpartition("\n")[0]
    tree = parse(shorter)
    if tree is not None and defines(tree, name) and has_body(tree, name):
        return _whole(shorter, source, name)
    return Candidate(status="truncated", source=source)


def _continuation(text: str, opening: str, name: str, cut: bool) -> Candidate:
    opening, text = joined(opening, text)
    end = end_of_block(opening, text)
    body = text if end is None else text[:end]
    if not body.strip():
        return Candidate(status="no_code")
    candidate = _maybe_cut(opening + body, "continuation", name, cut and end is None)
    if candidate.status != "parsed":
        if end is None or cut or _looks_like_code(body, opening):
            return candidate
        return Candidate(status="no_code")
    tree = parse(candidate.program)
    if tree is not None and not has_body(tree, name):
        return Candidate(status="truncated" if cut and end is None else "no_code")
    return candidate


def _looks_like_code(body: str, opening: str) -> bool:
    return not opening.endswith("\n") or body.startswith((" ", "\t", "\n"))


def _fenced(text: str) -> tuple[list[str], bool]:
    """Contents of the fenced blocks that may be Python, and whether the last one was never closed."""
    blocks: list[str] = []
    start: re.Match[str] | None = None
    for mark in _FENCE.finditer(text):
        if start is None:
            start = mark
        elif mark[2].startswith(start[2]) and not mark[3].strip():
            _add_block(blocks, start, text[start.end() + 1 : mark.start()])
            start = None
        elif mark[3].strip().lower() in _PYTHON and mark[3].strip():
            # A labelled fence opens a block: the one before it was never closed.
            _add_block(blocks, start, text[start.end() + 1 : mark.start()])
            start = mark
    if start is None:
        return blocks, False
    before = len(blocks)
    _add_block(blocks, start, text[start.end() + 1 :])
    if not blocks and start.start() > 0:
        # A closing fence alone, as after code that the prompt's own fence opened.
        _add_block(blocks, start, text[: start.start()])
        return blocks, False
    return blocks, len(blocks) > before


def _add_block(blocks: list[str], start: re.Match[str], content: str) -> None:
    label = start[3].strip().lower().split(" ")[0].strip("{}.")
    if label in _PYTHON and content.strip():
        blocks.append(textwrap.dedent(content) if start[1] else content)


def _from_fences(blocks: Sequence[str], name: str, cut: bool) -> Candidate:
    trees = [parse(block) for block in blocks]
    chosen = max((i for i, tree in enumerate(trees) if defines(tree, name)), default=None)
    if chosen is not None:
        return _whole(_with_helpers(blocks, chosen, name), "fence", name)
    last = _maybe_cut(blocks[-1], "fence", name, cut)
    if last.status in ("parsed", "truncated"):
        return last
    mended = [_between_prose(block, name, False) for block in blocks]
    parsed = [candidate for candidate in mended if candidate.status == "parsed"]
    if parsed:
        return Candidate(status="parsed", program=parsed[-1].program, source="fence")
    broken = any(tree is None for tree in trees)
    return Candidate(status="invalid_syntax" if broken else "no_entry_point", source="fence")


def _with_helpers(blocks: Sequence[str], chosen: int, name: str) -> str:
    """The chosen block after the definitions that it lacks and that other blocks have."""
    tree = parse(blocks[chosen])
    missing = free_names(tree) - {name} if tree is not None else set()
    helpers: list[str] = []
    for index in [*range(chosen - 1, -1, -1), *range(chosen + 1, len(blocks))]:
        for piece in reversed(statements_apart(blocks[index])) if missing else ():
            piece_tree = parse(piece)
            if piece_tree is None or not missing & bound_names(piece_tree.body):
                continue
            if all(isinstance(statement, _KEPT) for statement in piece_tree.body):
                helpers.insert(0, piece.rstrip() + "\n")
                missing = (missing | free_names(piece_tree)) - bound_names(piece_tree.body) - {name}
    return "\n".join([*helpers, blocks[chosen]])


def _between_prose(text: str, name: str, cut: bool) -> Candidate:
    """Imports, definitions and assignments at column 0, prose and everything else left out."""
    first = _CODE_LINE.search(text)
    if first is None:
        return Candidate(status="no_code")
    kept: list[str] = []
    broken = False
    pieces = statements_apart(text[first.start() :])
    for position, piece in enumerate(pieces):
        last = position == len(pieces) - 1
        tree = parse(piece)
        if tree is None and _CODE_LINE.match(piece):
            whole = _longest_whole(piece, cut and last)
            broken = broken or whole is None
            piece, tree = (whole, parse(whole)) if whole is not None else (piece, None)
        if tree is not None and tree.body and all(isinstance(statement, _KEPT) for statement in tree.body):
            kept.append(piece.rstrip() + "\n")
    program = "\n".join(kept)
    program_tree = parse(program)
    if program_tree is not None and defines(program_tree, name):
        if has_body(program_tree, name) or not cut:
            return _whole(program, "bare", name)
        return Candidate(status="truncated", source="bare")
    if broken:
        return Candidate(status="truncated" if cut else "invalid_syntax", source="bare")
    return Candidate(status="no_entry_point", source="bare")


def _longest_whole(piece: str, cut: bool) -> str | None:
    """A definition without its last line, when that was cut off, or None."""
    shorter = piece.rstrip().rpartition("\n")[0] if cut else ""
    tree = parse(shorter)
    return shorter if tree is not None and tree.body else None
