"""How each artifact was made, from what Snakemake wrote down when it made it.

Snakemake keeps one JSON file for each output under .snakemake/metadata, named by the output's path in base64. Where
there is none (--drop-metadata, another backend for it, another version's form), the artifact's job is not known, and
everything else of the record still holds.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from codeself.records.manifest import Job

_CODE = re.compile(r"'([0-9a-f]{12})'")
# What follows these words decides nothing of what is made.
_OF_THE_HOST = ("--workers",)
# A folder of local copies of public files, which the shell fills in.
_LOCAL_COPY = re.compile(r"\$\{CODESELF_DATASETS:[^}]*\}\S*")


class Naming:
    """Names of files in the record: as they are, but for places on the host, which are cut to their end.

    results: the results folder, as the rules name it. shown: as the record does. folders: others that the run was
    given, whose files keep their place inside them.
    """

    def __init__(self, results: str, folders: Iterable[str] = ()) -> None:
        self.results = results.rstrip("/")
        self.shown = cut(Path(results).as_posix())
        self._folders = tuple(folder.rstrip("/") for folder in folders if cut(folder) != folder)

    def __call__(self, path: str) -> str:
        if path == self.results or path.startswith(f"{self.results}/"):
            return self.shown + path.removeprefix(self.results)
        for folder in self._folders:
            if path == folder or path.startswith(f"{folder}/"):
                return cut(folder) + path.removeprefix(folder)
        return cut(path)


def cut(path: str) -> str:
    """A path as it is, or its last part where it leads out of the folder of the run."""
    return Path(path).name if path.startswith("/") or ".." in path.split("/") else path


def jobs_behind(metadata: Path, artifacts: Iterable[str], name: Naming) -> list[Job]:
    """The jobs that made these artifacts, each once, in the order of their first outputs.

    artifacts: paths in the record. name: of the run's files.
    """
    wanted = sorted(artifacts)
    made: dict[tuple[str, str], tuple[dict[str, Any], list[str]]] = {}
    for output, record in sorted(_records(metadata)):
        shown = name(output)
        own = [path for path in wanted if path == shown or path.startswith(f"{shown}/")]
        if own:
            made.setdefault((record["rule"], record["shellcmd"]), (record, []))[1].extend(own)
    jobs = [
        Job(
            rule=record["rule"],
            command=words_of(record["shellcmd"], name),
            code=next((found[1] for found in map(_CODE.fullmatch, record["params"]) if found), ""),
            inputs=tuple(sorted(map(name, record["input"]))),
            outputs=tuple(sorted(set(outputs))),
        )
        for record, outputs in made.values()
    ]
    return sorted(jobs, key=lambda job: job.outputs)


def _records(metadata: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each output's path and what is known of it; what cannot be read is passed over."""
    for path in metadata.rglob("*"):
        # A long name is cut into folders, whose names begin with "@".
        packed = "".join(part.removeprefix("@") for part in path.relative_to(metadata).parts)
        try:
            output = base64.urlsafe_b64decode(packed).decode()
            record = json.loads(path.read_bytes())
        except (OSError, ValueError, binascii.Error):
            continue
        if isinstance(record, dict) and {"rule", "shellcmd", "params", "input"} <= record.keys():
            yield output, record


def words_of(command: str, name: Naming) -> tuple[str, ...]:
    """The words of a shell line from the command on: without what launches it, redirections, and what is the host's."""
    words: list[str] = []
    line = shlex.split(_LOCAL_COPY.sub("", command))
    waiting = iter(line[line.index("codeself") :] if "codeself" in line else line)
    for word in waiting:
        if re.fullmatch(r"\d?>", word) or word in _OF_THE_HOST:
            next(waiting, None)
        else:
            words.append(name(word))
    return tuple(words)
