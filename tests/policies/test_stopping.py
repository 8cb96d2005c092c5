"""When a completion is finished."""

from __future__ import annotations

import pytest

from codeself.policies.backend import Prompt
from codeself.policies.stopping import is_finished

STARTED = Prompt("p", "completion", "d", "text", 'def f(x):\n    """Do."""')
SIGNATURE = Prompt("p", "completion", "d", "text", "def f(")
CHAT = Prompt("p", "chat", "d", "text")


@pytest.mark.parametrize(
    ("prompt", "text", "finished"),
    [
        (STARTED, "", False),
        (STARTED, "\n    return x", False),
        (STARTED, "\n    return x\n\n", False),
        (STARTED, "\n    return x\n\nd", True),
        (STARTED, "\n    return x\n# Test", True),
        (STARTED, "\n```", True),
        (STARTED, "\n    y = [\n1,\n2", False),
        (STARTED, "\n    y = [\n1,\n]\n", False),
        (STARTED, '\n    y = """\nprint', False),
        (SIGNATURE, "x, y):\n    return x", False),
        (SIGNATURE, "x, y):\n    return x\nprint", True),
        (SIGNATURE, "x,\ny):\n    return x\n", False),
        (CHAT, "Sure:\n```python\ndef f(x):\n    return x\n", False),
        (CHAT, "Sure:\n```python\ndef f(x):\n    return x\n```", True),
        (CHAT, "Use `f` or ``` in a line", False),
    ],
)
def test_the_end_of_the_function_or_of_the_fenced_block_ends_it(
    prompt: Prompt, text: str, finished: bool
) -> None:
    assert is_finished(prompt, text) is finished
