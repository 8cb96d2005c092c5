"""Tier statistics, third part: what training left behind, as far as it can be told without training again.

Rows of steps follow from rows of samples, totals from rows of steps, and records name each other by their digests.
What an update computed (loss, norms, entropy, ratios) follows from weights alone: tier train.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from codeself.provenance.claims import Claim, difference
from codeself.records.config import Config
from codeself.records.jsonl import read_record, read_records
from codeself.records.manifest import Manifest
from codeself.records.rollouts import Rollout
from codeself.records.training import PracticeSample, StepRecord, TrainingRecord

_CORRECTNESS = "reward_v0_correctness"
_PLACEBOS = {"random-reward", "format-reward"}


def check_training(record: Path, manifest: Manifest, config: Config) -> Iterator[Claim]:
    """A claim for each run's rows of steps, its totals, and what its samples were paid, where files are there."""
    digests = {each.path: each.sha256 for each in manifest.artifacts}
    for path in digests:
        if not (path.endswith("/done.json") and (record / path).is_file()):
            continue
        folder = path.removesuffix("/done.json")
        done = read_record(record / path, TrainingRecord)
        said = {"policy": done.policy_sha256, "plan": done.plan_sha256}
        found = {"policy": digests.get(f"{folder}/policy/model.json"), "plan": manifest.plan_sha256}
        yield _same(f"{path}, digests", said, found)
        if not all((record / folder / name).is_file() for name in ("metrics.jsonl", "samples.jsonl")):
            continue
        steps = read_records(record / folder / "metrics.jsonl", StepRecord)
        samples = read_records(record / folder / "samples.jsonl", PracticeSample)
        yield _same(f"{path}, totals", _said_totals(done), _totals(steps, samples))
        yield _same(
            f"{folder}/metrics.jsonl, rates",
            [_said_rates(step) for step in steps],
            [_rates(step.step, [each for each in samples if each.step == step.step]) for step in steps],
        )
        if config.reward == _CORRECTNESS and done.arm not in _PLACEBOS:
            paid = [each for each in samples if each.reward is not None]
            rewards = [each.reward for each in paid]
            yield _same(f"{folder}/samples.jsonl, reward", rewards, [float(each.correct) for each in paid])


def check_identities(record: Path, manifest: Manifest) -> Iterator[Claim]:
    """A claim for each file of rollouts: the weights that wrote them are those of the policy that they name."""
    weights = {
        "base" if manifest.inside(path).startswith("models/") else manifest.inside(path).split("/")[1]: model
        for path, model in manifest.models.items()
    }
    for each in manifest.artifacts:
        part, policy, *_ = (*manifest.inside(each.path).split("/"), "")
        if part == "rollouts" and policy in weights and (record / each.path).is_file():
            digests = sorted({row.identity.digest for row in read_records(record / each.path, Rollout)})
            yield _same(f"{each.path}, identity.digest", digests, [weights[policy].weights_sha256])


def _said_totals(done: TrainingRecord) -> dict[str, int]:
    return {
        key: getattr(done, key) for key in ("steps", "samples", "wasted", "sampled_tokens", "learned_tokens")
    }


def _totals(steps: Sequence[StepRecord], samples: Sequence[PracticeSample]) -> dict[str, int]:
    return {
        "steps": len(steps),
        "samples": len(samples),
        "wasted": sum(step.wasted for step in steps),
        "sampled_tokens": sum(step.sampled_tokens for step in steps),
        "learned_tokens": sum(step.learned_tokens for step in steps),
    }


def _said_rates(step: StepRecord) -> dict[str, Any]:
    keys = ("step", "completions", "reward", "reward_deviation", "pass_rate")
    return {key: getattr(step, key) for key in (*keys, "parse_failures", "truncated", "endings")}


def _rates(step: int, samples: Sequence[PracticeSample]) -> dict[str, Any]:
    paid = [each.reward for each in samples if each.reward is not None]
    endings = Counter(f"{each.decided_by}: {each.status}" for each in samples)
    return {
        "step": step,
        "completions": len(samples),
        "reward": _mean(paid),
        "reward_deviation": float(np.std(paid)) if paid else None,
        "pass_rate": _mean([each.correct for each in samples if each.reward is not None]),
        "parse_failures": _mean([each.parsed != "parsed" for each in samples]),
        "truncated": _mean([each.finish_reason == "length" for each in samples]),
        "endings": dict(sorted(endings.items())),
    }


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _same(subject: str, was: Any, now: Any) -> Claim:
    found = difference(was, now)
    return Claim("statistics", subject, "different" if found else "exact", found)
