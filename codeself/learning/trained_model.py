"""What practice made of a model, as a model folder that samples like the one it began with."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from codeself.policies.model_folder import OTHERS, finish_model_folder, making_model_folder
from codeself.records.jsonl import read_record
from codeself.records.models import MODEL_FILE, ModelRecord


def plain_weights(model: Any) -> Mapping[str, torch.Tensor]:
    """The weights by the names they have without adapters, each adapter added to its layer. Nothing is changed."""
    weights = dict(model.state_dict())
    if not hasattr(model, "peft_config"):
        return weights
    prefix = "base_model.model."
    plain = {}
    for name, module in model.named_modules():
        if hasattr(module, "get_delta_weight"):
            inside = f"{name}.base_layer.weight"
            weights[inside] = weights[inside] + module.get_delta_weight("default")
    for name, weight in weights.items():
        if ".lora_" not in name:
            plain[name.removeprefix(prefix).replace(".base_layer.", ".")] = weight
    return plain


def write_trained(model: Any, base: Path, output: Path, name: str) -> ModelRecord:
    """Write the model as it is now. base: the folder it came from, whose tokenizer and licence it keeps."""
    origin = read_record(base / MODEL_FILE, ModelRecord)
    inner = model.get_base_model() if hasattr(model, "peft_config") else model
    weights = {key: weight.detach().contiguous() for key, weight in plain_weights(model).items()}
    with making_model_folder(output) as (folder, _):
        try:
            inner.save_pretrained(folder, state_dict=weights)
        except SafetensorError as error:  # a full disk, too
            raise OSError(str(error)) from error
        for path in base.iterdir():
            if path.name in OTHERS and not (folder / path.name).exists():
                shutil.copyfile(path, folder / path.name)
        return finish_model_folder(folder, f"{origin.name}; {name}", origin.source, origin.license)
