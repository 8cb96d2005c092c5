"""Pages from content: Markdown, and HTML that is one file and loads nothing."""

from __future__ import annotations

import re
from html import escape
from importlib.resources import files

import jinja2
from markupsafe import Markup

from codeself.reports.content import Report
from codeself.reports.index import ReportIndex
from codeself.reports.palette import palette_css


def render_html(report: Report, methods: str = "methods.txt") -> str:
    """One self-contained page: style and figures are inside, nothing is loaded from elsewhere.

    methods: the template that says how the numbers were made.
    """
    page = _environment(html=True).get_template("baseline.html.j2")
    return page.render(report=report, css=_css(), methods=_methods(methods)) + "\n"


def render_index(index: ReportIndex) -> str:
    """The index as a page of links."""
    return render_page("index.html.j2", index=index)


def render_page(template: str, **content: object) -> str:
    """Any other page in the reports' style, from its template; what is no markup is escaped."""
    return _environment(html=True).get_template(template).render(css=_css(), **content) + "\n"


def render_markdown(report: Report, methods: str = "methods.txt") -> str:
    """The same report for readers of plain files; figures are beside it."""
    page = _environment(html=False).get_template("baseline.md.j2")
    text = page.render(report=report, methods=_methods(methods))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _css() -> Markup:
    light, dark = palette_css()
    template = _environment(html=False).get_template("style.css")
    return Markup(template.render(light=light, dark=dark))


def _methods(name: str) -> list[str]:
    return [paragraph.strip() for paragraph in _template(name).split("\n\n") if paragraph.strip()]


def _template(name: str) -> str:
    return (files("codeself.reports") / "templates" / name).read_text("utf-8")


def _environment(*, html: bool) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=html,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=False,
    )
    environment.filters["code"] = _code
    environment.filters["number"] = _number
    environment.filters["cell"] = lambda text: text.replace("|", "\\|")
    return environment


def _code(text: str) -> Markup:
    """Escaped text in which backticks are code."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text, quote=False)))


def _number(text: str) -> Markup:
    """A cell of a number column: an interval in brackets goes on a line of its own."""
    return Markup(re.sub(r" \(([^()]*)\)$", r'<br><span class="interval">\1</span>', str(_code(text))))
