"""The kernel's isolation calls, through ctypes: nothing but libc and the standard library is needed.

Each function raises OSError when the kernel refuses. All of it is Linux only.
"""

from __future__ import annotations

import _socket as socket  # the module above it costs every candidate a hundred pages
import contextlib
import ctypes
import os
import struct
from collections.abc import Sequence
from typing import Any

from codeself.sandbox.syscalls import table

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_TABLE = table()
NUMBERS: dict[str, int] = _TABLE[1] if _TABLE else {}

AT_FDCWD = -100
CLONE_THREAD = 0x00010000
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
CLONE_CHILD_SETTID = 0x01000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_NO_NEW_PRIVS, _PR_SET_CHILD_SUBREAPER, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 38, 36, 47, 4
CAP_SYS_ADMIN = 21
SIGCHLD = 17


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _syscall(name: str, *arguments: object) -> int:
    if name not in NUMBERS:
        raise OSError(38, f"{name}: not known on this architecture")
    return _check(_libc.syscall(ctypes.c_long(NUMBERS[name]), *arguments), name)


def unshare(flags: int) -> None:
    """New namespaces for this process (for its children where flags hold CLONE_NEWPID)."""
    _syscall("unshare", ctypes.c_ulong(flags))


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    _syscall(
        "mount",
        source.encode() or None,
        target.encode(),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        data.encode() or None,
    )


def pivot_root(new_root: str) -> None:
    """Make new_root this mount namespace's root and let go of the old one."""
    os.chdir(new_root)
    _syscall("pivot_root", b".", b".")
    _syscall("umount2", b".", ctypes.c_long(MNT_DETACH))
    os.chdir("/")


def _prctl(option: int, argument: int = 0, third: int = 0) -> None:
    _syscall("prctl", *(ctypes.c_ulong(value) for value in (option, argument, third, 0, 0)))


def no_new_privileges() -> None:
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def die_with_parent() -> None:
    _prctl(_PR_SET_PDEATHSIG, 9)


def not_dumpable() -> None:
    """No core dumps, and no other process of the same user may trace this one or read its memory."""
    _prctl(_PR_SET_DUMPABLE, 0)


def adopt_orphans() -> None:
    """Descendants whose parent dies become children of this process, so that it can end them."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def keep_only(capabilities: tuple[int, ...]) -> None:
    """Drop every capability but these, from the bounding and ambient sets too."""
    for number in range(64):
        if number not in capabilities:
            try:
                _prctl(_PR_CAPBSET_DROP, number)
            except OSError:
                break  # past the last capability that this kernel knows
    with contextlib.suppress(OSError):  # a kernel without ambient capabilities
        _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    capset(capabilities)


_CAP_HEADER = ctypes.create_string_buffer(struct.pack("Ii", 0x20080522, 0), 8)
_CAP_NONE = ctypes.create_string_buffer(bytes(24), 24)


def drop_all_capabilities() -> Call:
    return call("capset", _CAP_HEADER, _CAP_NONE)


def capset(capabilities: tuple[int, ...]) -> None:
    """The effective and permitted capabilities of this thread; none are inheritable."""
    low = sum(1 << number for number in capabilities if number < 32)
    high = sum(1 << (number - 32) for number in capabilities if number >= 32)
    data = ctypes.create_string_buffer(struct.pack("6I", low, low, 0, high, high, 0), 24)
    _syscall("capset", _CAP_HEADER, data)


class _Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


Call = tuple[Any, ...]
"""The arguments of libc's `syscall`: a system call's number, and ints of 32 bits, None, bytes or ctypes objects."""


def call(name: str, *arguments: object) -> Call:
    """A system call prepared in advance, for moments in which nothing is to be looked up or made."""
    return (NUMBERS[name], *arguments)


class SeccompProgram:
    """A compiled seccomp filter, kept in memory so that installing it costs one system call."""

    def __init__(self, instructions: list[tuple[int, int, int, int]]) -> None:
        packed = b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)
        self._memory = ctypes.create_string_buffer(packed, len(packed))
        self._filter = _Filter(len(instructions), ctypes.cast(self._memory, ctypes.c_void_p))
        self._argument = ctypes.byref(self._filter)

    def install(self) -> None:
        """Bind this thread and its children to the filter, for good. Needs no_new_privileges."""
        _syscall("seccomp", ctypes.c_ulong(1), ctypes.c_ulong(0), self._argument)

    def installing(self) -> Call:
        """The same as one prepared call."""
        return call("seccomp", 1, 0, self._argument)


def cloning(flags: int) -> Call:
    """Fork the calling, single-threaded process with the given CLONE flags. Returns what fork returns.

    Python's own fork hooks do not run: what they would reseed or reset is set up by the caller.
    """
    return call("clone", flags | SIGCHLD, None, None, None, None)


def landlock_read_only(paths: Sequence[str]) -> None:
    """Deny this thread and its children the file system, but for reading under `paths` (and the null device)."""
    abi = _syscall("landlock_create_ruleset", None, ctypes.c_ulong(0), ctypes.c_ulong(1))
    # Access rights by ABI: 13 at first, then refer (2), truncate (3), device ioctl (5).
    rights = (1 << (13 + (abi >= 2) + (abi >= 3) + (abi >= 5))) - 1
    # From ABI 4 on: binding and connecting TCP sockets; from 6: abstract sockets of others, signals to others.
    attributes = struct.pack("QQQ", rights, 3, 3)[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    ruleset = _syscall(
        "landlock_create_ruleset", attributes, ctypes.c_ulong(len(attributes)), ctypes.c_ulong(0)
    )
    try:
        for path in paths:
            directory = os.path.isdir(path)
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            # execute, read file, and for folders read directory
            allowed = 0b1101 if directory else 0b0111 if path == os.devnull else 0b0101
            rule = struct.pack("=Qi", allowed, descriptor)
            _syscall("landlock_add_rule", ctypes.c_long(ruleset), ctypes.c_ulong(1), rule, ctypes.c_ulong(0))
            os.close(descriptor)
        _syscall("landlock_restrict_self", ctypes.c_long(ruleset), ctypes.c_ulong(0))
    finally:
        os.close(ruleset)


def send_with_fd(channel: socket.socket, data: bytes, descriptor: int) -> None:
    channel.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", descriptor))])


class _Message(ctypes.Structure):
    """struct msghdr, up to the lengths of its parts."""

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint),
        ("parts", ctypes.c_void_p),
        ("part_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]


def receiving(descriptor: int) -> Call:
    """Prepared, and to be made once in a process: take from a socket the one descriptor that comes with a message.

    The message itself is dropped. The descriptor becomes the lowest free one.
    """
    control = ctypes.create_string_buffer(socket.CMSG_SPACE(4))
    message = _Message(control=ctypes.addressof(control), control_length=len(control))
    message.memory = control  # held for as long as the message is
    return call("recvmsg", descriptor, ctypes.byref(message), 0)


def receive_with_fd(channel: socket.socket, size: int) -> tuple[bytes, int]:
    """A message and the one descriptor that came with it, or -1."""
    data, ancillary, _, _ = channel.recvmsg(size, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC)
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            return data, struct.unpack("i", content[:4])[0]
    return data, -1
