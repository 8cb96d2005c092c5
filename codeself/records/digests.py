"""Digests by which artifacts and their parts are named: sha256 throughout."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from codeself.records.errors import InputError


def sha256_bytes(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sha256_text(text: str) -> str:
    # A completion may hold lone surrogates; they are hashed as they are.
    return sha256_bytes(text.encode("utf-8", "surrogatepass"))


def sha256_file(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def sha256_json(data: Any) -> str:
    """Digest of JSON data that does not depend on key order, spacing or indentation."""
    return sha256_bytes(json.dumps(data, sort_keys=True, separators=(",", ":")).encode())


def seed_from(*parts: int | str) -> int:
    """A 63-bit seed for one purpose, from the names of the purpose. Stable across machines and versions."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def sha256_lines(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()
