"""The values of a step that the report on practice shows, each with its words and its axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from codeself.analysis.practice_curves import Value
from codeself.records.training import CriticStatistics, RatioStatistics, RevisionStatistics


@dataclass(frozen=True)
class Diagnostic:
    """One value of a step's record. key: where it stands there. top, whole, lowest: of the figure's axis.

    sparse: measured in some steps only, so that a step without it is no gap.
    """

    name: str
    heading: str
    caption: str
    label: str
    key: str
    value: Value
    share: bool = False
    top: float = 0.0
    whole: bool = False
    lowest: float | None = None
    sparse: bool = False


def _ratio(value: Callable[[RatioStatistics], float]) -> Value:
    return lambda step: value(step.ratio) if step.ratio else None


def _critic(value: Callable[[CriticStatistics], float | None]) -> Value:
    return lambda step: value(step.critic) if step.critic else None


def _revisions(value: Callable[[RevisionStatistics], float]) -> Value:
    return lambda step: value(step.revisions) if step.revisions else None


CURVES = (
    Diagnostic(
        "pass-rate",
        "Pass rate",
        "Completions of a step that pass every public and hidden test.",
        "pass rate",
        "pass_rate",
        lambda step: step.pass_rate,
        share=True,
        top=1.0,
        whole=True,
    ),
    Diagnostic(
        "reward",
        "Reward",
        "Mean of what was paid in a step, which is not the same thing in every arm: placebos are paid for another.",
        "reward",
        "reward",
        lambda step: step.reward,
        top=1.0,
    ),
)
SAMPLED = (
    Diagnostic(
        "informative",
        "Informative groups",
        "Groups of a step whose outcomes differ, in the arm's eyes: the others teach nothing.",
        "share of groups",
        "informative",
        lambda step: step.informative,
        share=True,
        top=1.0,
        whole=True,
    ),
    Diagnostic(
        "wasted",
        "Wasted completions",
        "Completions of a step that had no part in an update.",
        "share of completions",
        "wasted",
        lambda step: step.wasted / step.completions if step.completions else None,
        share=True,
        top=0.1,
    ),
    Diagnostic(
        "length",
        "Length of completions",
        "Mean over the completions of a step.",
        "tokens",
        "mean_tokens",
        lambda step: step.mean_tokens,
        top=1.0,
    ),
    Diagnostic(
        "truncated",
        "Cut off by the token budget",
        "Completions that ran into it.",
        "share of completions",
        "truncated",
        lambda step: step.truncated,
        share=True,
        top=0.1,
    ),
    Diagnostic(
        "parse-failures",
        "No usable program",
        "Completions that held none.",
        "share of completions",
        "parse_failures",
        lambda step: step.parse_failures,
        share=True,
        top=0.1,
    ),
    Diagnostic(
        "entropy",
        "Entropy",
        "Mean over the tokens that were learned from: near 0 the policy always writes the same.",
        "nats a token",
        "entropy",
        lambda step: step.entropy,
        top=0.1,
    ),
)
UPDATES = (
    Diagnostic(
        "divergence",
        "Divergence within a step",
        "Of the policy at an update from the one that wrote the tokens, k3 estimate.",
        "nats a token",
        "ratio.divergence",
        _ratio(lambda ratio: ratio.divergence),
        top=1e-3,
    ),
    Diagnostic(
        "reference-divergence",
        "Divergence from the base",
        "Mean over the tokens that were learned from, by the estimator of the settings, in the steps that measured it.",
        "nats a token",
        "reference_divergence",
        lambda step: step.reference_divergence,
        top=1e-3,
        sparse=True,
    ),
    Diagnostic(
        "clipped-low",
        "Clipped below",
        "Tokens with a negative advantage whose ratio fell under the lower bound.",
        "share of tokens",
        "ratio.clipped_low",
        _ratio(lambda ratio: ratio.clipped_low),
        share=True,
        top=0.01,
    ),
    Diagnostic(
        "clipped-high",
        "Clipped above",
        "Tokens with a positive advantage whose ratio rose over the upper bound.",
        "share of tokens",
        "ratio.clipped_high",
        _ratio(lambda ratio: ratio.clipped_high),
        share=True,
        top=0.01,
    ),
    Diagnostic(
        "gradient-norm",
        "Gradient norm",
        "Before it is scaled down, mean over a step's updates. Losses of different arms have different scales.",
        "norm",
        "gradient_norm",
        lambda step: step.gradient_norm,
        top=0.01,
    ),
    Diagnostic(
        "loss",
        "Loss",
        "Mean over a step's updates. Arms minimise different things, so heights do not compare between them.",
        "loss",
        "loss",
        lambda step: step.loss,
        top=0.01,
    ),
)
CRITIC = (
    Diagnostic(
        "value-loss",
        "Value loss",
        "Of the value head, before its update.",
        "clipped squared error",
        "critic.loss",
        _critic(lambda critic: critic.loss),
        top=0.01,
    ),
    Diagnostic(
        "explained-variance",
        "Explained variance",
        "Of the returns, by the value head: 1 is all of it, 0 what a constant explains. Below \N{MINUS SIGN}1 it is"
        " out of view.",
        "share",
        "critic.explained_variance",
        _critic(lambda critic: critic.explained_variance),
        top=1.0,
        lowest=-1.0,
    ),
)
REVISIONS = (
    Diagnostic(
        "answers",
        "Answers",
        "Of a sample, the mean over a step: 1 is none revised.",
        "answers",
        "revisions.answers",
        _revisions(lambda revisions: revisions.answers),
        top=2.0,
    ),
    Diagnostic(
        "repaired",
        "Repaired",
        "Revised samples whose last answer passes every public and hidden test.",
        "share of revised samples",
        "revisions.repaired",
        _revisions(lambda revisions: revisions.repaired),
        share=True,
        top=0.1,
    ),
    Diagnostic(
        "unchanged",
        "Revised to the same",
        "Revisions that repeat the answer before.",
        "share of revisions",
        "revisions.unchanged",
        _revisions(lambda revisions: revisions.unchanged),
        share=True,
        top=0.1,
    ),
)
