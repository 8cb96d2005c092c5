"""Low-rank adapters in place of all weights (Hu et al. 2021, arXiv 2106.09685), by peft."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codeself.records.practice import LoraConfig

if TYPE_CHECKING:
    import peft


def lora_settings(config: LoraConfig) -> peft.LoraConfig:
    """peft's settings. Without dropout: the chances of tokens must be those that they were drawn with."""
    import peft

    return peft.LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=0.0,
        target_modules=list(config.targets),
        task_type="CAUSAL_LM",
    )
