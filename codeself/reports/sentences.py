"""The report's sentences. Each that states a number is made here, from the metrics, and nowhere else.

Backticks mark names; the page turns them into code.
"""

from __future__ import annotations

from codeself.records.metrics import Estimate, Metrics, PassAtK
from codeself.reports.counting import phase_counts
from codeself.reports.numbers import count, decimal, level, listed, percent, points, share_of, with_interval

_REASONS = {
    "empty": "empty",
    "no_code": "prose alone",
    "no_entry_point": "code without the entry point",
    "truncated": "cut off by the token budget",
    "invalid_syntax": "not valid Python",
}
_METHODS = {
    "bca-family": "a BCa bootstrap that resamples whole families",
    "wilson": "Wilson's score interval",
    "wilson-effective": "Wilson's score interval at the effective number of tasks, as families repeat them",
    "wilson-family": "Wilson's score interval with families in place of trials, since all families agree",
}


def measured(metrics: Metrics) -> list[str]:
    """What was asked of whom, and how answers were judged."""
    how = metrics.sampling
    answers = []
    if how.greedy:
        answers.append("one greedy answer")
    if how.samples:
        answers.append(
            f"{count(how.samples, 'sample')} at temperature {how.temperature:g} (`top_p` {how.top_p:g})"
        )
    where = f"the {metrics.split} split of" if metrics.split else "from"
    reached = listed([f"`{level}` ({count(number)})" for level, number in metrics.isolation.items()])
    locked = metrics.outcome("locked")
    sentences = [
        f"Policy `{metrics.policy}` ({metrics.identity.backend}, `{metrics.identity.source}`) answered"
        f" {count(metrics.tasks, 'task')} in {count(metrics.families, 'family', 'families')}, {where} task"
        f" set `{metrics.taskset}`: {listed(answers)} for each, {count(metrics.completions, 'completion')}"
        f" in all, of at most {count(how.max_new_tokens, 'token')}, to the {how.prompt_style} prompt"
        f" `{how.prompt_name}`.",
        f"Candidates by the isolation reached when they were judged: {reached}.",
    ]
    if metrics.headline == "locked":
        sentences.append(
            "Rates are by the locked tests, which no prompt and no reward has seen, unless hidden ones are"
            " named."
        )
    elif locked:
        sentences.append(
            f"Rates are by the hidden tests; {count(locked.tasks, 'task')} also have locked tests, shown"
            " beside them."
        )
    else:
        sentences.append("Rates are by the hidden tests: no task was judged by locked ones.")
    if metrics.infrastructure:
        sentences.append(
            "A fault of the judge or the machine left"
            f" {share_of(metrics.infrastructure, metrics.completions)} completions without a result; they"
            " are in no rate."
        )
    else:
        sentences.append("Every completion got a result: no fault of the judge or the machine.")
    return sentences


def headline(metrics: Metrics) -> str:
    """The evaluation in one sentence."""
    main = metrics.main
    parts = []
    if main.greedy:
        parts.append(f"{with_interval(main.greedy)} of tasks with its greedy answer")
    if main.pass_at_k:
        first = main.pass_at_k[0]
        parts.append(f"{with_interval(first.estimate)} {_tries(first)}")
    if len(main.pass_at_k) > 1:
        last = main.pass_at_k[-1]
        parts.append(f"{with_interval(last.estimate)} {_tries(last)}")
    split = f", {metrics.split} split" if metrics.split else ""
    return (
        f"On `{metrics.taskset}`{split} ({count(main.tasks, 'task')},"
        f" {count(main.families, 'family', 'families')}), `{metrics.policy}` solves {listed(parts)}"
        f" ({main.tests} tests, {level(metrics.confidence)} intervals)."
    )


def results(metrics: Metrics) -> list[str]:
    """How the intervals were made, and what hidden and locked tests say of each other."""
    made: dict[str, dict[str, None]] = {}
    for name, estimate in _estimates(metrics):
        made.setdefault(estimate.method, {})[name] = None
    ways = [f"for {listed(list(names))} by {_METHODS.get(method, method)}" for method, names in made.items()]
    sentences = [f"Intervals have level {level(metrics.confidence)} and are made {'; '.join(ways)}."]
    if "bca-family" in made:
        sentences.append(f"The bootstrap has {count(metrics.resamples, 'replicate')}.")
    hidden, locked = metrics.outcome("hidden"), metrics.outcome("locked")
    if hidden and locked and hidden.tasks == locked.tasks and hidden.pass_at_k and locked.pass_at_k:
        gap = hidden.pass_at_k[0].estimate.value - locked.pass_at_k[0].estimate.value
        sentences.append(
            f"By the locked tests pass@{hidden.pass_at_k[0].k} is {points(gap)} lower than by the hidden"
            " ones: answers that the hidden tests accept and the locked ones do not."
            if gap > 0
            else f"Locked and hidden tests agree on pass@{hidden.pass_at_k[0].k}."
        )
    return sentences


