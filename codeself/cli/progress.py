"""Progress of long work, on stderr: a bar where a person watches, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

_LOG_SECONDS = 15.0


def track(items: Iterable[T], label: str, total: int) -> Iterator[T]:
    """Pass the items through, showing how many of `total` have come."""
    if sys.stderr.isatty():
        yield from _bar(items, label, total)
        return
    started = last = time.monotonic()
    count = 0
    for item in items:
        yield item
        count += 1
        now = time.monotonic()
        if now - last >= _LOG_SECONDS and count < total:
            last = now
            left = (now - started) / count * (total - count)
            print(f"{label}: {count} of {total}, about {left:.0f} s left", file=sys.stderr, flush=True)
    print(f"{label}: {count} of {total} in {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)


def _bar(items: Iterable[T], label: str, total: int) -> Iterator[T]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield from progress.track(items, total=total, description=label)
