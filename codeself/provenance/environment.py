"""The code and the packages that a run was made with."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from codeself import __version__
from codeself.records.digests import sha256_bytes, sha256_file, sha256_lines
from codeself.records.files import read_text
from codeself.records.manifest import CodeVersion, Environment

PACKAGE = Path(__file__).resolve().parent.parent
# What decides an artifact; documents and tests do not.
_DECIDING = ("codeself", "workflow", "Snakefile", "config", "resources", "pyproject.toml", "*.lock")


def code_version(package: Path = PACKAGE) -> CodeVersion:
    """The package as it stands on the disk, and its commit where it stands in a checkout."""
    files = sorted(path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    shown = [f"{path.relative_to(package).as_posix()} {sha256_file(path)}" for path in files]
    return CodeVersion(version=__version__, package_sha256=sha256_lines(shown), **_checkout(package.parent))


def _checkout(folder: Path) -> dict[str, str]:
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit or not (folder / ".git").exists():
        return {}
    changes = _git(folder, "diff", "HEAD", "--binary", "--", *_DECIDING) or b""
    new = _git(folder, "ls-files", "-z", "--others", "--exclude-standard", "--", *_DECIDING) or b""
    for name in filter(None, new.decode(errors="surrogateescape").split("\0")):
        changes += f"{name} {sha256_file(folder / name)}\n".encode(errors="surrogateescape")
    return {
        "commit": commit.decode().strip(),
        "date": (_git(folder, "show", "-s", "--format=%cs", "HEAD") or b"").decode().strip(),
        "changes_sha256": sha256_bytes(changes) if changes else "",
    }


def _git(folder: Path, *words: str) -> bytes | None:
    """What git answers, or None where there is no git, or no checkout."""
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


def environment(locks: Sequence[Path]) -> Environment:
    """The interpreter, and each locked package that is installed. locks: the lock files."""
    locked = {name: version for path in locks for name, version in locked_versions(path).items()}
    packages = {name: found for name in sorted(locked) if (found := _installed(name))}
    return Environment(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        locks={path.name: sha256_file(path) for path in locks},
        packages=packages,
        # A local part (+cpu) names one build of the same release.
        unlike_lock={
            name: found for name, found in packages.items() if found.partition("+")[0] != locked[name]
        },
    )


def locked_versions(lock: Path) -> dict[str, str]:
    """The version of each package of a lock file."""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", read_text(lock), flags=re.MULTILINE))


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
