"""Programs that want out: another process, another namespace, a privilege, a kernel facility.

Each wins when the kernel let it. Numbers are those of x86-64; where they mean something else, they fail too.
"""

from __future__ import annotations

from tests.attacks.cases import Case, wins_if

# A structure of zeros, large enough for any of these calls.
_BLOCK = "b = ctypes.create_string_buffer(4096)\n"


def _call(number: int, *arguments: str) -> str:
    """Wins when the system call does not fail."""
    words = ", ".join(f"ctypes.c_long({a})" if a.lstrip("-").replace("x", "").isalnum() and a[:1] in "-0123456789" else a for a in arguments)
    return wins_if(_BLOCK + f"return libc.syscall(ctypes.c_long({number}){', ' + words if words else ''}) >= 0")


def _machine_code(hexadecimal: str) -> str:
    """Wins when the code, called without arguments, returns 0 or more."""
    return wins_if(
        "import mmap\n"
        "m = mmap.mmap(-1, 4096, prot=7)\n"
        f"m.write(bytes.fromhex('{hexadecimal}'))\n"
        "address = ctypes.addressof(ctypes.c_char.from_buffer(m))\n"
        "return ctypes.CFUNCTYPE(ctypes.c_int)(address)() >= 0"
    )


_PROCESS = "it starts another process"
_PRIVILEGE = "it gains a privilege or leaves its namespaces"
_KERNEL = "it gets a kernel facility that no task needs"
_OTHERS = "it reaches another process"

