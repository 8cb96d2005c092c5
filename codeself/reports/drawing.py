"""How figures are drawn: one palette, and SVG that is the same bytes each time and follows the reader's
scheme.

Figures are drawn in stand-in colours. In the SVG each becomes a CSS variable, so that a page can show the
same figure on light and on dark ground; a file of its own carries both sets of values.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from codeself.reports.content import Drawn
from codeself.reports.palette import PALETTE, palette_css

INK, MUTED, GRID = (PALETTE[role][0] for role in ("ink", "muted", "grid"))
SAMPLED, GREEDY, HIDDEN, PLAIN = (PALETTE[role][0] for role in ("sampled", "greedy", "hidden", "plain"))
FAILED, ERROR, STOPPED = (PALETTE[role][0] for role in ("failed", "error", "stopped"))

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@contextmanager
def drawing() -> Iterator[None]:
    """The settings under which every figure is drawn and saved."""
    settings: dict[Any, Any] = {
        "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and scaled
        "svg.hashsalt": "codeself",
        "font.family": "DejaVu Sans",
        "font.size": 9.0,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": MUTED,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": GRID,
        "grid.linewidth": 0.8,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.major.size": 3.0,
        "ytick.major.size": 0.0,
        "legend.frameon": False,
        "legend.fontsize": 8.5,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
    }
    with matplotlib.rc_context(settings):
        yield


def svg(figure: Figure, name: str, description: str) -> str:
    """The figure as an SVG element, for a page that defines the palette's variables.

    name: makes the ids inside unique in a page of several figures. description: what it shows, read aloud.
    """
    buffer = io.StringIO()
    # Every default entry is switched off: they hold the date and the library's version.
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(xlink:href="|url\()#', rf"\1#{name}-", text)
    text = re.sub(r"font-family: [^;\"]*|'DejaVu Sans'[^;\"]*", lambda m: _font(m.group()), text)
    text = text.replace('<style type="text/css">*{', '<style type="text/css">svg *{')
    for role, (stand_in, _) in PALETTE.items():
        text = text.replace(stand_in, f"var(--{role})")
    head = re.match(r"<svg[^>]*>", text)
    assert head is not None
    box = re.search(r'viewBox="[^"]*"', head.group())
    assert box is not None
    width = float(box.group().split()[2]) * 4 / 3  # points to CSS pixels
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {box.group()}'
        f' role="img" aria-label="{_attribute(description)}" style="width:100%;max-width:{width:.0f}px">'
        + text[head.end() :].strip()
        + "\n"
    )


class Drawer:
    """Makes what a report shows of a figure.

    folder: of figure files, as the Markdown report refers to it. prefix: of names, where a report has several parts.
    """

    def __init__(self, folder: str, prefix: str = "") -> None:
        self._folder = folder
        self._prefix = prefix

    def __call__(self, kind: str, figure: Figure, heading: str, caption: str, wide: bool = False) -> Drawn:
        name = self._prefix + kind.replace(" ", "-")
        element = svg(figure, name, f"{heading}. {caption}".replace("`", ""))
        return Drawn(name, heading, caption, element, f"{self._folder}/{name}.svg", wide)


def standalone(element: str) -> str:
    """The same SVG as a file of its own, with its palette for both schemes."""
    light, dark = palette_css()
    style = f"<style>svg{{{light}}}@media (prefers-color-scheme: dark){{svg{{{dark}}}}}</style>"
    head = re.match(r"<svg[^>]*>", element)
    assert head is not None
    return f'<?xml version="1.0" encoding="utf-8"?>\n{head.group()}\n{style}{element[head.end() :]}'


def _font(match: str) -> str:
    return f"font-family: {FONT}" if match.startswith("font-family") else FONT


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
