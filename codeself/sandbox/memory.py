"""Where a zygote's memory lies. What lies together costs a fork less: a page is copied when anything on it is
touched, and touching an object is enough.

`fill` uses up the holes that dead objects have left, so that what is made next lies side by side. It depends
on nothing but sizes and addresses: where another allocator is at work, it merely fills some memory.
"""

from __future__ import annotations

_SMALL = 512  # the largest block that the interpreter's own allocator hands out; larger ones come from malloc
_STEP = 16
_POOL_MASK = (1 << 14) - 1
_LARGE = (*range(_SMALL + _STEP, 2048, _STEP), *(1 << power for power in range(11, 17)))
_MOST = 20_000  # blocks of one size: a bound, should the allocator be another one
_HEADER = len(b"") + 33  # bytes of a bytes object beyond its content


def fill() -> list[bytes]:
    """Objects in every hole. Keep them for as long as the holes are to stay filled."""
    kept: list[bytes] = []
    _fill_large(kept)
    _fill_small(kept)
    return kept


def _fill_small(kept: list[bytes]) -> None:
    """Blocks of each size until several follow each other: that is a pool of which nothing was used before."""
    for size in range(3 * _STEP, _SMALL + 1, _STEP):
        following = last = 0
        for _ in range(_MOST):
            block = bytes(size - _HEADER - 8)
            kept.append(block)
            address = id(block)
            if last and address == last + size and last & _POOL_MASK < 3 * _STEP + 4 * size:
                following += 1
            else:
                following = 0
            last = address
            if following == 2:
                break


def _fill_large(kept: list[bytes]) -> None:
    """Blocks of each size, largest first, until they come from the end of the heap."""
    end = id(bytes(100_000))
    for size in reversed(_LARGE):
        for _ in range(_MOST):
            block = bytes(size - _HEADER - 8)
            if id(block) >= end:
                break
            kept.append(block)
