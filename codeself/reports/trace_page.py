"""All traces on one page: filtered by outcome, read revision by revision. One file that loads nothing.

What policies wrote is data to the page: it is escaped where it is highlighted, and set as text everywhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from codeself.records.traces import Trace
from codeself.reports.highlighting import highlighted_diff
from codeself.reports.page_data import packed
from codeself.reports.pages import render_page

OUTCOMES = ("right", "passes public tests, wrong", "never passes public tests")


def outcome_of(trace: Trace) -> str:
    if trace.right:
        return OUTCOMES[0]
    return OUTCOMES[1] if trace.ended == "passed" else OUTCOMES[2]


def source_of(trace: Trace, place: int) -> str:
    """An answer as the page shows it: the program, or what was written where there is none."""
    step = trace.steps[place]
    return (step.candidate.program or step.completion).rstrip("\n")


def render_traces(title: str, traces: Sequence[Trace]) -> str:
    """The page. Texts that stand in several places are kept once, and all is compressed."""
    return render_page("traces.html.j2", title=title, count=len(traces), data=packed(_data(traces)))


def _data(traces: Sequence[Trace]) -> dict[str, Any]:
    texts: dict[str, int] = {}

    def kept(text: str) -> int:
        return texts.setdefault(text, len(texts))

    rows = []
    for trace in traces:
        steps = []
        for place, step in enumerate(trace.steps):
            before = source_of(trace, place - 1) if place else None
            result = step.public
            steps.append(
                {
                    "diff": kept(highlighted_diff(before, source_of(trace, place))),
                    "prompt": kept(step.prompt),
                    "completion": kept(step.completion),
                    "change": step.change,
                    "parsed": step.candidate.status,
                    "phase": result.phase,
                    "status": result.status,
                    "passed": result.passed,
                    "total": result.total,
                    "shown": kept(result.shown),
                    "said": kept(result.said),
                    "decision": step.decision,
                    "right": step.correct,
                    "written": step.completion_tokens,
                    "read": step.prompt_tokens,
                }
            )
        rows.append(
            {
                "id": trace.trace_id,
                "task": trace.task_id,
                "policy": trace.policy,
                "strategy": trace.strategy,
                "attempt": trace.attempt,
                "outcome": outcome_of(trace),
                "ended": trace.ended,
                "submitted": trace.submitted,
                "tokens": trace.tokens,
                "executions": trace.executions,
                "verdict": f"{trace.verdict.decided_by}, {trace.verdict.status}",
                "steps": steps,
            }
        )
    return {"texts": list(texts), "outcomes": OUTCOMES, "traces": rows}
