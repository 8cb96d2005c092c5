"""In-place changes that a candidate made to a copy, made to the test's own object."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any

MUTABLE = (list, dict, set, bytearray, deque, Counter, OrderedDict, defaultdict)


def can_change(value: Any) -> bool:
    """Whether it, or what it holds, can be changed in place."""
    kind = type(value)
    return kind in MUTABLE or (kind is tuple and any(can_change(item) for item in value))


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same data: of the same types throughout, in the same order."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple | deque):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same([*one.items()], [*other.items()])
    return bool(one == other) or (isinstance(one, float) and one != one and other != other)


def update(ours: Any, theirs: Any) -> None:
    """Make our object hold what theirs holds, keeping the identity of ours and of its mutable parts."""
    if type(ours) is not type(theirs):
        return
    if isinstance(ours, list):
        ours[:] = [_kept(ours[index], new) if index < len(ours) else new for index, new in enumerate(theirs)]
    elif isinstance(ours, tuple):
        for old, new in zip(ours, theirs, strict=False):
            update(old, new)
    elif isinstance(ours, dict):
        items = [(key, _kept(ours[key], new) if key in ours else new) for key, new in theirs.items()]
        ours.clear()
        for key, value in items:
            ours[key] = value
    elif isinstance(ours, bytearray):
        ours[:] = theirs
    elif isinstance(ours, deque):
        ours.clear()
        ours.extend(theirs)
    elif isinstance(ours, set):
        ours.clear()
        ours.update(theirs)


def _kept(old: Any, new: Any) -> Any:
    """Our object, changed, where it then holds the same; else theirs."""
    if type(old) is type(new) and can_change(old):
        update(old, new)
        return old if same(old, new) else new
    return new
