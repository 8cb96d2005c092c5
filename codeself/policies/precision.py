"""Which number format a model runs in on this machine."""

from __future__ import annotations

import torch

# Names of the instructions, as torch reports them, with which a CPU multiplies bfloat16 matrices fast. Without them
# it is several times slower than float32; with them several times faster.
_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "sve_bf16", "bf16")


def has_bfloat16(device: torch.device) -> bool:
    """Whether products in bfloat16 are fast here."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    found = torch.cpu.get_capabilities()
    return any(found.get(name, False) for name in _INSTRUCTIONS)


def number_format(asked: str, device: torch.device) -> torch.dtype:
    """The format that was asked for by name; "auto" is bfloat16 where that is fast, else float32."""
    if asked == "auto":
        return torch.bfloat16 if has_bfloat16(device) else torch.float32
    return getattr(torch, asked)
