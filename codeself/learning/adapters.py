"""Low-rank adapters in place of all weights (Hu et al. 2021, arXiv 2106.09685), by peft."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codeself.records.errors import InputError
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


def check_targets(model: Any, config: LoraConfig) -> None:
    """Raises InputError for a target that is no layer of the model, which peft passes over if another one is, and for
    a layer that shares its weight with another: the two could not be told apart once an adapter is added in."""
    layers = dict(model.named_modules())
    ends = (model.get_input_embeddings(), model.get_output_embeddings())
    tied = None not in ends and ends[0].weight is ends[1].weight
    for target in config.targets:
        found = [layer for name, layer in layers.items() if f".{name}".endswith(f".{target}")]
        if not found:
            known = sorted({name.rpartition(".")[2] for name, layer in layers.items() if _is_linear(layer)})
            raise InputError(
                f"practice.lora.targets: '{target}' is no layer of this model; expected some of {', '.join(known)}"
            )
        if tied and any(layer in ends for layer in found):
            raise InputError(
                f"practice.lora.targets: '{target}' shares its weight with the other end of this model; expected"
                " layers in between"
            )


def with_adapters(model: Any, config: LoraConfig) -> Any:
    """The model with adapters in its layers: in place, none of its own weights trained. They begin as nothing."""
    import peft

    check_targets(model, config)
    try:
        return peft.get_peft_model(model, lora_settings(config))
    except ValueError as error:  # a layer of a kind that takes none
        raise InputError(f"practice.lora.targets: {error}") from error


def _is_linear(layer: Any) -> bool:
    return getattr(getattr(layer, "weight", None), "ndim", 0) == 2
