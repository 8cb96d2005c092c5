"""Which system calls a candidate may make: an allow-list, compiled to a seccomp filter.

The zygote's filter is installed once, in the zygote, and inherited; the candidate's small one is stacked on it.
What is not listed fails with EPERM. clone3 fails with ENOSYS, so that libc falls back to clone, whose
flags a filter can read.
"""

from __future__ import annotations

from codeself.sandbox.kernel import CLONE_CHILD_SETTID, CLONE_NEWPID, CLONE_THREAD, NUMBERS, SIGCHLD
from codeself.sandbox.syscalls import table

# Reading, memory, time, threads, waiting, and pairs of sockets connected to each other (asyncio needs one).
# No sockets otherwise, no processes, no signals to others, no kernel facilities beyond.
ALLOWED = """
read write readv writev pread64 pwrite64 close close_range lseek fsync fdatasync ftruncate
open openat stat lstat fstat newfstatat statx statfs fstatfs access faccessat faccessat2
readlink readlinkat getdents getdents64 getcwd chdir fchdir
mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 umask
dup dup2 dup3 pipe pipe2 poll ppoll select pselect6
epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd2
socketpair recvfrom sendmsg recvmsg shutdown getsockopt setsockopt getsockname getpeername
mmap mprotect munmap mremap madvise brk
rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend sigaltstack pause
getpid getppid gettid getuid geteuid getgid getegid getresuid getresgid getgroups getpgrp getpgid getsid
uname sysinfo times getrusage getrlimit clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time
setitimer getitimer alarm
futex set_robust_list get_robust_list rseq set_tid_address sched_yield
sched_getaffinity sched_getscheduler sched_getparam sched_get_priority_max sched_get_priority_min
getcpu getrandom exit exit_group restart_syscall wait4 waitid membarrier
""".split()

_LOAD, _JUMP, _EQUAL, _SET, _GREATER, _RETURN = 0x20, 0x05, 0x15, 0x45, 0x35, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_NUMBER, _ARCH = 0, 4
_SIGKILL = 9
# TCGETS, FIOCLEX, FIONBIO, TIOCGWINSZ, FIONREAD: what opening and asking about files uses.
_IOCTLS = (0x5401, 0x5451, 0x5421, 0x5413, 0x541B)
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC. No locks, leases or owners: they would stay
# visible to others who have the same file open.
_FCNTLS = (0, 1, 2, 3, 4, 1030)
_PRCTLS = (15, 16)  # a thread's name
_PR_SET_PDEATHSIG = 1
_AF_UNIX = 1
# Used by the zygote, and once by each candidate's process before the candidate's code.
_SEALING = ("capset", "seccomp", "pidfd_open")

Instruction = tuple[int, int, int, int]


def _argument(index: int) -> int:
    return 16 + 8 * index  # low half, on the little-endian machines that the table knows


