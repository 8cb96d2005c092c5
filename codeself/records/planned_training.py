"""A plan is older than what it judges: every training run records the digest of the plan that it waited for."""

from __future__ import annotations

import json
from pathlib import Path

from codeself.records.errors import InputError
from codeself.records.files import read_text


def require_plan(done: Path, plan: Path, plan_sha256: str) -> None:
    """Raises InputError unless the training run of this done.json had the very plan with this digest."""
    try:
        record = json.loads(read_text(done))
    except json.JSONDecodeError as error:
        raise InputError(f"{done}, line {error.lineno}: is not whole JSON: {error.msg}") from error
    digest = record.get("plan_sha256") if isinstance(record, dict) else None
    if not isinstance(digest, str) or not digest:
        raise InputError(
            f"{done}: has no plan_sha256; a training run that had no plan cannot be judged by one"
        )
    if digest != plan_sha256:
        raise InputError(
            f"{done}: was trained under another plan ({digest[:12]}…, not {plan_sha256[:12]}… of {plan});"
            " a plan must be older than the training it judges: train again"
        )
