"""What a forger would do: change a record, and make everything that names the change by a digest fit it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from codeself.provenance.archive import SUMS_FILE
from codeself.provenance.graph import CHECKOUT, SAFE
from codeself.provenance.manifest import files_root
from codeself.provenance.manifest_page import manifest_page
from codeself.provenance.merkle import SHORT, line_digests, merkle_root
from codeself.records.digests import sha256_file
from codeself.records.jsonl import dumps, read_record, write_record
from codeself.records.manifest import MANIFEST_FILE, ROWS_FILE, Manifest, Rows, RowsDigest


def files_of(folder: Path, start: str = "", end: str = "") -> list[str]:
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if name.startswith(start) and name.endswith(end))


def forge(folder: Path, *names: str, **said: Any) -> None:
    """names: artifacts that were changed. said: what the manifest is to say, by its keys."""
    manifest = read_record(folder / MANIFEST_FILE, Manifest)
    rows = dict(read_record(folder / ROWS_FILE, Rows).rows)
    artifacts = []
    for each in said.pop("artifacts", manifest.artifacts):
        if each.path in names:
            path = folder / each.path
            leaves = line_digests(path)
            changes = {"sha256": sha256_file(path), "bytes": path.stat().st_size}
            if each.rows:
                changes["rows"] = RowsDigest(count=len(leaves), root=merkle_root(leaves))
                rows[each.path] = tuple(leaf[:SHORT] for leaf in leaves)
            each = each.model_copy(update=changes)
        artifacts.append(each)
    changed = manifest.model_copy(update={"artifacts": tuple(artifacts), **said})
    changed = changed.model_copy(update={"root": files_root([*changed.artifacts, *changed.inputs])})
    write_record(folder / MANIFEST_FILE, changed)
    (folder / "manifest.md").write_text(manifest_page(changed))
    (folder / ROWS_FILE).write_text(dumps(Rows(rows=rows).to_json_dict()) + "\n")
    sum_up(folder)


def sum_up(folder: Path) -> None:
    lines = [f"{sha256_file(folder / name)}  {name}\n" for name in files_of(folder) if name != SUMS_FILE]
    (folder / SUMS_FILE).write_text("".join(lines))


def describe_again(folder: Path) -> None:
    """Cards, the crate and the checklist anew, from what the manifest says."""
    manifest = read_record(folder / MANIFEST_FILE, Manifest)
    inside = folder / manifest.results / "archive"
    inside.mkdir()
    shutil.copy(folder / MANIFEST_FILE, inside)
    cards = CHECKOUT / "resources" / "cards"
    command = [sys.executable, "-P", "-m", "codeself", "describe-record"]
    command += ["--manifest", f"{manifest.results}/archive/{MANIFEST_FILE}"]
    command += ["--model-template", str(cards / "model.md.j2")]
    command += ["--dataset-template", str(cards / "dataset.md.j2")]
    subprocess.run(command, cwd=folder, check=True, env={**os.environ, **SAFE})
    (inside / MANIFEST_FILE).unlink()
    shutil.copytree(inside, folder, dirs_exist_ok=True)
    shutil.rmtree(inside)
    sum_up(folder)


def change_row(path: Path, change: Callable[[dict[str, Any]], Any], line: int = 1) -> None:
    """One row of a file of records, changed in place."""
    rows = path.read_text().splitlines()
    row = json.loads(rows[line - 1])
    change(row)
    rows[line - 1] = json.dumps(row, separators=(",", ":"))
    path.write_text("\n".join(rows) + "\n")
