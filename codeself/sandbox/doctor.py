"""What isolation this machine offers, found by trying, and what would be needed for more."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from codeself.records.errors import InfrastructureError
from codeself.records.judging import Limits
from codeself.records.verdicts import IsolationLevel
from codeself.sandbox.isolation import LEVELS
from codeself.sandbox.zygote_process import ZygoteProcess

MEANING: dict[IsolationLevel, str] = {
    "none": "a separate process, nothing more",
    "limits": "memory, file and output limits; CPU and wall time; everything it started dies with it",
    "restricted": "as limits, and: no new privileges, a system call allow-list, the runtime's files alone",
    "strict": "as restricted, and: own user, pid, mount, net, ipc and uts namespaces, no capability, no other file",
}


@dataclass(frozen=True)
class LevelReport:
    """One rung of the ladder. advice: what to do when it was not reached, one line each."""

    level: IsolationLevel
    reached: bool
    reason: str
    advice: tuple[str, ...]


def examine() -> list[LevelReport]:
    """Try each level in a fresh zygote, lowest first. Leaves nothing behind."""
    reports = []
    for level in LEVELS:
        try:
            ZygoteProcess(level, Limits()).close()
            reports.append(LevelReport(level, True, "", ()))
        except (InfrastructureError, OSError) as error:
            reports.append(LevelReport(level, False, str(error), _advice(level)))
    return reports


def machine() -> dict[str, str]:
    """The facts that decide: system, kernel, user, container."""
    return {
        "system": f"{platform.system()} {platform.release()} on {platform.machine()}",
        "user": "root" if os.geteuid() == 0 else f"ordinary (uid {os.geteuid()})",
        "container": "yes" if in_container() else "no sign of one",
        "user namespaces": _setting("/proc/sys/user/max_user_namespaces", "at most {} for this user"),
    }


def in_container() -> bool:
    return any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv"))


def _advice(level: IsolationLevel) -> tuple[str, ...]:
    if sys.platform != "linux":
        return (
            f"{platform.system()} has no namespaces and no seccomp: use a Linux virtual machine or container.",
        )
    if platform.machine() not in ("x86_64", "aarch64"):
        return (
            f"system calls of {platform.machine()} are not known: add them to codeself/sandbox/syscalls.py.",
        )
    if level == "restricted":
        return ("the kernel needs seccomp filters; inside a container its profile must allow them.",)
    if level != "strict":
        return ("the kernel must allow process limits and pidfd (Linux 5.4 or later).",)
    advice = []
    if _read("/proc/sys/user/max_user_namespaces") == "0":
        advice.append("user namespaces are switched off: sysctl -w user.max_user_namespaces=15000, as root.")
    if _read("/proc/sys/kernel/unprivileged_userns_clone") == "0":
        advice.append(
            "ordinary users may not make namespaces: sysctl -w kernel.unprivileged_userns_clone=1, as root."
        )
    if _read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        advice.append(
            "AppArmor keeps ordinary programs from making namespaces: sysctl -w"
            " kernel.apparmor_restrict_unprivileged_userns=0, as root, or a profile for this Python."
        )
    if in_container():
        advice.append(
            "the container's default profile forbids namespaces: start it with --security-opt seccomp=unconfined"
            " --security-opt apparmor=unconfined --security-opt systempaths=unconfined (Docker, Podman)."
        )
    if os.geteuid() != 0 and not advice:
        advice.append("try as root: strict gives root up before a candidate runs.")
    return tuple(advice)


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _setting(path: str, text: str) -> str:
    value = _read(path)
    return text.format(value) if value else "not known"