def phases(metrics: Metrics) -> list[str]:
    """Where candidates ended."""
    table, total = phase_counts(metrics)
    passed = total - sum(sum(ended.values()) for _, ended in table)
    who = "sampled" if metrics.sampling.samples else "greedy"
    endings = [
        (number, phase, status) for phase, ended in table for status, number in ended.items() if number
    ]
    endings.sort(key=lambda ending: (-ending[0], ending[1], ending[2]))
    sentences = [f"{share_of(passed, total)} {who} candidates pass every phase they were judged by."]
    if endings:
        most = [f"{phase} {status} ({percent(number / total)})" for number, phase, status in endings[:3]]
        sentences.append(f"Most others end as {listed(most)}.")
    if "public" in dict(table) and total:
        sentences.append(
            f"Of all {count(metrics.completions, 'completion')}, {count(metrics.passed_public_only)}"
            f" ({percent(metrics.passed_public_only / metrics.completions)}) pass the public tests that the"
            " prompt may show and fail a hidden one."
        )
    if metrics.scan_findings:
        found = [f"`{rule}` {count(number)}" for rule, number in metrics.scan_findings.items()]
        sentences.append(f"The static scan noted {listed(found)}.")
    return sentences


def parsing(metrics: Metrics) -> str:
    """How many completions held no program, and why."""
    failures = metrics.parse_failures
    whole = sum(failures.reasons.values())
    graded = metrics.completions - metrics.infrastructure
    if not whole:
        return f"All {count(graded, 'completion')} held a program."
    reasons = sorted(failures.reasons.items(), key=lambda item: (-item[1], item[0]))
    named = listed([f"{_REASONS.get(reason, reason)} ({count(number)})" for reason, number in reasons])
    return (
        f"{share_of(whole, graded)} completions held no usable program: {named}. As a mean over tasks that"
        f" is {with_interval(failures.rate)}."
    )


def groups(metrics: Metrics) -> str:
    """How many prompts would teach something in one step of practice."""
    estimate = metrics.main.informative_groups
    if estimate is None:
        return "No samples were drawn, so there are no groups."
    size = metrics.sampling.samples
    return (
        f"{with_interval(estimate)} of the groups of {count(size, 'sample')} are informative: they hold"
        " right and wrong answers both, judged on the binary outcome. The rest would teach a"
        " group-relative method nothing."
    )


def lengths(metrics: Metrics) -> str:
    """How long completions are, and how many ran out of budget."""
    found = metrics.lengths
    return (
        f"A completion has {decimal(found.mean)} tokens on average (median {found.median:g}, 90th"
        f" percentile {found.p90:g}, longest {found.longest});"
        f" {share_of(found.truncated, found.completions)} ran into the budget of"
        f" {count(metrics.sampling.max_new_tokens, 'token')}."
    )


def reward(metrics: Metrics) -> str:
    """What practice would be paid."""
    paid = metrics.reward
    return (
        f"`{paid.name}` pays {count(paid.candidates, 'candidate')} {decimal(paid.mean, 3)} on average"
        f" (standard deviation {decimal(paid.sd, 3)})."
    )


def _tries(point: PassAtK) -> str:
    return "with one sample (pass@1)" if point.k == 1 else f"within {point.k} samples (pass@{point.k})"


def _estimates(metrics: Metrics) -> list[tuple[str, Estimate]]:
    own = []
    for outcome in metrics.outcomes:
        if outcome.greedy:
            own.append(("greedy rates", outcome.greedy))
        own += [("pass@k", point.estimate) for point in outcome.pass_at_k]
        if outcome.informative_groups:
            own.append(("informative groups", outcome.informative_groups))
    return [*own, ("parse failures", metrics.parse_failures.rate)]
