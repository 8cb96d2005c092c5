"""In-place changes that a candidate made to a copy, made to the test's own object."""

from __future__ import annotations

from collections import deque
from typing import Any

MUTABLE = (list, dict, set, bytearray, deque)


def update(ours: Any, theirs: Any) -> None:
    """Make our mutable object hold what theirs holds, keeping the identity of ours and its mutable parts."""
    if type(ours) is not type(theirs):
        return
    if isinstance(ours, list):
        ours[:] = [_kept(ours[index], new) if index < len(ours) else new for index, new in enumerate(theirs)]
    elif isinstance(ours, dict):
        items = [(key, _kept(ours[key], new) if key in ours else new) for key, new in theirs.items()]
        ours.clear()
        ours.update(items)
    elif isinstance(ours, bytearray):
        ours[:] = theirs
    elif isinstance(ours, deque):
        ours.clear()
        ours.extend(theirs)
    else:
        ours.clear()
        ours.update(theirs)


def _kept(old: Any, new: Any) -> Any:
    """Our object, changed, where it is of the same kind; else theirs."""
    if type(old) in MUTABLE and type(old) is type(new):
        update(old, new)
        return old
    return new
