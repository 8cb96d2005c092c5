"""When what a model has written so far is all that will be used."""

from __future__ import annotations

import re

from codeself.policies.backend import Prompt
from codeself.policies.openings import joined
from codeself.policies.syntax import end_of_block

_AT_COLUMN_0 = re.compile(r"^\S", re.MULTILINE)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)


def is_finished(prompt: Prompt, text: str) -> bool:
    """Completion style: the function's block has ended. Chat style: a fenced block has been closed."""
    if prompt.style == "chat":
        return len(_FENCE.findall(text)) >= 2
    opening, body = joined(prompt.opening, text)
    return _AT_COLUMN_0.search(body) is not None and end_of_block(opening, body) is not None
