"""System call numbers of the two architectures that the sandbox knows (from the kernel's own tables)."""

from __future__ import annotations

import platform

_X86_64 = """
    read=0 write=1 readv=19 writev=20 pread64=17 pwrite64=18 close=3 close_range=436 lseek=8 fsync=74
    fdatasync=75 ftruncate=77 open=2 openat=257 stat=4 lstat=6 fstat=5 newfstatat=262 statx=332
    statfs=137 fstatfs=138 access=21 faccessat=269 faccessat2=439 readlink=89 readlinkat=267 getdents=78
    getdents64=217 getcwd=79 chdir=80 fchdir=81 mkdir=83 mkdirat=258 rmdir=84 unlink=87 unlinkat=263
    rename=82 renameat=264 renameat2=316 link=86 linkat=265 symlink=88 symlinkat=266 chmod=90 fchmod=91
    fchmodat=268 utimensat=280 umask=95 dup=32 dup2=33 dup3=292 fcntl=72 flock=73 pipe=22 pipe2=293
    poll=7 ppoll=271 select=23 pselect6=270 epoll_create=213 epoll_create1=291 epoll_ctl=233
    epoll_wait=232 epoll_pwait=281 epoll_pwait2=441 eventfd2=290 socketpair=53 sendto=44 recvfrom=45
    sendmsg=46 recvmsg=47 shutdown=48 getsockopt=55 setsockopt=54 getsockname=51 getpeername=52 mmap=9
    mprotect=10 munmap=11 mremap=25 madvise=28 brk=12 rt_sigaction=13 rt_sigprocmask=14 rt_sigreturn=15
    rt_sigpending=127 rt_sigtimedwait=128 rt_sigsuspend=130 sigaltstack=131 pause=34 getpid=39
    getppid=110 gettid=186 getuid=102 geteuid=107 getgid=104 getegid=108 getresuid=118 getresgid=120
    getgroups=115 getpgrp=111 getpgid=121 getsid=124 uname=63 sysinfo=99 times=100 getrusage=98
    getrlimit=97 clock_gettime=228 clock_getres=229 clock_nanosleep=230 nanosleep=35 gettimeofday=96
    time=201 setitimer=38 getitimer=36 alarm=37 timer_create=222 timer_settime=223 timer_gettime=224
    timer_getoverrun=225 timer_delete=226 futex=202 set_robust_list=273 get_robust_list=274 rseq=334
    set_tid_address=218 sched_yield=24 sched_getaffinity=204 sched_getscheduler=145 sched_getparam=143
    sched_get_priority_max=146 sched_get_priority_min=147 getcpu=309 getrandom=318 exit=60
    exit_group=231 restart_syscall=219 wait4=61 waitid=247 membarrier=324 clone=56 clone3=435 fork=57
    vfork=58 kill=62 tgkill=234 tkill=200 ioctl=16 prctl=157 prlimit64=302 seccomp=317 capset=126
    socket=41 unshare=272 mount=165 umount2=166 pivot_root=155 capget=125 landlock_create_ruleset=444
    landlock_add_rule=445 landlock_restrict_self=446 pidfd_send_signal=424 pidfd_open=434 execve=59
"""

_AARCH64 = """
    read=63 write=64 readv=65 writev=66 pread64=67 pwrite64=68 close=57 close_range=436 lseek=62
    fsync=82 fdatasync=83 ftruncate=46 openat=56 fstat=80 newfstatat=79 statx=291 statfs=43 fstatfs=44
    faccessat=48 faccessat2=439 readlinkat=78 getdents64=61 getcwd=17 chdir=49 fchdir=50 mkdirat=34
    unlinkat=35 renameat=38 renameat2=276 linkat=37 symlinkat=36 fchmod=52 fchmodat=53 utimensat=88
    umask=166 dup=23 dup3=24 fcntl=25 flock=32 pipe2=59 ppoll=73 pselect6=72 epoll_create1=20
    epoll_ctl=21 epoll_pwait=22 epoll_pwait2=441 eventfd2=19 socketpair=199 sendto=206 recvfrom=207
    sendmsg=211 recvmsg=212 shutdown=210 getsockopt=209 setsockopt=208 getsockname=204 getpeername=205
    mmap=222 mprotect=226 munmap=215 mremap=216 madvise=233 brk=214 rt_sigaction=134 rt_sigprocmask=135
    rt_sigreturn=139 rt_sigpending=136 rt_sigtimedwait=137 rt_sigsuspend=133 sigaltstack=132 getpid=172
    getppid=173 gettid=178 getuid=174 geteuid=175 getgid=176 getegid=177 getresuid=148 getresgid=150
    getgroups=158 getpgid=155 getsid=156 uname=160 sysinfo=179 times=153 getrusage=165 getrlimit=163
    clock_gettime=113 clock_getres=114 clock_nanosleep=115 nanosleep=101 gettimeofday=169 setitimer=103
    getitimer=102 timer_create=107 timer_settime=110 timer_gettime=108 timer_getoverrun=109
    timer_delete=111 futex=98 set_robust_list=99 get_robust_list=100 rseq=293 set_tid_address=96
    sched_yield=124 sched_getaffinity=123 sched_getscheduler=120 sched_getparam=121
    sched_get_priority_max=125 sched_get_priority_min=126 getcpu=168 getrandom=278 exit=93 exit_group=94
    restart_syscall=128 wait4=260 waitid=95 membarrier=283 clone=220 clone3=435 kill=129 tgkill=131
    tkill=130 ioctl=29 prctl=167 prlimit64=261 seccomp=277 capset=91 socket=198 unshare=97 mount=40
    umount2=39 pivot_root=41 capget=90 landlock_create_ruleset=444 landlock_add_rule=445
    landlock_restrict_self=446 pidfd_send_signal=424 pidfd_open=434 execve=221
"""

# machine: (AUDIT_ARCH constant of linux/audit.h, numbers by name)
_TABLES = {"x86_64": (0xC000003E, _X86_64), "aarch64": (0xC00000B7, _AARCH64)}


def table() -> tuple[int, dict[str, int]] | None:
    """The audit constant and the numbers of this machine, or None where they are not known."""
    entry = _TABLES.get(platform.machine())
    if entry is None:
        return None
    arch, text = entry
    return arch, {name: int(number) for name, number in (pair.split("=") for pair in text.split())}
