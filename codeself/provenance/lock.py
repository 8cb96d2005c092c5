"""The lock files, written from a fresh resolve: `make lock`.

requirements.{core,train,dev}.lock: the pure Python wheels of each group with their sha256, which hold on
every platform; installed with --require-hashes. A group's file leaves out what an earlier group has.
requirements.platform.lock: names and versions of everything else (compiled wheels, which differ by platform,
and source distributions); used as constraints, so that a platform's own extra packages still come along.
No file names the place a package was fetched from.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

GROUPS: dict[str, tuple[str, ...]] = {
    # setuptools builds the package itself: locked too, so that no build downloads its own.
    "core": (".", "setuptools>=77"),
    "train": (".[train]",),
    "dev": (".[train,crosscheck,dev]",),
}
_PIP = (sys.executable, "-m", "pip", "install", "-qq", "--dry-run", "--ignore-installed")
_HEAD = "# Written by `make lock` from a fresh resolve on Python {python}; not by hand.\n"


def lock_texts(reports: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The lock files' text by name, from pip's installation report of each group, core first."""
    head = _HEAD.format(python=".".join(map(str, sys.version_info[:2])))
    texts: dict[str, str] = {}
    seen: set[str] = set()
    platform: dict[str, str] = {}
    for group, report in reports.items():
        lines = []
        for name, version, sha256 in sorted(_packages(report)):
            if name in seen:
                continue
            seen.add(name)
            if sha256:
                lines.append(f"{name}=={version} --hash=sha256:{sha256}\n")
            else:
                platform[name] = version
        texts[f"requirements.{group}.lock"] = head + "".join(lines)
    texts["requirements.platform.lock"] = head + "".join(
        f"{name}=={version}\n" for name, version in sorted(platform.items())
    )
    return texts


def _packages(report: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, version, and the digest of the wheel where it is the same on every platform, else ""."""
    packages = []
    for item in report["install"]:
        download = item["download_info"]
        if "dir_info" in download:  # the project itself
            continue
        name = re.sub(r"[-_.]+", "-", item["metadata"]["name"]).lower()
        # A local part (+cpu) names one build of the same release; other machines have another build.
        version = item["metadata"]["version"].partition("+")[0]
        universal = download["url"].endswith("-none-any.whl")
        packages.append((name, version, download["archive_info"]["hashes"]["sha256"] if universal else ""))
    return packages


def _resolve(requirements: Sequence[str], constraints: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        subprocess.run(
            [*_PIP, "--constraint", str(constraints), "--report", str(report), *requirements], check=True
        )
        return json.loads(report.read_bytes())


def main() -> None:
    parser = argparse.ArgumentParser(description="Resolve all dependencies anew and write the lock files.")
    parser.add_argument(
        "--pin", action="append", default=[], help="A version to hold on to, as NAME==VERSION."
    )
    pins: list[str] = parser.parse_args().pin
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("".join(f"{pin}\n" for pin in pins))
        # Everything at once decides the versions; each smaller group is then resolved under them.
        everything = _resolve([*GROUPS["core"], *GROUPS["dev"]], constraints)
        versions = [f"{name}=={version}\n" for name, version, _ in _packages(everything)]
        constraints.write_text("".join(versions))
        reports = {group: _resolve(GROUPS[group], constraints) for group in ("core", "train")}
    for name, text in lock_texts({**reports, "dev": everything}).items():
        Path(name).write_text(text)


if __name__ == "__main__":
    main()
