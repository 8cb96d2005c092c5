"""Where a model runs on this machine, and in which number format."""

from __future__ import annotations

import torch

from codeself.records.errors import InputError

# Names of the instructions, as torch reports them, with which a CPU multiplies bfloat16 matrices fast. Without them
# it is several times slower than float32; with them several times faster.
_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "sve_bf16", "bf16")


def device_of(asked: str) -> torch.device:
    """The device that was asked for by name; "auto" is the GPU where there is one. Raises InputError without one."""
    if asked == "auto":
        asked = "cuda" if torch.cuda.is_available() else "cpu"
    if asked == "cuda" and not torch.cuda.is_available():
        raise InputError("device 'cuda': this machine has no usable GPU; expected device cpu or auto")
    return torch.device(asked)


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


def uses_bfloat16(autocast: str, device: torch.device) -> bool:
    """Whether training makes its products in bfloat16: as it is told, or with "auto" where that is fast."""
    return autocast == "bfloat16" or (autocast == "auto" and has_bfloat16(device))
