"""States from which a killed run goes on, to the same bytes as a run that was not killed.

A state is a folder that appears whole or not at all; only the newest is kept. It belongs to one run: to the settings,
weights, tasks and code that its digest was made from. A state of another run is passed over.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codeself.learning.learner import State
from codeself.records.errors import CodeselfError
from codeself.records.jsonl import dumps

_ARRAYS, _PLAIN = "arrays.safetensors", "state.json"


@dataclass(frozen=True)
class Checkpoint:
    """step: how many steps are done. learner: its state. log: the trainer's own plain data."""

    step: int
    learner: State
    log: Mapping[str, Any]


class Checkpoints:
    def __init__(self, folder: Path, digest: str) -> None:
        self._folder = folder
        self._digest = digest

    def newest(self) -> Checkpoint | None:
        """The last state of this very run, or None where there is none."""
        for path in sorted(self._folder.glob("step-*"), reverse=True):
            try:
                plain = json.loads((path / _PLAIN).read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            if isinstance(plain, dict) and plain.get("digest") == self._digest:
                arrays = _read_arrays(path / _ARRAYS)
                return Checkpoint(plain["step"], (arrays, plain["learner"]), plain["log"])
        return None

    def keep(self, checkpoint: Checkpoint) -> None:
        """Write a state, then drop the older ones. Raises CodeselfError where the disk takes no more."""
        final = self._folder / f"step-{checkpoint.step:06d}"
        unfinished = self._folder / f".step-{checkpoint.step:06d}"
        arrays, learner = checkpoint.learner
        plain = {
            "digest": self._digest,
            "step": checkpoint.step,
            "learner": dict(learner),
            "log": dict(checkpoint.log),
        }
        try:
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            if arrays:
                _write_arrays(unfinished / _ARRAYS, arrays)
            _write_synced(unfinished / _PLAIN, dumps(plain).encode())
            shutil.rmtree(final, ignore_errors=True)
            unfinished.rename(final)
            _sync(self._folder)
        except OSError as error:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise CodeselfError(f"{final}: cannot be written: {error.strerror or error}") from error
        for path in self._folder.glob("*step-*"):
            if path != final:
                shutil.rmtree(path, ignore_errors=True)

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _read_arrays(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    from safetensors.torch import load_file

    return load_file(path)


def _write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file(dict(arrays), path)
    except SafetensorError as error:  # a full disk, too
        raise OSError(str(error)) from error
    _sync(path)


def _write_synced(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
