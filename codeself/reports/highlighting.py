"""Python source and differences between two versions of it, highlighted for a page. All text is escaped."""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import lru_cache
from html import escape

# Of the classes that pygments gives to tokens, those that the page's style knows.
_MARK = {"-": "cut", "+": "new", " ": "same"}


@lru_cache(maxsize=4096)
def highlighted_lines(source: str) -> tuple[str, ...]:
    """A source's lines as HTML. What is no Python is highlighted as far as it goes."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    lexer = PythonLexer(stripnl=False, ensurenl=True)
    lines = highlight(source, lexer, HtmlFormatter(nowrap=True)).removesuffix("\n").split("\n")
    # The lexer may see line ends where there are none; then the text is shown plain.
    plain = source.split("\n")
    return tuple(lines) if len(lines) == len(plain) else tuple(map(escape, plain))


def highlighted_diff(before: str | None, after: str) -> str:
    """Lines of the later version, and those that it no longer has, each in a span of its kind."""
    new = highlighted_lines(after)
    if before is None:
        return "".join(_line(" ", line) for line in new)
    old = highlighted_lines(before)
    shown = []
    matcher = SequenceMatcher(None, before.split("\n"), after.split("\n"), autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            shown += [_line(" ", line) for line in new[k:m]]
        else:
            shown += [_line("-", line) for line in old[i:j]] + [_line("+", line) for line in new[k:m]]
    return "".join(shown)


def _line(sign: str, line: str) -> str:
    return f'<span class="{_MARK[sign]}"><i>{sign}</i>{line}\n</span>'
