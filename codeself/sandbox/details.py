"""What a verdict says for people: on any machine the same, and nothing of the machine.

Messages of the standard library may name the file that they come from, and with it where Python is installed.
The default text of an object says where in memory it lies, which differs from run to run.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig

DETAIL_CHARACTERS = 400
_SHOWN = "<python>"
_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]+")
# Prefixes that many machines have: below them it is the library's own folder that is named.
_COMMON = {"/", "/usr", "/usr/local", "/opt"}


def _places() -> list[str]:
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix} - _COMMON
    found = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), *prefixes}
    return sorted({*found, *map(os.path.realpath, found)} - _COMMON, key=len, reverse=True)


_PLACES = _places()


def detail_text(text: str) -> str:
    """The text trimmed, without places of this machine, and without what would not survive every reader."""
    text = _ADDRESS.sub("at 0x…", text)
    for place in _PLACES:
        text = text.replace(place, _SHOWN)
    clean = _without_cut_place(text).encode("utf-8", "backslashreplace").decode()
    return clean if len(clean) <= DETAIL_CHARACTERS else clean[: DETAIL_CHARACTERS - 1] + "…"


def _without_cut_place(text: str) -> str:
    """A message that was cut in the middle of a place ends with its first half."""
    start = text.rfind("/", 0, len(text))
    while start > 0 and text[start - 1] not in " '\"(<":
        start -= 1
    tail = text[start:] if start >= 0 else ""
    is_cut = tail.count("/") > 1 and any(place.startswith(tail) for place in _PLACES)
    return text[:start] + _SHOWN if is_cut else text
