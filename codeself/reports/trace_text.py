"""One trace as Markdown, for a reader of plain files and, through rich, for a terminal."""

from __future__ import annotations

from codeself.records.traces import Trace
from codeself.reports.numbers import count
from codeself.reports.trace_page import outcome_of, source_of


def render_trace(trace: Trace) -> str:
    """Answer by answer: the program or what changed in it, what the public tests said, what was decided."""
    parts = [
        f"# {trace.trace_id}",
        f"Policy `{trace.policy}` ({trace.identity.source}), {trace.strategy}, attempt {trace.attempt}:"
        f" **{outcome_of(trace)}**. Ended by {trace.ended}; answer {trace.submitted + 1} of {len(trace.steps)} was"
        f" submitted. {count(trace.tokens, 'token')} written, {count(trace.prompt_tokens)} read,"
        f" {count(trace.executions, 'run')} of the public tests.",
    ]
    for place, step in enumerate(trace.steps):
        result = step.public
        parts += [f"## Answer {place + 1}: {step.change}"]
        if step.change == "unchanged":
            parts.append("As the one before.")
        elif step.diff:
            parts.append(_block("diff", step.diff))
        else:
            parts.append(_block("python" if step.candidate.program else "", source_of(trace, place)))
        said = [f"Public tests: {result.passed} of {result.total} passed ({result.phase}, {result.status})."]
        if result.shown:
            said.append(f"Failing: {_code(result.shown)}.")
        if result.said:
            said.append(f"What happened: {_code(result.said)}.")
        parts.append(" ".join(said))
        parts.append(f"Decision: {step.decision}. Later found {'right' if step.correct else 'wrong'}.")
    verdict = trace.verdict
    parts.append(f"## Verdict\n\nThe submission ended at {verdict.decided_by}: {verdict.status}.")
    return "\n\n".join(parts) + "\n"


def _block(language: str, text: str) -> str:
    """A fenced block that the text cannot end."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"


def _code(text: str) -> str:
    mark = "`"
    while mark in text:
        mark += "`"
    space = " " if "`" in text else ""
    return f"{mark}{space}{' '.join(text.split())}{space}{mark}"
