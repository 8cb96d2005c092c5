"""The page of what practice cost on one machine. It stands outside the record, as its numbers differ run by run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from codeself.analysis.practice_costs import costs, seconds_until
from codeself.analysis.practice_curves import Run, first_reached
from codeself.records.training import StepTiming
from codeself.reports.content import Evaluation, Part, Report, Table
from codeself.reports.numbers import DASH, count, decimal
from codeself.reports.training import NOT_REACHED, rate_headers

METHODS = "training_costs_methods.txt"


def compose_costs(
    title: str,
    arms: Mapping[str, Sequence[Run]],
    timings: Mapping[str, Sequence[StepTiming]],
    rates: Sequence[float],
    window: int,
    inputs: Sequence[tuple[str, str]],
) -> Report:
    """The content of the page. timings: of each run by its name. The rest as in the report on practice."""
    runs = [run for own in arms.values() for run in own]
    stages, speeds, reached = [], [], []
    for run in runs:
        own = timings[run.name]
        found = costs(run.steps, own)
        stages.append(
            [
                f"`{run.name}`",
                *(
                    decimal(part / found.steps, 2)
                    for part in (found.sampling, found.judging, found.updating, found.total)
                ),
                decimal(found.first, 2),
                DASH if found.median_later is None else decimal(found.median_later, 2),
            ]
        )
        speeds.append(
            [
                f"`{run.name}`",
                count(found.steps),
                decimal(found.total),
                *(
                    DASH if rate is None else decimal(rate, 0)
                    for rate in (found.sampled_per_second, found.learned_per_second)
                ),
                decimal(found.peak_memory_mb, 0),
            ]
        )
        places = [first_reached(run.steps, rate, window) for rate in rates]
        reached.append(
            [
                f"`{run.name}`",
                *(decimal(seconds_until(own, at.step)) if at else NOT_REACHED for at in places),
            ]
        )
    return Report(
        title=title,
        abstract=[
            "What the training runs cost on the machine that made them. These are facts about that machine and"
            " that day; the report on practice, which is the same bytes each time, does without them."
        ],
        summary=Table(
            [
                "run",
                "steps",
                "seconds in all",
                "sampled tokens a second",
                "learned tokens a second",
                "peak memory, MB",
            ],
            speeds,
            [False] + [True] * 5,
            "By `steps.jsonl` of each run, with the tokens of its `metrics.jsonl`.",
        ),
        evaluations=[
            Evaluation(
                anchor="seconds",
                name="Seconds",
                measured=["From `steps.jsonl` of each run."],
                parts=[
                    Part(
                        "A step, by stage",
                        [],
                        [
                            Table(
                                [
                                    "run",
                                    "sampling",
                                    "judging",
                                    "updating",
                                    "whole step",
                                    "first step",
                                    "median of the others",
                                ],
                                stages,
                                [False] + [True] * 6,
                                "Mean seconds a step; then the first step, which warms up, and the others' median.",
                            )
                        ],
                    ),
                    Part(
                        "To a pass rate",
                        [],
                        [
                            Table(
                                ["run", *rate_headers(rates)],
                                reached,
                                [False] + [True] * len(rates),
                                f"Seconds to the end of the first step whose pass rate, over it and up to"
                                f" {count(window - 1, 'step')} before, comes to the one given.",
                            )
                        ],
                    ),
                ],
            )
        ],
        tasksets=[],
        inputs=Table(
            ["file", "sha256"], [[f"`{name}`", f"`{digest}`"] for name, digest in inputs], [False, False]
        ),
    )
