"""What a model folder holds, and where it came from."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from codeself.records.base import Record
from codeself.records.sources import ModelSource, Sha256

MODEL_FILE = "model.json"


FileName = Annotated[str, Field(pattern=r"^\.?\w[\w.+ -]*$")]
"""A file of the folder itself. Whoever reads a record may have it from a stranger."""


class ModelRecord(Record):
    """The record beside the weights, written last.

    name: the source in words. weights_sha256: of the weights file, or of the list of files and digests where there
    are several. tokenizer_sha256: of tokenizer.json, or likewise. chat_template_sha256: empty where the model has
    none. files: the digest of every file in the folder but the record itself.
    """

    name: str
    source: ModelSource
    architecture: str
    parameters: int = Field(gt=0)
    license: str = ""
    weights_sha256: Sha256
    tokenizer_sha256: Sha256
    chat_template_sha256: Sha256 | str = ""
    files: dict[FileName, Sha256]
