"""Parsing programs that somebody else wrote, without the warnings that their authors should have seen."""

from __future__ import annotations

import ast
import warnings


def parse(source: str) -> ast.Module:
    """The syntax tree. Raises SyntaxError or ValueError for what is no program."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)
