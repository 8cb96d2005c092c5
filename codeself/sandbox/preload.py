"""The part of the standard library that every candidate finds loaded.

Loaded before the package's own modules, so that these, of which each candidate touches much, lie together in
memory (codeself.sandbox.memory). A module more costs every candidate; one less costs each that imports it.
"""

from __future__ import annotations

import importlib

from codeself.sandbox import memory

_FOR_CANDIDATES = """
abc bisect collections collections.abc contextlib copy dataclasses datetime enum functools heapq io itertools
json math operator random re string time typing
""".split()
_FOR_THE_ZYGOTE = "_socket base64 ctypes decimal fractions gc mmap resource struct types".split()

_kept: list[bytes] = []


def load() -> None:
    """Import the modules and close the gaps that importing left."""
    for name in (*_FOR_CANDIDATES, *_FOR_THE_ZYGOTE):
        importlib.import_module(name)
    settle()


def settle() -> None:
    """Close the gaps again: what candidates make from now on lies together."""
    _kept.extend(memory.fill())
