"""A task under other names: the same problem, entry point and arguments renamed, to ask whether a gain survives it.

Words of the description stay as they are. An argument that the description mentions keeps its name, so that the
text still speaks of it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from codeself.records.errors import InputError
from codeself.records.tasks import CallTest, Task

ENTRY_POINTS = ("solve", "solution", "compute_answer")
ARGUMENTS = "abcdefgh"


def renamed(task: Task) -> Task:
    """The task with a neutral entry point and single letters for arguments.

    Raises InputError for a task whose tests are programs: they may use names in ways that cannot be followed.
    """
    if not all(isinstance(t, CallTest) for kind in ("public", "hidden", "locked") for t in task.tests(kind)):
        raise InputError(f"task '{task.task_id}': only tasks whose tests are calls can be renamed")
    programs = (task.starter_code, task.reference_solution, *task.wrong_variants)
    used = {name for source in programs for name in _names(source)}
    entry = next((name for name in ENTRY_POINTS if name not in used), None)
    if entry is None:
        raise InputError(
            f"task '{task.task_id}': uses every name that it could be given: {', '.join(ENTRY_POINTS)}"
        )
    names = {task.entry_point: entry} | _arguments(task, used)

    def tests(kind: tuple[CallTest, ...]) -> tuple[CallTest, ...]:
        return tuple(
            t.model_copy(update={"kwargs": {names.get(key, key): value for key, value in t.kwargs.items()}})
            for t in kind
        )

    # The entry point's name is replaced where it is called or in code; the description may use the word itself.
    called = re.compile(rf"(?<![\w.]){re.escape(task.entry_point)}(?=\()")
    signature = re.search(rf"\b{re.escape(task.entry_point)}\((.*?)\)", task.prompt)
    prompt = task.prompt
    if signature:
        inner = _words(signature.group(1), names)
        prompt = prompt[: signature.start(1)] + inner + prompt[signature.end(1) :]
    return task.model_copy(
        update={
            "prompt": called.sub(entry, prompt),
            "entry_point": entry,
            "starter_code": called.sub(entry, _rewritten(task.starter_code, names)),
            "reference_solution": called.sub(entry, _rewritten(task.reference_solution, names)),
            "wrong_variants": tuple(called.sub(entry, _rewritten(v, names)) for v in task.wrong_variants),
            **{f"{kind}_tests": tests(task.tests(kind)) for kind in ("public", "hidden", "locked")},  # type: ignore[arg-type]
            "metadata": {**task.metadata, "renamed": names},
        }
    )


def _arguments(task: Task, used: set[str]) -> dict[str, str]:
    """New names for the arguments that the description does not mention."""
    function = _function(task.reference_solution, task.entry_point)
    described = set(re.findall(r"\w+", ast.get_docstring(function) or ""))
    described |= set(re.findall(r"\w+", task.prompt.partition("\n")[2]))
    free = iter([letter for letter in ARGUMENTS if letter not in used | described])
    own = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    keywords = {k.arg for node in ast.walk(function) if isinstance(node, ast.Call) for k in node.keywords}
    names = {}
    for arg in own:
        if arg not in described and arg not in keywords and (letter := next(free, None)):
            names[arg] = letter
    return names


def _function(source: str, name: str) -> ast.FunctionDef:
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
    raise InputError(f"the reference solution does not define '{name}' at its top level")


def _rewritten(source: str, names: Mapping[str, str]) -> str:
    """A program with its names replaced where they are names, not where they stand in strings."""
    lines = [line.encode() for line in source.split("\n")]
    places: list[tuple[int, int, str]] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and node.id in names:
            places.append((node.lineno, node.col_offset, node.id))
        elif isinstance(node, ast.arg) and node.arg in names:
            places.append((node.lineno, node.col_offset, node.arg))
        elif isinstance(node, ast.FunctionDef) and node.name in names:
            line = lines[node.lineno - 1]
            places.append((node.lineno, line.index(node.name.encode(), node.col_offset), node.name))
    for row, column, name in sorted(set(places), reverse=True):
        line = lines[row - 1]
        lines[row - 1] = line[:column] + names[name].encode() + line[column + len(name.encode()) :]
    return b"\n".join(lines).decode()


def _names(source: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", source))


def _words(text: str, names: Mapping[str, str]) -> str:
    """A signature's inside with its argument names, each before a colon, a comma or the end, replaced."""
    return re.sub(r"\b[A-Za-z_]\w*(?=\s*[:,=]|$)", lambda m: names.get(m.group(), m.group()), text)
