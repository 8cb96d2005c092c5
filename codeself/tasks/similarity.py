"""Near-duplicate tasks: two that share nearly all of their words and code.

A task is the set of its shingles: runs of three words of the prompt, runs of three tokens of the reference
solution with names replaced by the order in which they appear. Two tasks are as similar as the Jaccard index
of their sets, so that renamed variables and other wording of one sentence do not hide a copy.
"""

from __future__ import annotations

import io
import keyword
import re
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from codeself.records.tasks import Task

RUN = 3
# Chosen by reading MBPP's pairs: from 0.6 up they are siblings ("maximum of two numbers", "minimum of two
# numbers") or copies; below 0.5 they mostly share boilerplate.
THRESHOLD = 0.6
_LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


@dataclass(frozen=True)
class Pair:
    """Two tasks by position, the earlier first."""

    first: int
    second: int
    similarity: float


def near_duplicates(tasks: Sequence[Task], threshold: float = THRESHOLD) -> list[Pair]:
    """All pairs that are at least `threshold` similar, in order of position."""
    sets = [shingles(task) for task in tasks]
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    pairs = []
    for position, own in enumerate(sets):
        shared: Counter[int] = Counter()
        for shingle in own:
            shared.update(holders[shingle])
            holders[shingle].append(position)
        for other, count in shared.items():
            similarity = count / (len(own) + len(sets[other]) - count)
            if similarity >= threshold:
                pairs.append(Pair(other, position, round(similarity, 4)))
    return sorted(pairs, key=lambda pair: (pair.first, pair.second))


def clusters(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """The groups into which the pairs join positions 0 to count-1. Each is sorted; some hold one alone."""
    parent = list(range(count))

    def root(position: int) -> int:
        while parent[position] != position:
            parent[position] = parent[parent[position]]
            position = parent[position]
        return position

    for first, second in pairs:
        low, high = sorted((root(first), root(second)))
        parent[high] = low
    groups: dict[int, list[int]] = defaultdict(list)
    for position in range(count):
        groups[root(position)].append(position)
    return list(groups.values())


def shingles(task: Task) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"\w+|[^\w\s]", task.prompt.lower())
    tokens = code_tokens(task.reference_solution)
    return frozenset(_runs("prompt", words) | _runs("code", tokens))


def code_tokens(source: str) -> list[str]:
    """Tokens of a program, its names replaced by their order of appearance, comments and layout left out.

    Names that the program only reads (builtins, modules) keep their spelling. A source that cannot be
    tokenized is taken by its words.
    """
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return source.split()
    bound = _bound_names(tokens)
    numbers: dict[str, str] = {}
    spelled = []
    for token in tokens:
        if token.type in _LAYOUT:
            continue
        if token.type == tokenize.NAME and token.string in bound:
            spelled.append(numbers.setdefault(token.string, f"name{len(numbers)}"))
        else:
            spelled.append(token.string)
    return spelled


def _bound_names(tokens: Sequence[tokenize.TokenInfo]) -> set[str]:
    """Names that are defined, assigned, looped over, or parameters: near enough, without parsing scopes."""
    bound = set()
    in_parameters = False
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        if token.string == "def":
            in_parameters = True
        elif in_parameters and token.string == ":" and after is not None and after.type == tokenize.NEWLINE:
            in_parameters = False
        if token.type != tokenize.NAME or keyword.iskeyword(token.string):
            continue
        defined = before is not None and before.string in ("def", "class", "for", "as")
        assigned = after is not None and after.string in ("=", "+=", "-=", "*=", ":=")
        parameter = in_parameters and before is not None and before.string in ("(", ",", "*", "**")
        if defined or assigned or parameter:
            bound.add(token.string)
    return bound


def _runs(kind: str, items: Sequence[str]) -> set[tuple[str, ...]]:
    return {(kind, *items[start : start + RUN]) for start in range(max(1, len(items) - RUN + 1))}


def with_joint_families(tasks: Sequence[Task], threshold: float = THRESHOLD) -> list[Task]:
    """The tasks, near-duplicates given the family of the first among them: they stand or fall together."""
    joint = list(tasks)
    for group in clusters(len(tasks), ((p.first, p.second) for p in near_duplicates(tasks, threshold))):
        for position in group[1:]:
            joint[position] = tasks[position].model_copy(update={"family": tasks[group[0]].family})
    return joint
