"""What a report holds, before it is Markdown or HTML."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Table:
    """numbers: for each column, whether it is set flush right."""

    header: list[str]
    rows: list[list[str]]
    numbers: list[bool]
    caption: str = ""


@dataclass(frozen=True)
class Drawn:
    """A figure. path: of its file, relative to the Markdown report."""

    name: str
    heading: str
    caption: str
    svg: str
    path: str
    wide: bool = False


@dataclass(frozen=True)
class Part:
    """A heading with its text, tables and figures."""

    heading: str
    paragraphs: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    figures: list[Drawn] = field(default_factory=list)


@dataclass(frozen=True)
class Evaluation:
    """One policy on one split of one task set."""

    anchor: str
    name: str
    measured: list[str]
    parts: list[Part]


@dataclass(frozen=True)
class Report:
    """Everything that a report shows."""

    title: str
    abstract: list[str]
    summary: Table
    evaluations: list[Evaluation]
    tasksets: list[Part]
    inputs: Table

    @property
    def figures(self) -> list[Drawn]:
        return [drawn for each in self.evaluations for part in each.parts for drawn in part.figures]
