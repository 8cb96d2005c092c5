"""How a zygote's memory is mapped: in few pieces, and these in huge pages.

A fork copies the list of mappings and an entry for each page that was written, and the end of the copy takes both
apart again: that is much of what a candidate costs. What is in memory, and where, stays as it is. Each step is done
where the kernel and libc allow it, and left undone where they do not.
"""

from __future__ import annotations

import ctypes

from codeself.sandbox import contexts

HUGE = 1 << 21  # bytes of a huge page, and its alignment, with the usual pages of 4 KiB
_READ, _WRITE, _EXECUTE, _ANYTHING = 1, 2, 4, 7
_PRIVATE_ANONYMOUS, _MOVE_TO_PLACE = 0x22, 3
_NO_ADVICE = 0
_COLLAPSE = 25  # MADV_COLLAPSE, from Linux 6.1 on
# malloc takes blocks up to the largest that was ever freed from its one heap, not from mappings of their own.
_LARGEST_BLOCK = 8 << 20
_HEAP_STEP = 1 << 16
_HEAP_ROOM = 1 << 19  # bytes that a zygote still takes after its memory was joined
_ARENA_ALIGNMENT = 1 << 16  # a power of two, of pages of any size
_HEAP = "[heap]"
_ASIDE = 1 << 32  # bytes between a region and what is put together for it: nothing else lies there

_libc = ctypes.CDLL(None, use_errno=True)
_pointer, _size, _int = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
for _name, _result, _arguments in (
    ("mmap", _pointer, (_pointer, _size, _int, _int, _int, ctypes.c_long)),
    ("mremap", _pointer, (_pointer, _size, _size, _int, _pointer)),
    ("munmap", _int, (_pointer, _size)),
    ("mprotect", _int, (_pointer, _size, _int)),
    ("madvise", _int, (_pointer, _size, _int)),
    ("malloc", _pointer, (_size,)),
    ("free", None, (_pointer,)),
    ("sbrk", _pointer, (ctypes.c_long,)),
):
    if hasattr(_libc, _name):
        _function = getattr(_libc, _name)
        _function.restype, _function.argtypes = _result, _arguments

Region = tuple[int, int]
"""The addresses of its first byte, and of the byte after its last."""
Mapping = tuple[int, int, str, str]
"""A region, what may be done there ("rwxp"), and its file or name."""


class _ArenaAllocator(ctypes.Structure):
    """PyObjectArenaAllocator of the C API: alloc(context, size) and free(context, address, size)."""

    _fields_ = [(name, _pointer) for name in ("context", "alloc", "free")]


_own_allocator = _ArenaAllocator()


def one_heap() -> None:
    """Let the interpreter take its memory from malloc's heap, which is one mapping, until `own_arenas`."""
    if not hasattr(_libc, "memalign"):
        return
    _libc.free(_libc.malloc(_LARGEST_BLOCK))
    ctypes.pythonapi.PyObject_GetArenaAllocator(ctypes.byref(_own_allocator))
    # memalign(alignment, size) has the shape of alloc(context, size). What it gave is given back by the
    # interpreter's own munmap, which leaves malloc's books, before and behind the block, as they are.
    alloc = ctypes.cast(_libc.memalign, _pointer)
    heaps = _ArenaAllocator(_ARENA_ALIGNMENT, alloc, _own_allocator.free)
    ctypes.pythonapi.PyObject_SetArenaAllocator(ctypes.byref(heaps))


def own_arenas() -> None:
    """The interpreter maps its memory itself again: what a candidate takes it can give back."""
    if _own_allocator.alloc:
        ctypes.pythonapi.PyObject_SetArenaAllocator(ctypes.byref(_own_allocator))


def join() -> list[Region]:
    """Make one mapping, in huge pages, of all libraries and what lies between them, and one of the heap.

    What is left over at their ends keeps its mappings, fewer of them where neighbours allow the same. Returns the
    regions that are written to, for `enlarge`. To be called while there is a /proc.
    """
    _extend_heap()
    joined = (
        [span for span in map(_Span, _neighbours(_mappings())) if span.join()] if contexts.POSSIBLE else []
    )
    rest = _mappings()
    _join_access(rest)
    return [
        *((span.start, span.end) for span in joined),
        *((start, end) for start, end, access, file in rest if access == "rw-p" and file in ("", _HEAP)),
    ]


def enlarge(regions: list[Region]) -> None:
    """Gather the pages of these regions into huge ones of this process's own, where a huge one fits."""
    for start, end in map(_huge_part, regions):
        for address in range(start, end, HUGE):
            _libc.madvise(address, HUGE, _COLLAPSE)


