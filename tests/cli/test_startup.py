"""Help is light: no command's --help imports what only its work needs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from codeself.cli import COMMANDS

HEAVY = {"torch", "transformers", "pandas", "scipy", "numpy", "matplotlib", "jinja2"}
# All in one process, which is quick; a heavy module is laid to the first command that imports it.
PROGRAM = """
import contextlib, io, json, sys
from codeself.cli import app
results = {}
for command in [*([name] for name in sys.argv[1:]), []]:
    before, shown = set(sys.modules), io.StringIO()
    try:
        with contextlib.redirect_stdout(shown):
            app([*command, "--help"], prog_name="codeself")
    except SystemExit as end:
        code = end.code or 0
    except Exception as error:
        code = repr(error)
    loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
    results[" ".join(command)] = [code, shown.getvalue(), sorted(loaded)]
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def helps() -> dict[str, tuple[object, str, list[str]]]:
    # Single commands first; the list of all comes last, as it imports every command's module.
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *COMMANDS], capture_output=True, text=True, check=True, timeout=120
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_light(helps: dict[str, tuple[object, str, list[str]]], command: str) -> None:
    code, shown, loaded = helps[command]
    assert code == 0
    assert "Usage:" in shown
    assert not HEAVY & set(loaded)