class _Program:
    """Writes a filter rule by rule; each rule either returns or falls through to the next."""

    def __init__(self) -> None:
        known = table()
        assert known is not None, "seccomp needs a known architecture"
        self.instructions: list[Instruction] = [
            (_LOAD, 0, 0, _ARCH),
            (_EQUAL, 1, 0, known[0]),
            (_RETURN, 0, 0, _ERRNO | _EPERM),
            (_LOAD, 0, 0, _NUMBER),
        ]

    def answer(self, names: tuple[str, ...] | list[str], action: int) -> None:
        for name in names:
            if name in NUMBERS:
                self.instructions += [(_EQUAL, 0, 1, NUMBERS[name]), (_RETURN, 0, 0, action)]

    def allow(self, names: tuple[str, ...] | list[str]) -> None:
        """A balanced tree over the numbers: few steps a call, however long the list."""
        numbers = sorted({NUMBERS[name] for name in names if name in NUMBERS})
        self.instructions += _tree(numbers)

    def allow_argument(self, name: str, index: int, values: tuple[int, ...]) -> None:
        """Allow `name` only when its argument is one of `values`; else EPERM."""
        if name not in NUMBERS:
            return
        body: list[Instruction] = [(_LOAD, 0, 0, _argument(index))]
        for value in values:
            body += [(_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW)]
        body.append((_RETURN, 0, 0, _ERRNO | _EPERM))
        self.instructions += [(_EQUAL, 0, len(body), NUMBERS[name]), *body]

    def allow_prctl(self) -> None:
        """Allow prctl for a thread's name, and to be ended when the parent dies: with SIGKILL, so never undone."""
        body: list[Instruction] = [
            (_LOAD, 0, 0, _argument(0)),
            *(step for option in _PRCTLS for step in ((_EQUAL, 0, 1, option), (_RETURN, 0, 0, _ALLOW))),
            (_EQUAL, 0, 3, _PR_SET_PDEATHSIG),
            (_LOAD, 0, 0, _argument(1)),
            (_EQUAL, 0, 1, _SIGKILL),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _ERRNO | _EPERM),
        ]
        self.instructions += [(_EQUAL, 0, len(body), NUMBERS["prctl"]), *body]

    def allow_null(self, name: str, index: int) -> None:
        """Allow `name` only when that argument, a pointer, is null; else EPERM."""
        place = _argument(index)
        body = [
            (_LOAD, 0, 0, place),
            (_EQUAL, 0, 3, 0),
            (_LOAD, 0, 0, place + 4),
            (_EQUAL, 0, 1, 0),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _ERRNO | _EPERM),
        ]
        self.instructions += [(_EQUAL, 0, len(body), NUMBERS[name]), *body]

    def allow_clone(self, exact: tuple[int, ...]) -> None:
        """Allow clone for threads, and for the exact flags given."""
        body: list[Instruction] = [(_LOAD, 0, 0, _argument(0))]
        for flags in exact:
            body += [(_EQUAL, 0, 1, flags), (_RETURN, 0, 0, _ALLOW)]
        # 0x7E020080: every CLONE_NEW* flag
        body += [
            (_SET, 0, 2, CLONE_THREAD),
            (_SET, 1, 0, 0x7E020080),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _ERRNO | _EPERM),
        ]
        self.instructions += [(_EQUAL, 0, len(body), NUMBERS["clone"]), *body]

    def end(self, action: int) -> list[Instruction]:
        return [*self.instructions, (_RETURN, 0, 0, action)]


def _tree(numbers: list[int]) -> list[Instruction]:
    """Instructions that allow the numbers and fall through for any other."""
    if len(numbers) <= 3:
        leaf: list[Instruction] = []
        for number in numbers:
            leaf += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
        return leaf
    middle = len(numbers) // 2
    low, high = _tree(numbers[:middle]), _tree(numbers[middle:])
    # Unconditional jumps carry 32-bit offsets, conditional ones only 8 bits.
    return [
        (_GREATER, 0, 1, numbers[middle]),
        (_JUMP, 0, 0, len(low) + 1),
        *low,
        (_JUMP, 0, 0, len(high)),
        *high,
    ]


def zygote_filter() -> list[Instruction]:
    """For the zygote and all it forks: the allow-list, fork with the exact flags it uses, and its own tools."""
    program = _Program()
    program.answer(("clone3",), _ERRNO | _ENOSYS)
    program.allow_clone((SIGCHLD, SIGCHLD | CLONE_NEWPID, SIGCHLD | CLONE_NEWPID | CLONE_CHILD_SETTID))
    program.allow_argument("ioctl", 1, _IOCTLS)
    program.allow_argument("fcntl", 1, _FCNTLS)
    program.allow_prctl()
    program.allow_argument("socketpair", 0, (_AF_UNIX,))
    program.allow_null("sendto", 4)  # a pair's other end, no address
    program.allow_argument("prlimit64", 0, (0,))  # its own limits, which it can only lower
    program.allow([*ALLOWED, *_SEALING, "tgkill", "kill"])
    return program.end(_ERRNO | _EPERM)


def candidate_filter(pid: int) -> list[Instruction]:
    """For one candidate, on top of the zygote's: no processes, no signals but to itself, no messages with addresses."""
    program = _Program()
    program.allow_clone(())
    program.allow_argument("tgkill", 0, (pid,))
    program.allow_argument("kill", 0, (pid,))
    program.answer((*_SEALING, "sendmsg"), _ERRNO | _EPERM)
    return program.end(_ALLOW)
