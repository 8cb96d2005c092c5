"""Links from a report to the files beside it: a file that the text names in code can be followed."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape


def link_html(page: str, targets: Mapping[str, str]) -> str:
    """targets: for each name, as it stands in code in the text, where it leads."""
    for name, target in targets.items():
        code = f"<code>{escape(name, quote=False)}</code>"
        page = page.replace(code, f'<a href="{escape(target)}">{code}</a>')
    return page


def link_markdown(text: str, targets: Mapping[str, str]) -> str:
    for name, target in targets.items():
        text = text.replace(f"`{name}`", f"[`{name}`]({target})")
    return text
