"""Nothing of the host, its user or their secrets goes into an archive: each file is searched before it is packed.

What a policy wrote itself (completions, programs) may hold any path or name by chance: it is searched for secrets
alone.
"""

from __future__ import annotations

import getpass
import json
import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from codeself.records.errors import InputError
from codeself.reports.page_data import opened

_SECRETS = {
    "a private key": rb"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "an access key": rb"\bAKIA[0-9A-Z]{16}\b",
    "a token of a code host": rb"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60,}|glpat-[\w-]{20})",
    "a token of a model hub": rb"\bhf_[A-Za-z0-9]{30,}",
    "a key of a model's interface": rb"\bsk-[A-Za-z0-9_-]{32,}",
    "a token of a chat": rb"\bxox[abprs]-[A-Za-z0-9-]{10,}",
}
_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|CREDENTIAL", re.IGNORECASE)
# Shorter values are words that stand anywhere.
_SHORTEST_SECRET = 12
# Names that many machines and accounts have say nothing of this one.
_NO_NAMES = {
    *("", "localhost", "localdomain", "root", "user", "runner", "nobody", "host", "server", "node", "worker"),
    *("desktop", "laptop", "docker", "container", "build", "linux", "debian", "ubuntu", "fedora"),
}
# A host's name of fewer letters ("vm", "pc1") stands in any program.
_SHORTEST_HOST = 4
# By the keys of records, and of the data of the page of attempts. A prompt may quote an answer.
_WRITTEN_BY_A_POLICY = {"completion", "program", "answer", "text", "texts", "diff", "prompt"}
_DATA_OF_A_PAGE = re.compile(rb'<script type="application/json"[^>]*>(\{.*\})</script>')


class Scrubber:
    """What may not be in a file, by what it is: secrets, and what belongs to this host and its user."""

    def __init__(
        self,
        forbidden: Sequence[str] = (),
        *,
        home: str = "",
        here: str = "",
        user: str = "",
        host: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """forbidden: more words. The rest is this host's own where it is not given."""
        home, here = home or str(Path.home()), here or os.getcwd()
        user, host = user or _user(), host or socket.gethostname()
        secrets = {what: re.compile(pattern) for what, pattern in _SECRETS.items()}
        for name, value in (os.environ if environment is None else environment).items():
            if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET:
                secrets[f"the value of {name}"] = re.compile(
                    re.escape(value.encode(errors="surrogateescape"))
                )
        own = {}
        for what, path in (("the home folder", home), ("the folder of this run", here)):
            # "/" itself stands anywhere, and /root is the home of every machine's administrator.
            if Path(path).name not in _NO_NAMES:
                own[what] = re.compile(re.escape(path.encode()) + rb"(?![\w.-])")
        if user not in _NO_NAMES:
            # As a bare word a name may be anybody's.
            own["the user's name"] = re.compile(rb"/%(u)b(?=/)|\b%(u)b@" % {b"u": re.escape(user.encode())})
        hosts = {host, host.partition(".")[0]} - _NO_NAMES
        if names := sorted(name for name in hosts if len(name) >= _SHORTEST_HOST):
            own["the host's name"] = _word(*names)
        for word in forbidden:
            own[f"'{word}'"] = _word(word)
        self._secrets, self._own = secrets, own

    def check(self, path: str, data: bytes) -> None:
        """Raises InputError naming the file, the line, and what stands there. path: as the reader knows it."""
        data = opened(data)
        for what, start in self._found(data):
            line = data.count(b"\n", 0, start) + 1
            raise InputError(
                f"{path}, line {line}: holds {what}; an archive must not. Take it out where it came from, or leave this"
                " file out (archive.contents)"
            )

    def _found(self, data: bytes) -> Iterator[tuple[str, int]]:
        for what, pattern in self._secrets.items():
            yield from ((what, match.start()) for match in pattern.finditer(data))
        for what, pattern in self._own.items():
            read = -1  # up to here: a line of a page may be long, and hold a word many times
            for match in pattern.finditer(data):
                if match.start() > read:
                    line, read = _line_at(data, match.start())
                    if pattern.search(_without_words_of_policies(line)):
                        yield what, match.start()


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _word(*texts: str) -> re.Pattern[bytes]:
    """Any of the texts, where no part of a longer word."""
    either = b"|".join(re.escape(text.encode()) for text in texts)
    return re.compile(rb"(?<![\w-])(?:" + either + rb")(?![\w-])")


def _line_at(data: bytes, start: int) -> tuple[bytes, int]:
    """The line in which this place is, and where it ends."""
    end = data.find(b"\n", start)
    end = len(data) if end < 0 else end
    return data[data.rfind(b"\n", 0, start) + 1 : end], end


def _without_words_of_policies(line: bytes) -> bytes:
    if page := _DATA_OF_A_PAGE.search(line):
        line = page[1]
    if not line.startswith(b"{"):
        return line
    try:
        return json.dumps(_without(json.loads(line)), ensure_ascii=False).encode("utf-8", "surrogatepass")
    except ValueError:
        return line


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(inner) for key, inner in value.items() if key not in _WRITTEN_BY_A_POLICY}
    return [_without(inner) for inner in value] if isinstance(value, list) else value
