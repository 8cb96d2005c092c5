"""The file system a candidate sees: the Python runtime, read-only, and nothing else of the host."""

from __future__ import annotations

import os
from collections.abc import Sequence

from codeself.sandbox import kernel

STDLIB = os.path.dirname(os.__file__)
_ZONEINFO = "/usr/share/zoneinfo"
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")


def runtime_files() -> list[str]:
    """The standard library, the shared libraries its extension modules need, and time zones.

    Which libraries is asked of the loader itself: a child process imports every extension module of the
    standard library and reads off what was newly mapped. What this process holds already needs no file.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            os.write(writing, "\n".join(_mapped_libraries()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        mapped = stream.read().decode()
    os.waitpid(child, 0)
    libraries = [line for line in mapped.splitlines() if line and not line.startswith(f"{STDLIB}/")]
    extras = [path for path in (_ZONEINFO, *_DEVICES) if os.path.exists(path)]
    return [STDLIB, *libraries, *extras]


def _mapped_libraries() -> list[str]:
    before = _mapped()
    for file in sorted(os.listdir(f"{STDLIB}/lib-dynload")):
        name = file.split(".")[0]
        if file.endswith(".so") and not name.startswith(("_test", "xx", "_xx", "_tkinter", "_ctypes_test")):
            try:
                __import__(name)
            except ImportError:
                continue
    names = _mapped() - before
    return sorted(names | {link for path in names for link in _links_to(path)})


def _mapped() -> set[str]:
    with open("/proc/self/maps", encoding="utf-8") as maps:
        paths = {line.split(maxsplit=5)[-1].strip() for line in maps}
    return {path for path in paths if path.startswith("/") and ".so" in os.path.basename(path)}


def _links_to(path: str) -> list[str]:
    """Symbolic links beside a library that lead to it: the loader asks for libz.so.1, not libz.so.1.2.13."""
    folder, name = os.path.split(path)
    stem = name.split(".so")[0]
    links = []
    for entry in os.listdir(folder):
        candidate = os.path.join(folder, entry)
        if entry.startswith(f"{stem}.so") and entry != name and os.path.realpath(candidate) == path:
            links.append(candidate)
    return links


def build_root(paths: Sequence[str], place: str) -> None:
    """Mount at `place` a small file system that holds `paths`, read-only, at the names they have now.

    Third-party packages (site-packages and the like) are covered. Needs CAP_SYS_ADMIN in a mount namespace
    of its own.
    """
    kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", place, "tmpfs", kernel.MS_NOSUID, "size=256k,nr_inodes=2k,mode=755")
    for path in paths:
        target = place + path
        if os.path.isdir(path):
            os.makedirs(target, exist_ok=True)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.close(os.open(target, os.O_CREAT | os.O_RDONLY, 0o444))
        _bind_read_only(path, target, devices=path in _DEVICES)
    for name in ("site-packages", "dist-packages", "test"):
        covered = f"{place}{STDLIB}/{name}"
        if os.path.isdir(covered):
            kernel.mount(
                "tmpfs", covered, "tmpfs", kernel.MS_RDONLY | kernel.MS_NOSUID, "size=4k,nr_inodes=2"
            )
    # lib64 and lib are links on merged-/usr systems; the loader looks there first.
    for link in ("/lib", "/lib64", "/usr/lib64"):
        if os.path.islink(link) and not os.path.exists(place + link):
            os.makedirs(os.path.dirname(place + link), exist_ok=True)
            os.symlink(os.readlink(link), place + link)
    kernel.mount("", place, "", kernel.MS_REMOUNT | kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV)


def _bind_read_only(source: str, target: str, devices: bool) -> None:
    kernel.mount(source, target, "", kernel.MS_BIND)
    # Flags that an ordinary user may not clear must be repeated when remounting.
    kept = os.statvfs(target).f_flag & (0x400 | 0x800 | 0x1000 | 0x200000 | kernel.MS_NOEXEC)
    flags = kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_RDONLY | kernel.MS_NOSUID | _statvfs_to_mount(kept)
    if not devices:
        flags |= kernel.MS_NODEV
    kernel.mount("", target, "", flags)


def _statvfs_to_mount(flags: int) -> int:
    # ST_NOATIME 0x400, ST_NODIRATIME 0x800, ST_RELATIME 0x1000; MS_RELATIME is 0x200000.
    mapped = flags & (0x400 | 0x800 | kernel.MS_NOEXEC)
    return mapped | (0x200000 if flags & 0x1000 else 0)
