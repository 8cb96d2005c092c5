"""The ladder of isolation: none < limits < restricted < strict. What each level does, in the order it is done.

`enter` runs once in a zygote, before it forks its first candidate; `seal` runs in each candidate's process,
before a line of the candidate's program. Both raise OSError where the kernel refuses: a level is reached
whole or not at all.
"""

from __future__ import annotations

import _socket  # the module above it costs every candidate a hundred pages
import contextlib
import os
import resource
from typing import TYPE_CHECKING

from codeself.sandbox import filesystem, kernel, seccomp

if TYPE_CHECKING:
    from codeself.records.verdicts import IsolationLevel

LEVELS: tuple[IsolationLevel, ...] = ("none", "limits", "restricted", "strict")
_NOBODY = 65534

_OPEN_FILES = 64


class Zygote:
    """One zygote's isolation: what it has entered, and the sealing that it hands on to its candidates."""

    def __init__(self, level: IsolationLevel) -> None:
        self.level = level
        self.clone_flags = 0
        self._pid = os.getpid()

    def enter(self) -> None:
        """Bring this process to the level. Forks once at strict: the zygote is then a child of the caller."""
        if self.level == "strict":
            self._enter_strict()
        elif self.level == "restricted":
            kernel.no_new_privileges()
            self._read_only_files()
            if os.geteuid() == 0:
                kernel.keep_only(())
            kernel.SeccompProgram(seccomp.zygote_filter()).install()
        else:
            kernel.adopt_orphans()

    def _read_only_files(self) -> None:
        paths = filesystem.runtime_files()
        # On an older kernel the system call filter and the user's own permissions remain.
        with contextlib.suppress(OSError):
            kernel.landlock_read_only(paths)

    def _enter_strict(self) -> None:
        paths = filesystem.runtime_files()
        root = os.geteuid() == 0
        uid, gid = os.geteuid(), os.getegid()
        spaces = (
            kernel.CLONE_NEWNS
            | kernel.CLONE_NEWNET
            | kernel.CLONE_NEWIPC
            | kernel.CLONE_NEWUTS
            | kernel.CLONE_NEWPID
            | kernel.CLONE_NEWCGROUP
        )
        if root:
            kernel.unshare(spaces)
        else:
            kernel.unshare(spaces | kernel.CLONE_NEWUSER)
            _map_ids(uid, gid)
        # Any existing folder serves as the mount point, and nothing more is needed of /proc.
        place = "/proc"
        filesystem.build_root(paths, place)
        _become_first_process()
        kernel.pivot_root(place)
        _socket.sethostname("sandbox")
        if root:
            # Real root is given up first, so that the user namespace is an ordinary user's, with no one mapped.
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
            kernel.unshare(kernel.CLONE_NEWUSER)
        kernel.die_with_parent()
        # CAP_SYS_ADMIN, inside the namespace alone, is what forking into a new pid namespace needs.
        kernel.keep_only((kernel.CAP_SYS_ADMIN,))
        kernel.not_dumpable()
        kernel.no_new_privileges()
        kernel.SeccompProgram(seccomp.zygote_filter()).install()
        self.clone_flags = kernel.CLONE_NEWPID

    def bound(self, memory_bytes: int, processes: int) -> None:
        """Set the limits that every candidate of this zygote inherits, on the zygote itself, for good.

        Set once, they cost a candidate nothing. CPU time is the judge's to measure: a limit on it would count
        the zygote's own life.
        """
        if self.level == "none":
            return
        for kind, value in (
            (resource.RLIMIT_AS, memory_bytes),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_NOFILE, _OPEN_FILES),
            (resource.RLIMIT_CORE, 0),
            # Threads count as processes. As root, or beside others of the same user, the limit would not mean
            # what it says: below strict the system call filter alone keeps processes away.
            *([(resource.RLIMIT_NPROC, processes + 2)] if self.level == "strict" else []),
        ):
            _limit(kind, value)

    def sealing(self, first_closed: int) -> tuple[kernel.Call, ...]:
        """What a candidate's process does first of all: descriptors from `first_closed` on, and privileges, go.

        Its standard streams become its own: flags set on the zygote's would be there for the next candidate.
        """
        steps = [
            kernel.call("close_range", first_closed, 0x7FFFFFFF, 0),
            kernel.call("close_range", 0, 2, 0),
            kernel.call("openat", kernel.AT_FDCWD, b"/dev/null", os.O_RDWR),
            kernel.call("dup", 0),
            kernel.call("dup", 0),
        ]
        if self.level == "strict":
            steps += [
                kernel.drop_all_capabilities(),
                kernel.SeccompProgram(seccomp.candidate_filter(pid=1)).installing(),
            ]
        return tuple(steps)

    def finish_sealing(self) -> None:
        """The rest of sealing below `strict`, where no namespace ends with the zygote: the candidate does.

        At `restricted` it cannot undo that, and the filter names the process's own id.
        """
        kernel.die_with_parent()
        if os.getppid() != self._pid:
            os._exit(0)  # the zygote died before it was asked for
        if self.level == "restricted":
            kernel.SeccompProgram(seccomp.candidate_filter(os.getpid())).install()


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def _map_ids(uid: int, gid: int) -> None:
    """Give the new user namespace one user, nobody, who is the caller outside."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{_NOBODY} {uid} 1"),
        ("gid_map", f"{_NOBODY} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as stream:
            stream.write(text)


def _become_first_process() -> None:
    """Go on as process 1 of the new pid namespace; the process left behind only waits, and dies with it."""
    child = os.fork()
    if child:
        os.closerange(3, 256)
        kernel.die_with_parent()
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    kernel.die_with_parent()
