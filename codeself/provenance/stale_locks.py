"""Removes the locks of a killed Snakemake, and only those: `python -m codeself.provenance.stale_locks`.

Snakemake's lock files say which files are locked, not by whom: a kill -9 leaves them behind, and the next
run refuses to start. Here they go when no Snakemake works in this folder any more. Jobs that outlived
a killed Snakemake are waited for: they would write over what the new run makes. When one is at work, the
locks are left to it, and a second run gets Snakemake's own message. Looks at this machine's processes alone.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path


def remove_stale_locks(folder: Path, proc: Path = Path("/proc")) -> bool:
    """True where locks were found and removed. proc: where the kernel shows its processes."""
    state = folder / ".snakemake"
    if not _has_locks(state):
        return False
    # Two runs that start at the same time: the second must not remove what the first has just locked.
    with (state / "stale_locks").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not _has_locks(state) or _at_work(folder, "snakemake", proc):
            return False
        waited_for: set[int] = set()
        while left_over := _at_work(folder, "codeself", proc):
            for pid in left_over - waited_for:
                print(f"codeself: waiting for process {pid}, a job that a killed run left", file=sys.stderr)
            waited_for |= left_over
            time.sleep(0.5)
        unlock = [sys.executable, "-m", "snakemake", "--unlock"]
        done = subprocess.run(unlock, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"codeself: the locks that a killed run left cannot be removed:\n{done.stderr}")
        print("codeself: removed the locks that a killed run left", file=sys.stderr)
    return True


def _has_locks(state: Path) -> bool:
    return any((state / "locks").glob("*.lock"))


def _at_work(folder: Path, program: str, proc: Path) -> set[int]:
    """Ids of other processes in this folder that are running a program of this name."""
    found = set()
    for process in proc.glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")[:4]
            here = os.path.samefile(process / "cwd", folder)
        except OSError:  # ended meanwhile, or another user's
            continue
        names = {os.path.basename(word).decode(errors="replace") for word in words}
        if here and program in names and int(process.name) != os.getpid():
            found.add(int(process.name))
    return found


if __name__ == "__main__":
    remove_stale_locks(Path.cwd())
