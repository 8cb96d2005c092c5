"""What practice made of a model, as a model folder that samples like the one it began with."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from codeself.policies.model_folder import OTHERS, finish_model_folder, making_model_folder
from codeself.records.jsonl import read_record
from codeself.records.models import MODEL_FILE, ModelRecord


@torch.no_grad()
def plain_weights(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """The weights by the names they have without adapters, each adapter added to its layer. Nothing is changed.

    One after another, as a layer with its adapter added in is a copy.
    """
    adapted = {
        f"{name}.base_layer.weight": module
        for name, module in model.named_modules()
        if hasattr(module, "get_delta_weight")
    }
    prefix = "base_model.model." if hasattr(model, "peft_config") else ""
    for name, weight in model.state_dict().items():
        if name in adapted:
            weight = weight + adapted[name].get_delta_weight("default")
        if ".lora_" not in name:
            yield name.removeprefix(prefix).replace(".base_layer.", "."), weight


def write_trained(model: Any, base: Path, output: Path, name: str) -> ModelRecord:
    """Write the model as it is now. base: the folder it came from, whose tokenizer and licence it keeps."""
    origin = read_record(base / MODEL_FILE, ModelRecord)
    inner = model.get_base_model() if hasattr(model, "peft_config") else model
    weights = {key: weight.contiguous() for key, weight in plain_weights(model)}
    with making_model_folder(output) as (folder, _):
        try:
            inner.save_pretrained(folder, state_dict=weights)
        except SafetensorError as error:  # a full disk, too
            raise OSError(str(error)) from error
        for path in base.iterdir():
            if path.name in OTHERS and not (folder / path.name).exists():
                shutil.copyfile(path, folder / path.name)
        return finish_model_folder(folder, f"{origin.name}; {name}", origin.source, origin.license)
