"""GGUF weights as an ordinary model folder: numbers unpacked to float32, exactly, and the tokenizer beside them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

# Everything is in the file; without this the library may ask a hub about it. Read when it is imported.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TQDM_DISABLE"] = "1"

from codeself.records.errors import SourceError


def convert_gguf(gguf: Path, folder: Path) -> str:
    """Write config, weights and tokenizer into the folder. Returns the licence that the file states, or ""."""
    import torch
    import transformers
    from gguf import GGUFReader

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        model: Any = transformers.AutoModelForCausalLM.from_pretrained(
            gguf.parent, gguf_file=gguf.name, dtype=torch.float32
        )
        stated = GGUFReader(gguf).get_field("general.license")
    except (ValueError, KeyError, OSError, NotImplementedError) as error:
        reason = " ".join(str(error).split())
        raise SourceError(f"{gguf.name}: cannot be read as GGUF weights ({reason[:200]})") from error
    # The numbers are unpacked; marked as quantized, the library would refuse to save them.
    for name in ("quantization_config", "_pre_quantization_dtype"):
        if hasattr(model.config, name):
            delattr(model.config, name)
    model.hf_quantizer = None
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(stated.contents()) if stated else ""
