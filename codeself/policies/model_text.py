"""The tokenizer of a model folder: what a model reads of a prompt, and what the tokens say that it wrote."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# A folder is all that is needed; without this the library may ask a hub about it. Read when it is imported.
os.environ["HF_HUB_OFFLINE"] = "1"

import transformers

from codeself.policies.backend import Prompt
from codeself.records.digests import sha256_file
from codeself.records.errors import InputError, SourceError
from codeself.records.jsonl import read_record
from codeself.records.models import MODEL_FILE, ModelRecord

# Tokens of a prompt that are decoded with a completion, as some tokenizers drop a space where a text begins.
_CONTEXT = 4


def checked_record(folder: Path) -> ModelRecord:
    """The record of a model folder. Raises SourceError where a file is not the one that it records."""
    record = read_record(folder / MODEL_FILE, ModelRecord)
    for name, expected in record.files.items():
        if sha256_file(folder / name) != expected:
            raise SourceError(f"{folder / name}: is not what {MODEL_FILE} records; fetch the model again")
    return record


class ModelText:
    """ends: tokens after which nothing of a completion is left to write. limit: tokens a sequence may have, or 0."""

    def __init__(self, folder: Path, chat_template_sha256: str) -> None:
        self.tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder)
        self._has_chat_template = bool(chat_template_sha256)
        config = transformers.AutoConfig.from_pretrained(folder)
        self.limit: int = getattr(config, "max_position_embeddings", None) or 0
        ends = config.eos_token_id
        if (folder / "generation_config.json").exists():
            ends = transformers.GenerationConfig.from_pretrained(folder).eos_token_id
        self.ends: frozenset[int] = frozenset(
            [*([ends] if isinstance(ends, int) else ends or ()), *self.tokenizer.all_special_ids]
        )

    def as_read(self, prompt: Prompt) -> str:
        """The prompt as the model reads it: a chat prompt inside the markers of a turn."""
        if prompt.style == "completion":
            return prompt.text
        if not self._has_chat_template:
            raise InputError(
                f"prompt template '{prompt.name}' is in chat style, and the model has no chat template;"
                " expected a completion style template"
            )
        turn = [{"role": "user", "content": prompt.text}]
        return self.tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)

    def prompt_ids(self, prompt: Prompt, task_id: str, new_tokens: int) -> list[int]:
        """The prompt's tokens. Raises InputError where they leave no room for so many new ones."""
        # A chat template writes its special tokens itself.
        words = {"add_special_tokens": prompt.style == "completion"}
        ids = self.tokenizer(self.as_read(prompt), **words)["input_ids"]
        if not ids or (self.limit and len(ids) + new_tokens > self.limit):
            raise InputError(
                f"task '{task_id}': its prompt has {len(ids)} tokens; expected at least 1, and with"
                f" {new_tokens} new ones at most the model's {self.limit}"
            )
        return ids

    def written(self, prompt_ids: Sequence[int], ids: Sequence[int]) -> str:
        """What these tokens say after the prompt's."""
        context = list(prompt_ids[-_CONTEXT:])
        return self._decode([*context, *ids]).removeprefix(self._decode(context))

    def _decode(self, ids: list[int]) -> str:
        return self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
