"""A model folder: config, safetensors weights, tokenizer, and model.json, the record of them (codeself.records.models).

It appears whole or not at all.
"""

from __future__ import annotations

import fnmatch
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from codeself.records.digests import sha256_file, sha256_lines, sha256_text
from codeself.records.errors import CodeselfError, InputError, SourceError
from codeself.records.files import read_text
from codeself.records.jsonl import write_record
from codeself.records.models import MODEL_FILE, ModelRecord
from codeself.records.sources import ModelSource

# What a model folder may hold; anything else is not ours to remove.
WEIGHTS = "*.safetensors"
OTHERS = (
    *("config.json", "generation_config.json", "model.safetensors.index.json", "chat_template.jinja"),
    *("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.json", "vocab.txt", "merges.txt"),
    *("special_tokens_map.json", "added_tokens.json"),
)
_TOKENIZER = (
    "tokenizer.json",
    "tokenizer.model",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "added_tokens.json",
)


@contextmanager
def making_model_folder(output: Path) -> Iterator[tuple[Path, Path]]:
    """An empty folder that becomes `output` when the block ends without an error, and a scratch folder beside it."""
    _check_replaceable(output)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as scratch:
            folder = Path(scratch) / "model"
            folder.mkdir()
            yield folder, Path(scratch)
            if output.exists():
                output.rename(Path(scratch) / "replaced")
            folder.rename(output)
    except OSError as error:
        raise CodeselfError(f"{output}: cannot be written: {error.strerror or error}") from error


def finish_model_folder(folder: Path, name: str, source: ModelSource, license: str) -> ModelRecord:
    """Write the record of what is in the folder. Raises SourceError where that is no whole model."""
    for path in folder.iterdir():
        path.chmod(0o644)  # the library that saves weights keeps them from other users
    config = _read_json(folder / "config.json")
    files = {path.name: sha256_file(path) for path in sorted(folder.iterdir())}
    weights = fnmatch.filter(files, WEIGHTS)
    tokenizer = [name for name in _TOKENIZER if name in files]
    if not tokenizer:
        raise SourceError(f"{name}: has no tokenizer ({', '.join(_TOKENIZER[:3])}, ...)")
    record = ModelRecord(
        name=name,
        source=source,
        architecture=str((config.get("architectures") or [config.get("model_type", "unknown")])[0]),
        parameters=sum(_parameters(folder / file) for file in weights),
        license=license,
        weights_sha256=_digest_of(weights, files),
        tokenizer_sha256=_digest_of(tokenizer[:1] if tokenizer[0] == "tokenizer.json" else tokenizer, files),
        chat_template_sha256=_chat_template_digest(folder),
        files=files,
    )
    write_record(folder / MODEL_FILE, record)
    return record


def _check_replaceable(output: Path) -> None:
    """A model folder may be made anew; a folder with anything else in it is not ours to remove."""
    if not output.exists():
        return
    strangers = (
        [path.name for path in output.iterdir() if not belongs(path.name)]
        if output.is_dir()
        else [output.name]
    )
    if strangers:
        raise InputError(
            f"{output}: holds {strangers[0]}; expected a model folder, or none, as it is replaced whole"
        )


def belongs(name: str) -> bool:
    """Whether a model folder may hold a file of this name."""
    return name == MODEL_FILE or name in OTHERS or fnmatch.fnmatch(name, WEIGHTS)


def _digest_of(names: list[str], files: dict[str, str]) -> str:
    return files[names[0]] if len(names) == 1 else sha256_lines(f"{files[name]}  {name}" for name in names)


def _parameters(path: Path) -> int:
    """How many numbers a safetensors file holds: its header, JSON after its length in 8 bytes, gives the shapes."""
    with path.open("rb") as stream:
        header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    total = 0
    for name, tensor in header.items():
        if name != "__metadata__":
            count = 1
            for length in tensor["shape"]:
                count *= length
            total += count
    return total


def _chat_template_digest(folder: Path) -> str:
    path = folder / "chat_template.jinja"
    if path.exists():
        return sha256_text(read_text(path))
    config = folder / "tokenizer_config.json"
    template = _read_json(config).get("chat_template") if config.exists() else None
    return sha256_text(template if isinstance(template, str) else json.dumps(template)) if template else ""


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise SourceError(f"{path.name}, line {error.lineno}: is not whole JSON: {error.msg}") from error
    if not isinstance(data, dict):
        raise SourceError(f"{path.name}: expected a JSON object")
    return data
