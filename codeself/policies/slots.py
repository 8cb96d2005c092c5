"""The attention cache of a batch whose rows come and go: each row is a slot with its own length.

A sequence starts at column 0 of its slot, so that no padding is needed and its numbers do not depend on how long
its neighbours are. A slot is filled from a prompt that was read once for all samples of its task.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import Cache, CacheLayerMixin


class _Place:
    """Where the step that is being made writes: shared by all layers."""

    def __init__(self, slots: int, columns: int) -> None:
        self.slots = slots
        self.columns = columns
        self.positions = torch.zeros(slots, dtype=torch.long)
        self.width = 0


class _SlotLayer(CacheLayerMixin):
    """Keys and values of one layer: (slots, heads, columns, size)."""

    keys: Any
    values: Any

    def __init__(self, place: _Place) -> None:
        super().__init__()
        self._place = place

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        slots, columns = self._place.slots, self._place.columns
        self.keys = key_states.new_zeros(slots, key_states.shape[1], columns, key_states.shape[3])
        self.values = value_states.new_zeros(slots, value_states.shape[1], columns, value_states.shape[3])
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        place = self._place
        rows = torch.arange(len(place.positions), device=key_states.device)
        self.keys[rows, :, place.positions] = key_states[:, :, 0]
        self.values[rows, :, place.positions] = value_states[:, :, 0]
        return self.keys[:, :, : place.width], self.values[:, :, : place.width]

    def get_seq_length(self) -> int:
        return self._place.width

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self._place.width, 0

    def get_max_length(self) -> int:
        return self._place.columns


class SlotCache(Cache):
    """The cache of all layers. One step writes one token into every slot."""

    layers: list[Any]

    def __init__(self, layers: int, slots: int, columns: int) -> None:
        self._place = _Place(slots, columns)
        super().__init__(layers=[_SlotLayer(self._place) for _ in range(layers)])

    def fill(self, slot: int, prompt: DynamicCache) -> None:
        """Put a prompt's keys and values, read in a batch of one, into a slot."""
        read: Any
        for layer, read in zip(self.layers, prompt.layers, strict=True):
            if not layer.is_initialized:
                layer.lazy_initialization(read.keys, read.values)
            length = read.keys.shape[2]
            layer.keys[slot, :, :length] = read.keys[0]
            layer.values[slot, :, :length] = read.values[0]

    def keep(self, slots: torch.Tensor) -> None:
        """Drop all slots but these, which become 0, 1, 2 ... in this order."""
        self._place.slots = len(slots)
        for layer in self.layers:
            layer.keys = layer.keys[slots]
            layer.values = layer.values[slots]

    def at(self, positions: torch.Tensor) -> torch.Tensor:
        """Let the next step write at these columns, one a slot. Returns its attention mask: (slots, 1, 1, columns)."""
        self._place.positions = positions
        self._place.width = int(positions.max()) + 1
        columns = torch.arange(self._place.width, device=positions.device)
        return (columns[None, :] <= positions[:, None])[:, None, None, :]
