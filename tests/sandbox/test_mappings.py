"""A zygote's memory, mapped otherwise: the same bytes at the same addresses, in fewer pieces."""

from __future__ import annotations

import subprocess
import sys

import pytest

_REMAPPED = """
import ctypes, hashlib, os
from codeself.sandbox import mappings

mappings.one_heap()
import decimal, json, typing
{given}

def pieces():
    return [m for m in mappings._mappings() if "r" in m[2] and m[3].startswith("/") and "w" not in m[2]]

def digests(places):
    return [hashlib.sha256(ctypes.string_at(start, end - start)).hexdigest() for start, end, *_ in places]

before, count = pieces(), len(mappings._mappings())
contents = digests(before)
mappings.enlarge(mappings.join())
mappings.own_arenas()
print(len(mappings._mappings()) < count, digests(before) == contents)

held = [[str(n)] for n in range(400_000)]
del held
pid = os.fork()
if pid == 0:
    os._exit(decimal.Decimal(7) == 7 and json.loads("[1]") == [1] and 42)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


# What an older kernel does without, and a full address space.
GIVEN = {
    "all that is used": "",
    "no huge page to be had": "mappings._COLLAPSE = 99",
    "no room aside": "mappings._ASIDE = -(1 << 62)",
    "a libc without contexts": "mappings.contexts.POSSIBLE = False",
}


@pytest.fixture(scope="module", params=GIVEN.values(), ids=GIVEN)
def said(request) -> list[str]:
    program = _REMAPPED.replace("{given}", request.param)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_libraries_lie_in_fewer_mappings_and_hold_what_they_held(said):
    assert said[:2] == ["True", "True"]


def test_the_interpreter_goes_on_takes_and_frees_memory_and_forks(said):
    assert said[2] == "42"
