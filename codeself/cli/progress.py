"""Progress of long work, on stderr: a bar where a person watches, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
Advance = Callable[[int], None]

_LOG_SECONDS = 15.0


def track(items: Iterable[T], label: str, total: int) -> Iterator[T]:
    """Pass the items through, showing how many of `total` have come."""
    with counting(label, total) as advance:
        for item in items:
            yield item
            advance(1)


@contextmanager
def counting(label: str, total: int) -> Iterator[Advance]:
    """Show how much of `total` is done; the block calls what it is given with the number of new ones."""
    if sys.stderr.isatty():
        with _bar(label, total) as advance:
            yield advance
        return
    started = last = time.monotonic()
    count = 0

    def advance_log(steps: int) -> None:
        nonlocal count, last
        count += steps
        now = time.monotonic()
        if now - last >= _LOG_SECONDS and 0 < count < total:
            last = now
            left = (now - started) / count * (total - count)
            print(f"{label}: {count} of {total}, about {left:.0f} s left", file=sys.stderr, flush=True)

    yield advance_log
    print(f"{label}: {count} of {total} in {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)


@contextmanager
def reporting(label: str, total: int) -> Iterator[Callable[[int, str], None]]:
    """Show how much of `total` long steps is done, with a word on each: the block calls with a count and the word.

    The first call may be with what an earlier run left done; it counts for no time.
    """
    if sys.stderr.isatty():
        with _bar(label, total, with_note=True) as advance:
            yield advance
        return
    started, count, before = time.monotonic(), 0, 0

    def report(steps: int, note: str) -> None:
        nonlocal started, count, before
        count += steps
        if count == steps and not note:
            started, before = time.monotonic(), count
            return
        left = (time.monotonic() - started) / (count - before) * (total - count)
        print(f"{label}: {count} of {total}, {note}, about {left:.0f} s left", file=sys.stderr, flush=True)

    yield report


@contextmanager
def _bar(label: str, total: int, with_note: bool = False) -> Iterator[Callable[..., None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    if with_note:
        columns.append(TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=Console(stderr=True)) as progress:
        row = progress.add_task(label, total=total, note="")

        def advance(steps: int, note: str = "") -> None:
            progress.update(row, advance=steps, note=note)

        yield advance
