"""Merkle trees over lines: one digest for a whole file, from which a changed row can be told.

A leaf is the sha256 of a line without its end. A node is the sha256 of a 1 byte and its two children, so that no line
can be taken for a node; a last child without a sister moves up as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from codeself.records.digests import sha256_bytes
from codeself.records.files import read_bytes

# Hex digits of a leaf that are kept to name a row: the whole file's digest is what finds that there is one.
SHORT = 8


def merkle_root(leaves: Sequence[str]) -> str:
    """The root over hex digests, in their order; of no leaf at all, the sha256 of nothing."""
    level = [bytes.fromhex(leaf) for leaf in leaves]
    if not level:
        return sha256_bytes(b"")
    while len(level) > 1:
        pairs = [
            hashlib.sha256(b"\x01" + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)
        ]
        level = pairs + level[len(pairs) * 2 :]
    return level[0].hex()


def line_digests(path: Path) -> list[str]:
    """The sha256 of each line of a file, which may be packed."""
    return [sha256_bytes(line) for line in lines_of(path)]


def lines_of(path: Path) -> list[bytes]:
    lines = read_bytes(path).split(b"\n")
    return lines[:-1] if not lines[-1] else lines


def changed_rows(was: Sequence[str], now: Sequence[str]) -> list[int]:
    """Numbers, from 1, of the rows that differ. was: digests, perhaps shortened.

    Where rows were added or taken out, the first place at which the two lists part, up to their common end.
    """
    new = [digest[:SHORT] for digest in now]
    old = [digest[:SHORT] for digest in was]
    if len(old) == len(new):
        return [
            number for number, pair in enumerate(zip(old, new, strict=True), start=1) if pair[0] != pair[1]
        ]
    head = next(
        (at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return list(range(head + 1, max(len(old), len(new)) - tail + 1))