ATTACKS = [
    Case("fork", wins_if("pid = os.fork()\nif pid == 0: os._exit(0)\nreturn True"), _PROCESS),
    Case("vfork", _call(58), _PROCESS),
    Case("clone as a process", _call(56, "17", "0", "0", "0", "0"), _PROCESS),
    Case("clone3", _call(435, "b", "88"), _PROCESS),
    Case("clone into a new user namespace", _call(56, "0x10000011", "0", "0", "0", "0"), _PROCESS),
    Case("clone as a thread of a new namespace", _call(56, "0x10010f00", "0", "0", "0", "0"), _PRIVILEGE),
    Case("posix_spawn", wins_if("return os.posix_spawn('/bin/true', ['true'], {}) > 0"), _PROCESS),
    Case("subprocess", wins_if("import subprocess\nreturn subprocess.run(['true']).returncode == 0"), _PROCESS),
    Case("multiprocessing", wins_if("import multiprocessing as m\np = m.get_context('fork').Process(target=print)\np.start()\nreturn True"), _PROCESS),
    Case("os.system", wins_if("return os.system('true') == 0"), _PROCESS),
    Case("pty.fork", wins_if("import pty\npid, fd = pty.fork()\nif pid == 0: os._exit(0)\nreturn True"), _PROCESS),
    Case("execve", wins_if("os.execve(sys.executable or '/usr/bin/python3', ['python3', '-c', ''], {})"), _PROCESS),
    Case("fexecve of memory", wins_if("fd = os.memfd_create('x')\nreturn fd >= 0"), _KERNEL),
    Case("execveat", _call(322, "-100", "b", "0", "0", "0"), _PROCESS),
    Case("unshare a user namespace", _call(272, "0x10000000"), _PRIVILEGE),
    Case("unshare a mount namespace", _call(272, "0x20000"), _PRIVILEGE),
    Case("setns", _call(308, "0", "0"), _PRIVILEGE),
    Case("mount a tmpfs", wins_if("return libc.mount(b'x', b'/', b'tmpfs', 0, b'') == 0"), _PRIVILEGE),
    Case("mount /proc", wins_if("return libc.mount(b'proc', b'/usr', b'proc', 0, b'') == 0"), _PRIVILEGE),
    Case("remount writable", wins_if("return libc.mount(b'', b'/', b'', 32 | 4096, b'') == 0"), _PRIVILEGE),
    Case("umount", wins_if("return libc.umount2(b'/dev/null', 2) == 0"), _PRIVILEGE),
    Case("pivot_root", _call(155, "b'.'", "b'.'"), _PRIVILEGE),
    Case("chroot", wins_if("os.chroot('/')\nreturn True"), _PRIVILEGE),
    Case("the new mount calls", wins_if("return max(libc.syscall(n, b'tmpfs', 0) for n in (430, 428, 429, 432, 442)) >= 0"), _PRIVILEGE),
    Case("setuid 0", wins_if("os.setuid(0)\nreturn True"), _PRIVILEGE),
    Case("setresuid to another user", wins_if("os.setresuid(1000, 1000, 1000)\nreturn True"), _PRIVILEGE),
    Case("setgroups", wins_if("os.setgroups([0])\nreturn True"), _PRIVILEGE),
    Case("root's user id", wins_if("return 0 in (os.getuid(), os.geteuid(), os.getgid(), os.getegid())"), _PRIVILEGE),
    Case("capset", wins_if("h = ctypes.create_string_buffer(bytes([0x22, 5, 8, 0x20]) + bytes(4))\nd = ctypes.create_string_buffer(b'\\xff' * 24)\nreturn libc.capset(h, d) == 0"), _PRIVILEGE),
    Case("capset to none, to see whether it may", wins_if("h = ctypes.create_string_buffer(bytes([0x22, 5, 8, 0x20]) + bytes(4))\nreturn libc.capset(h, bytes(24)) == 0"), _PRIVILEGE),
    Case("another seccomp filter", _call(317, "1", "0", "b"), _KERNEL),
    Case("seccomp user notification", _call(317, "1", "8", "b"), _KERNEL),
    Case("prctl: dumpable again", wins_if("return libc.prctl(4, 1, 0, 0, 0) == 0"), _PRIVILEGE),
    Case("prctl: keep capabilities", wins_if("return libc.prctl(8, 1, 0, 0, 0) == 0"), _PRIVILEGE),
    Case("prctl: the memory map's layout", wins_if("return libc.prctl(35, 1, 0, 0, 0) == 0"), _PRIVILEGE),
    Case("prctl: no death with the parent", wins_if("return libc.prctl(1, 0, 0, 0, 0) == 0"), _PRIVILEGE),
    Case("ptrace the parent", _call(101, "16", "1", "0", "0"), _OTHERS),
    Case("ptrace: be traced", _call(101, "0", "0", "0", "0"), _OTHERS),
    Case("process_vm_writev", _call(311, "1", "b", "1", "b", "1", "0"), _OTHERS),
    Case("kcmp", _call(312, "1", "1", "0", "0", "0"), _OTHERS),
    Case("pidfd_open", _call(434, "1", "0"), _OTHERS),
    Case("pidfd_getfd", _call(438, "3", "0", "0"), _OTHERS),
    Case("kill the parent", wins_if("os.kill(os.getppid() or 2, 9)\nreturn True"), _OTHERS),
    Case("kill all", wins_if("os.kill(-1, 9)\nreturn True"), _OTHERS),
    Case("kill the group", wins_if("os.killpg(0, 0)\nreturn True"), _OTHERS),
    Case("tkill process 2", _call(200, "2", "9"), _OTHERS),
    Case("tgkill another group", _call(234, "2", "2", "9"), _OTHERS),
    Case("rt_sigqueueinfo", _call(129, "2", "9", "b"), _OTHERS),
    Case("prlimit of another process", _call(302, "2", "7", "0", "b"), _OTHERS),
    Case("a higher memory limit", wins_if("import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))\nreturn True"), _PRIVILEGE),
    Case("setpriority of others", _call(141, "1", "0", "19"), _OTHERS),
    Case("realtime scheduling", wins_if("os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))\nreturn True"), _PRIVILEGE),
    Case("pinned to a core", wins_if("os.sched_setaffinity(0, {0})\nreturn True"), _PRIVILEGE),
    Case("bpf", _call(321, "0", "b", "128"), _KERNEL),
    Case("userfaultfd", _call(323, "1"), _KERNEL),
    Case("perf_event_open", _call(298, "b", "0", "-1", "-1", "0"), _KERNEL),
    Case("io_uring_setup", _call(425, "4", "b"), _KERNEL),
    Case("io_setup", _call(206, "4", "b"), _KERNEL),
    Case("keyctl: the session keyring", _call(250, "0", "-3", "1"), _KERNEL),
    Case("add_key", wins_if("return libc.syscall(248, b'user', b'mark', b'x', 1, -4) >= 0"), _KERNEL),
    Case("memfd_create", _call(319, "b'x'", "0"), _KERNEL),
    Case("memfd_secret", _call(447, "0"), _KERNEL),
    Case("SysV shared memory", _call(29, "0", "4096", "0x380"), _KERNEL),
    Case("a SysV semaphore", _call(64, "0", "1", "0x380"), _KERNEL),
    Case("a SysV message queue", _call(68, "0", "0x380"), _KERNEL),
    Case("a POSIX message queue", wins_if("return libc.mq_open(b'/x', 66, 0o600, 0) >= 0"), _KERNEL),
    Case("fanotify", _call(300, "0", "0"), _KERNEL),
    Case("inotify", _call(253), _KERNEL),
    Case("timers that signal", _call(222, "0", "0", "b"), _KERNEL),
    Case("signalfd and timerfd", wins_if("return libc.timerfd_create(1, 0) >= 0 or libc.signalfd(-1, bytes(128), 0) >= 0"), _KERNEL),
    Case("personality without address randomization", _call(135, "0x0040000"), _KERNEL),
    Case("modify_ldt", _call(154, "0", "b", "16"), _KERNEL),
    Case("arch_prctl", _call(158, "0x1003", "b"), _KERNEL),
    Case("ioperm and iopl", wins_if("return libc.ioperm(0, 1, 1) == 0 or libc.iopl(3) == 0"), _KERNEL),
    Case("the kernel's log", wins_if("return libc.klogctl(10, 0, 0) >= 0"), _KERNEL),
    Case("the clock", wins_if("time.clock_settime(0, 0)\nreturn True"), _KERNEL),
    Case("adjtimex", wins_if("return libc.adjtimex(bytes(256)) >= 0"), _KERNEL),
    Case("the host's name", wins_if("import socket\nsocket.sethostname('x')\nreturn True"), _KERNEL),
    Case("reboot, swap, modules, kexec", wins_if("return any(libc.syscall(n, 0, 0, 0, 0) >= 0 for n in (169, 167, 175, 313, 246, 163, 179))"), _KERNEL),
    Case("open_by_handle_at", _call(304, "-100", "b", "0"), _KERNEL),
    Case("mlock all of memory", wins_if("return libc.mlockall(3) == 0"), _KERNEL),
    Case("migrate and move pages", wins_if("return libc.syscall(279, 0, 0, 0, 0, 0, 0) >= 0"), _KERNEL),
    Case("landlock of its own", _call(444, "0", "0", "1"), _KERNEL),
    # mov eax, 20 (getpid of 32-bit); int 0x80; ret
    Case("32-bit system calls", _machine_code("b814000000cd80c3"), _KERNEL),
    # mov eax, 2 (fork of 32-bit); int 0x80; ret
    Case("fork by a 32-bit system call", _machine_code("b802000000cd80c3"), _PROCESS),
    # mov eax, 0x40000039 (x32 fork); syscall; ret
    Case("x32 system calls", _machine_code("b8390000400f05c3"), _PROCESS),
    # mov eax, 57 (fork); syscall; ret
    Case("fork from written machine code", _machine_code("b8390000000f05c3"), _PROCESS),
    Case("a descriptor that was left open", wins_if("def is_open(n):\n    try: return bool(os.fstat(n))\n    except OSError: return False\nreturn any(map(is_open, range(4, 5000)))"), _OTHERS),
    Case("an ioctl that types into a terminal", wins_if("import fcntl\nfcntl.ioctl(0, 0x5412, b'x')\nreturn True"), _KERNEL),
    Case("ioctl on the random device", wins_if("import fcntl\nfcntl.ioctl(os.open('/dev/urandom', 0), 0x5206)\nreturn True"), _KERNEL),
    Case("a pipe notified by signals to another process", wins_if("import fcntl\nr, w = os.pipe()\nfcntl.fcntl(r, 8, 2)\nreturn fcntl.fcntl(r, 9) == 2"), _OTHERS),
]
