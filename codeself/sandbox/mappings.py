"""How the kernel maps a zygote's memory: in few pieces, and the large ones in huge pages.

A fork copies the list of mappings and an entry for each page that was written, and the end of the copy takes both
apart again: that is most of what a candidate costs. What is in memory, and where, stays as it is. Each step is done
where the kernel and libc allow it, and left undone where they do not.
"""

from __future__ import annotations

import ctypes

HUGE = 1 << 21  # bytes of a huge page, and its alignment, with the usual pages of 4 KiB
_READ, _WRITE, _EXECUTE = 1, 2, 4
_PRIVATE_ANONYMOUS, _MOVE_TO_PLACE = 0x22, 3
_COLLAPSE = 25  # MADV_COLLAPSE, from Linux 6.1 on
# malloc takes blocks up to the largest that was ever freed from its one heap, not from mappings of their own.
_LARGEST_BLOCK = 8 << 20
_ARENA_ALIGNMENT = 1 << 16  # a power of two, of pages of any size

_libc = ctypes.CDLL(None, use_errno=True)
_pointer, _size, _int = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
for _name, _result, _arguments in (
    ("mmap", _pointer, (_pointer, _size, _int, _int, _int, ctypes.c_long)),
    ("mremap", _pointer, (_pointer, _size, _size, _int, _pointer)),
    ("mprotect", _int, (_pointer, _size, _int)),
    ("munmap", _int, (_pointer, _size)),
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


class _ArenaAllocator(ctypes.Structure):
    """PyObjectArenaAllocator of the C API: alloc(context, size) and free(context, address, size)."""

    _fields_ = [(name, ctypes.c_void_p) for name in ("context", "alloc", "free")]


_own_allocator = _ArenaAllocator()


def one_heap() -> None:
    """Let the interpreter take its memory from malloc's heap, which is one mapping, until `own_arenas`."""
    if not hasattr(_libc, "memalign"):
        return
    _libc.free(_libc.malloc(_LARGEST_BLOCK))
    _to_boundary()  # nothing writes to this block: it takes up addresses alone
    ctypes.pythonapi.PyObject_GetArenaAllocator(ctypes.byref(_own_allocator))
    # memalign(alignment, size) has the shape of alloc(context, size). What it gave is given back by the
    # interpreter's own munmap, which leaves malloc's books, before and behind the block, as they are.
    alloc = ctypes.cast(_libc.memalign, ctypes.c_void_p)
    heaps = _ArenaAllocator(_ARENA_ALIGNMENT, alloc, _own_allocator.free)
    ctypes.pythonapi.PyObject_SetArenaAllocator(ctypes.byref(heaps))


def own_arenas() -> None:
    """The interpreter maps its memory itself again: what a candidate takes it can give back."""
    if _own_allocator.alloc:
        ctypes.pythonapi.PyObject_SetArenaAllocator(ctypes.byref(_own_allocator))


def join_libraries() -> None:
    """One mapping instead of four for what a library only reads, and huge pages for a large library's.

    The linker maps code, constants and what it has filled in itself apart, by what may be done with each. Code and
    constants join as code, the rest joins the variables: all of it the process's own, to do with as it likes.
    """
    mappings = _mappings()
    libraries = {file for _, _, access, file in mappings if access == "r-xp" and file.startswith("/")}
    pieces: list[Region] = []
    for (start, end, access, file), following in zip(mappings, [*mappings[1:], *mappings[:1]], strict=True):
        if file not in libraries:
            continue
        if access == "r--p" and following[2:] == ("rw-p", file):
            _libc.mprotect(start, end - start, _READ | _WRITE)
        elif access in ("r--p", "r-xp"):
            _libc.mprotect(start, end - start, _READ | _EXECUTE)
            if pieces and pieces[-1][1] == start:
                pieces[-1] = (pieces[-1][0], end)
            else:
                pieces.append((start, end))
    for start, end in map(_huge_part, pieces):
        if start < end:
            _copy_to_huge(start, end)


def written() -> list[Region]:
    """Where memory of the process's own lies, the heap with room to grow. To be asked while there is a /proc."""
    return [
        (start, end + (HUGE if file == "[heap]" else 0))
        for start, end, access, file in _mappings()
        if access == "rw-p" and file in ("", "[heap]")
    ]


def enlarge(regions: list[Region]) -> None:
    """Gather the pages of these regions into huge ones, where a huge one fits."""
    _libc.free(_to_boundary())
    for start, end in map(_huge_part, regions):
        for address in range(start, end, HUGE):
            _libc.madvise(address, HUGE, _COLLAPSE)


def _to_boundary() -> int:
    """Have malloc's heap end where a huge page does. Returns the block that it took for that."""
    block: int = _libc.malloc(-(_libc.sbrk(0) or 0) % HUGE)
    return block


def _huge_part(region: Region) -> Region:
    start, end = region
    return -(-start // HUGE) * HUGE, end // HUGE * HUGE


def _copy_to_huge(start: int, end: int) -> None:
    """Put a copy in huge pages in the place of memory that nobody writes to, the code that runs included."""
    size = end - start
    base = _libc.mmap(None, size + HUGE, _READ | _WRITE, _PRIVATE_ANONYMOUS, -1, 0)
    if base == ctypes.c_void_p(-1).value:
        return
    copy = -(-base // HUGE) * HUGE
    ctypes.memmove(copy, start, size)
    # Small pages of its own would cost a fork more than the file's, which it need not copy.
    if _libc.madvise(copy, size, _COLLAPSE) == 0 and _libc.mprotect(copy, size, _READ | _EXECUTE) == 0:
        _libc.mremap(copy, size, size, _MOVE_TO_PLACE, start)
        _libc.munmap(base, copy - base)
        _libc.munmap(copy + size, base + HUGE - copy)
    else:
        _libc.munmap(base, size + HUGE)


def _mappings() -> list[tuple[int, int, str, str]]:
    """Start, end, access, and file or name of each, in their order."""
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
