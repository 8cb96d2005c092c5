"""The published schemas are those of the code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_schemas_in_workflow_are_the_generated_ones(tmp_path: Path, root: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "codeself", "write-schemas", "--output", str(tmp_path)], check=True, cwd=root
    )
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    published = {path.name: path.read_text() for path in (root / "workflow" / "schemas").glob("*.json")}
    assert made == published, "run `codeself write-schemas` and commit what it writes"
