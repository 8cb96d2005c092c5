"""Tiers generate and train: what a policy does once more, and whether its numbers stay inside the recorded intervals.

Another processor, another number of threads or another format of numbers rounds otherwise, and one token more or less
changes a completion. What was made again is then not the same bytes, and the claim is about the numbers: new
completions are judged, new verdicts evaluated, and each new estimate compared with the recorded one's own interval.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

from codeself.provenance.claims import Claim
from codeself.provenance.recomputing import Workspace, jobs_of_tier
from codeself.records.manifest import Job
from codeself.records.verification import State

DrawnTier = Literal["generate", "train"]
Track = Callable[[Sequence[Job], str], Iterable[Job]]

# Commands that lead from what is made again to numbers.
_LEADING: dict[DrawnTier, tuple[str, ...]] = {
    "generate": (
        *("open-locked-tests", "execute-rollouts", "evaluate-rollouts", "compare-policies"),
        "report-agentic",
    ),
    "train": (
        *("run-rollouts", "open-locked-tests", "execute-rollouts", "evaluate-rollouts"),
        "compare-policies",
    ),
}


def check_within(
    workspace: Workspace, jobs: Sequence[Job], tier: DrawnTier, sample: int | None, track: Track
) -> Iterator[Claim]:
    """A claim for each file that is made again, and one for each number that follows from those that differ.

    jobs: of the whole graph. sample: so many jobs of the tier, drawn the same way each time; what is not made again
    stays as it is recorded.
    """
    chosen = _drawn(jobs_of_tier(jobs, tier), sample)
    differing: list[tuple[Job, Claim]] = []
    for job in track(chosen, tier):
        claims = list(workspace.make(job, tier))
        differing += [(job, claim) for claim in claims if claim.state == "different"]
        yield from (claim for claim in claims if claim.state != "different")
    if not differing:
        return
    follow = follow_up(jobs, [claim.subject for _, claim in differing], _LEADING[tier])
    numbers: dict[str, list[Claim]] = {}
    failed: list[Claim] = []
    for job in track(follow, f"{tier}: numbers"):
        unchecked = [claim for claim in workspace.make(job, tier) if claim.state == "unchecked"]
        failed += unchecked
        if unchecked:
            break
        for output in job.outputs:
            if output.endswith(".json") and workspace.recorded(output).is_file():
                numbers[output] = list(_numbers(workspace, output, tier))
                yield from numbers[output]
    yield from failed
    for job, claim in differing:
        reached = {
            output for after in follow_up(jobs, job.outputs, _LEADING[tier]) for output in after.outputs
        }
        own = [number for output in numbers if output in reached for number in numbers[output]]
        yield _settled(claim, own, bool(failed))
    for job in (*chosen, *follow):
        workspace.put_back(job)


def _drawn(jobs: list[Job], sample: int | None) -> list[Job]:
    if sample is None or sample >= len(jobs):
        return jobs
    return [jobs[at] for at in sorted(random.Random(0).sample(range(len(jobs)), sample))]


def follow_up(jobs: Sequence[Job], changed: Iterable[str], commands: Sequence[str]) -> list[Job]:
    """The jobs of these commands that follow from changed files, each after those that it follows from."""
    reached, affected = set(changed), list[Job]()
    left = [job for job in jobs if job.command[1] in commands]
    while new := [job for job in left if reached & set(job.inputs)]:
        affected += new
        reached.update(output for job in new for output in job.outputs)
        left = [job for job in left if job not in new]
    ordered: list[Job] = []
    while affected:
        pending = {output for job in affected for output in job.outputs}
        ready = [job for job in affected if not pending & set(job.inputs)]
        ordered += ready
        affected = [job for job in affected if job not in ready]
    return ordered


def _numbers(workspace: Workspace, path: str, tier: DrawnTier) -> Iterator[Claim]:
    try:
        was, now = (
            json.loads(file.read_bytes()) for file in (workspace.recorded(path), workspace.made(path))
        )
    except (ValueError, RecursionError) as error:
        yield Claim(tier, path, "different", f"cannot be read: {error}")
        return
    for place, value, low, high in estimates(was):
        again = _at(now, place)
        subject = f"{path}: {'.'.join(map(str, place))}"
        state, words = settle(value, low, high, again)
        yield Claim(tier, subject, state, words)


def settle(value: float, low: float, high: float, again: Any) -> tuple[State, str]:
    """What is to be said of a number that is `again` now, and was value in low to high."""
    was = f"was {value:.6g} in {low:.6g} to {high:.6g}"
    if not isinstance(again, int | float):
        return "different", f"is gone, and {was}"
    if again == value:
        return "exact", ""
    inside = low <= again <= high
    return ("within interval" if inside else "different"), f"is {again:.6g}, and {was}"


Place = tuple[str | int, ...]


def estimates(data: Any, place: Place = ()) -> Iterator[tuple[Place, float, float, float]]:
    """Every number that has an interval: the place of its value, the value, and the interval's ends."""
    if isinstance(data, dict):
        found = [data.get(key) for key in ("value", "low", "high")]
        if all(isinstance(each, int | float) for each in found):
            yield ((*place, "value"), *found)  # type: ignore[misc]
        for key, inner in data.items():
            yield from estimates(inner, (*place, key))
    elif isinstance(data, list):
        for at, inner in enumerate(data):
            yield from estimates(inner, (*place, at))


def _at(data: Any, place: Place) -> Any:
    for key in place:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _settled(claim: Claim, numbers: Sequence[Claim], failed: bool) -> Claim:
    """A file that is not the same bytes, by the numbers that follow from it."""
    if outside := [number for number in numbers if not number.holds]:
        more = f"{len(outside)} of {len(numbers)} numbers that follow leave their intervals, as {outside[0].subject}"
        return Claim(claim.tier, claim.subject, "different", f"{claim.place}; {more}")
    if failed or not numbers:
        why = "the numbers that follow could not be made" if failed else "no number follows from it"
        return Claim(claim.tier, claim.subject, "different", f"{claim.place}; {why}")
    kept = f"the {len(numbers)} numbers that follow stay inside their intervals"
    return Claim(claim.tier, claim.subject, "within interval", f"{claim.place}; {kept}")