class _Span:
    """Mappings side by side, and the huge pages that they fill, with the room that is free before and behind them."""

    def __init__(self, neighbours: tuple[Region, list[Mapping]]) -> None:
        (low, high), mappings = neighbours
        first, last = mappings[0][0], mappings[-1][1]
        start, end = first // HUGE * HUGE, -(-last // HUGE) * HUGE
        # Behind the heap is where it grows.
        behind = end <= high and mappings[-1][3] != _HEAP
        self.start, self.end = _huge_part((start if start >= low else first, end if behind else last))
        self.pieces = [
            (max(start, self.start), min(end, self.end), access)
            for start, end, access, _ in mappings
            if start < self.end and end > self.start and "r" in access
        ]

    def join(self) -> bool:
        """Put a copy in huge pages in their place, all at once. Nothing is changed where it returns False."""
        size = self.end - self.start
        if sum(end - start for start, end, _ in self.pieces) <= HUGE // 2:
            return False
        live = [(start, end) for start, end, access in self.pieces if "w" in access]
        row_bytes = contexts.bytes_for(len(live) + 1)
        whole = size + HUGE + row_bytes
        area = _libc.mmap(max(self.start - _ASIDE, HUGE), whole, _ANYTHING, _PRIVATE_ANONYMOUS, -1, 0)
        if area == _pointer(-1).value:
            return False
        copy = -(-area // HUGE) * HUGE
        moved = copy - self.start
        done = False
        if area >= self.end or area + whole <= self.start:  # else the kernel had no room aside
            for start, end, _ in self.pieces:
                ctypes.memmove(start + moved, start, end - start)
            done = all(
                _libc.madvise(address + moved, HUGE, _COLLAPSE) == 0
                for address in range(self.start, self.end, HUGE)
                if any(start < address + HUGE and end > address for start, end, _ in self.pieces)
            )
        if done:
            # What the interpreter has written since is copied once more, and it writes no more until all is in place.
            calls: list[contexts.Call] = [
                (_libc.memcpy, start + moved, start, end - start) for start, end in live
            ]
            calls.append((_libc.mremap, copy, size, size, _MOVE_TO_PLACE, self.start))
            contexts.Row(copy + size, calls).run()
            done = _libc.madvise(copy, size, _NO_ADVICE) != 0  # nothing is mapped there any more
        if done:
            _libc.munmap(area, copy - area)
            _libc.munmap(copy + size, area + whole - copy - size)
        else:
            _libc.munmap(area, whole)
        return done


def _neighbours(mappings: list[Mapping]) -> list[tuple[Region, list[Mapping]]]:
    """Mappings with less than a huge page between them: libraries, and apart from these the heap.

    Each with the addresses between which nothing else is mapped. The kernel's own pages and the stack are left out.
    """
    groups: list[list[Mapping]] = []
    for mapping in mappings:
        start, _, _, name = mapping
        last = groups[-1][-1] if groups else (0, 0, "", "[")
        if name.startswith("[") or last[3].startswith("[") or start - last[1] > HUGE:
            groups.append([])
        groups[-1].append(mapping)
    lows = [0, *(group[-1][1] for group in groups)]
    highs = [*(group[0][0] for group in groups[1:]), 1 << 64]
    return [
        ((low, high), group)
        for low, high, group in zip(lows, highs, groups, strict=False)
        if group[0][3] == _HEAP or not group[0][3].startswith("[")
    ]


def _join_access(mappings: list[Mapping]) -> None:
    """Two mappings of a library for four: what is only read joins the code, what the linker filled in the variables."""
    code = {file for _, _, access, file in mappings if access == "r-xp"}
    for (start, end, access, file), following in zip(mappings, [*mappings[1:], *mappings[:1]], strict=True):
        if access != "r--p" or not file.startswith("/"):
            continue
        if following[2:] == ("rw-p", file):
            _libc.mprotect(start, end - start, _READ | _WRITE)
        elif file in code:
            _libc.mprotect(start, end - start, _READ | _EXECUTE)


def _extend_heap() -> None:
    """Have malloc's heap reach to where a huge page ends, with nothing taken from it and room for what is to come."""
    goal = -(-((_libc.sbrk(0) or 0) + _HEAP_ROOM) // HUGE) * HUGE
    blocks = []
    while (_libc.sbrk(0) or goal) < goal:
        blocks.append(_libc.malloc(_HEAP_STEP))
    for block in blocks:
        _libc.free(block)


def _huge_part(region: Region) -> Region:
    start, end = region
    return -(-start // HUGE) * HUGE, end // HUGE * HUGE


def _mappings() -> list[Mapping]:
    """All of this process, in the order of their addresses."""
    try:
        with open("/proc/self/maps", encoding="utf-8") as lines:
            found = [line.split(maxsplit=5) for line in lines]
    except OSError:
        return []
    places = [words[0].split("-") for words in found]
    return [
        (int(start, 16), int(end, 16), words[1], words[5].strip() if words[5:] else "")
        for (start, end), words in zip(places, found, strict=True)
    ]
