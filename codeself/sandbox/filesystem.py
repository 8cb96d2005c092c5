"""The file system a candidate sees: the Python runtime, read-only, and nothing else of the host."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

from codeself.sandbox import kernel

_ZONEINFO = Path("/usr/share/zoneinfo")
_DEVICES = (Path("/dev/null"), Path("/dev/zero"), Path("/dev/urandom"))


def runtime_files() -> list[Path]:
    """The standard library, the shared libraries its extension modules need, and time zones.

    Which libraries is asked of the loader itself: a child process imports every extension module of the
    standard library and reads off what was newly mapped. What this process holds already needs no file.
    """
    stdlib = Path(sysconfig.get_path("stdlib"))
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            os.write(writing, "\n".join(_mapped_libraries(stdlib)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        mapped = stream.read().decode()
    os.waitpid(child, 0)
    libraries = [Path(line) for line in mapped.splitlines() if line and not line.startswith(f"{stdlib}/")]
    extras = [path for path in (_ZONEINFO, *_DEVICES) if path.exists()]
    return [stdlib, *libraries, *extras]


def _mapped_libraries(stdlib: Path) -> list[str]:
    before = _mapped()
    for module in sorted((stdlib / "lib-dynload").glob("*.so")):
        name = module.name.split(".")[0]
        if not name.startswith(("_test", "xx", "_xx", "_tkinter", "_ctypes_test")):
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


def build_root(paths: list[Path], place: Path) -> None:
    """Mount at `place` a small file system that holds `paths`, read-only, at the names they have now.

    Third-party packages (site-packages and the like) are covered. Needs CAP_SYS_ADMIN in a mount namespace
    of its own.
    """
    kernel.mount("", Path("/"), "", kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", place, "tmpfs", kernel.MS_NOSUID, "size=256k,nr_inodes=2k,mode=755")
    for path in paths:
        target = place / path.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        else:
            target.touch()
        _bind_read_only(path, target, devices=path in _DEVICES)
    for name in ("site-packages", "dist-packages", "test"):
        covered = place / Path(sysconfig.get_path("stdlib")).relative_to("/") / name
        if covered.is_dir():
            kernel.mount(
                "tmpfs", covered, "tmpfs", kernel.MS_RDONLY | kernel.MS_NOSUID, "size=4k,nr_inodes=2"
            )
    # lib64 and lib are links on merged-/usr systems; the loader looks there first.
    for link in ("lib", "lib64", "usr/lib64"):
        source = Path("/") / link
        if source.is_symlink() and not (place / link).exists():
            (place / link).parent.mkdir(parents=True, exist_ok=True)
            (place / link).symlink_to(os.readlink(source))
    kernel.mount("", place, "", kernel.MS_REMOUNT | kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV)


def _bind_read_only(source: Path, target: Path, devices: bool) -> None:
    kernel.mount(str(source), target, "", kernel.MS_BIND)
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
