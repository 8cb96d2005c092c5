"""The base of records whose numbers are all finite: NaN and infinities are refused where they enter."""

from __future__ import annotations

from pydantic import ConfigDict

from codeself.records.base import Record


class FiniteRecord(Record):
    """A record in which what is not known is None, and no number stands for it."""

    model_config = ConfigDict(allow_inf_nan=False)
