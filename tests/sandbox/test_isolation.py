"""What each level of the ladder denies, seen from inside."""

from __future__ import annotations

import pytest

from codeself.records.errors import InfrastructureError
from codeself.records.judging import Limits
from codeself.sandbox import channel
from codeself.sandbox.session import Session
from codeself.sandbox.zygote_process import ZygoteProcess

PROBE = """
import os, socket, sys

def attempt(name):
    try:
        return str(ATTEMPTS[name]())[:200]
    except BaseException as error:
        return type(error).__name__

ATTEMPTS = {
    "read /etc/passwd": lambda: open("/etc/passwd").read(),
    "write /tmp": lambda: open("/tmp/codeself-probe", "x"),
    "write beside the library": lambda: open(os.__file__ + ".probe", "x"),
    "list /proc": lambda: os.listdir("/proc"),
    "fork": os.fork,
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "tcp socket": socket.socket,
    "unix socket": lambda: socket.socket(socket.AF_UNIX),
    "kill parent": lambda: os.kill(os.getppid() or 2, 9),
    "user": os.getuid,
    "environment": lambda: sorted(os.environ),
    "descriptors": lambda: [n for n in range(64) if _is_open(n)],
    "import sqlite3": lambda: __import__("sqlite3").__name__,
    "memory": lambda: len(bytearray(1 << 31)),
}

def _is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
"""


def probe(level: str, names: list[str]) -> dict[str, str]:
    try:
        zygote = ZygoteProcess(level, Limits())
    except InfrastructureError as error:
        pytest.skip(f"this machine does not offer it: {error}")
    found = {}
    try:
        for name in names:  # a fresh candidate each: what one attempt does must not help the next
            with Session(zygote, Limits(cpu_seconds=2, wall_seconds=10)) as session:
                assert session.ask([channel.RUN, PROBE, 1000]) == ["ran"]
                found[name] = session.ask([channel.HAND, "attempt", None, [name], {}, False])[1]
    finally:
        zygote.close()
    return found


DENIED = {"PermissionError", "FileNotFoundError", "OSError", "MemoryError", "ProcessLookupError"}


def test_strict_leaves_nothing_but_the_runtime():
    names = [
        "read /etc/passwd", "write /tmp", "write beside the library", "list /proc", "fork", "exec",
        "tcp socket", "unix socket", "kill parent", "memory",
    ]  # fmt: skip
    found = probe("strict", names)
    assert set(found.values()) <= DENIED, found


def test_strict_still_runs_ordinary_python():
    found = probe("strict", ["user", "environment", "descriptors", "import sqlite3"])
    assert found == {
        "user": "65534",
        "environment": "[]",
        "descriptors": "[0, 1, 2, 3]",
        "import sqlite3": "sqlite3",
    }


def test_restricted_denies_processes_and_sockets():
    found = probe("restricted", ["fork", "exec", "tcp socket", "unix socket", "kill parent", "memory"])
    assert set(found.values()) <= DENIED, found


def test_limits_bound_memory_and_empty_the_environment():
    assert probe("limits", ["memory", "environment", "descriptors"]) == {
        "memory": "MemoryError",
        "environment": "[]",
        "descriptors": "[0, 1, 2, 3]",
    }
