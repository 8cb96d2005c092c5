"""Made-up experiments: a base and trained policies with known true rates, as files, for tests of what compares them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from codeself.cli.compare_policies import command as compare
from codeself.cli.evaluate_rollouts import command as evaluate
from codeself.cli.open_locked_tests import command as open_locked_tests
from codeself.cli.plan import command as make_plan
from codeself.records.comparisons import Comparisons
from codeself.records.digests import sha256_file
from codeself.records.files import write_text
from codeself.records.jsonl import dumps, read_record, write_records
from codeself.records.locked_reads import LockedReads
from codeself.records.plan import Plan
from codeself.records.rollouts import Rollout
from codeself.records.tasks import SplitManifest
from codeself.records.verdicts import Phase, Status
from tests.evaluations import MadeUp, made_up, verdict

TOPICS = ("lists", "strings", "numbers")


@dataclass(frozen=True)
class Experiment:
    """Files of an experiment under a folder, as the rules lay them out."""

    folder: Path
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    greedy: bool
    samples: int

    @property
    def policies(self) -> list[str]:
        return ["base", *(f"{arm}-seed{seed}" for arm in self.arms for seed in self.seeds)]

    @property
    def plan(self) -> Path:
        return self.folder / "plan.json"

    def copied(self, folder: Path) -> Experiment:
        """The same experiment in another folder, which is not there yet."""
        return replace(self, folder=shutil.copytree(self.folder, folder))

    def declare(self, **changes: object) -> Plan:
        """Make the plan, and training runs that say they had it."""
        make_plan(
            **{  # type: ignore[arg-type]
                "tasks": self.folder / "tasks.jsonl",
                "splits": self.folder / "splits.json",
                "prompt": self.folder / "prompt.j2",
                "metrics": self.folder / "metrics" / "base" / "dev.json",
                "per_task": self.folder / "metrics" / "base" / "dev.tasks.csv",
                "arm": list(self.arms),
                "train_seed": list(self.seeds),
                "output": self.plan,
                "samples": self.samples,
                "greedy": self.greedy,
                "resamples": 500,
            }
            | changes
        )
        for policy in self.policies[1:]:
            done = self.folder / "training" / policy / "done.json"
            write_text(done, dumps({"plan_sha256": sha256_file(self.plan)}))
        for policy in self.policies:
            self.reads(policy).unlink(missing_ok=True)
            self.open_locked_tests(policy)
        return read_record(self.plan, Plan)

    def reads(self, policy: str) -> Path:
        return self.folder / "locked_reads" / policy / "families.test.json"

    def open_locked_tests(self, policy: str, /, **changes: object) -> LockedReads:
        """Let a policy's answers meet the locked tests of the test split."""
        open_locked_tests(
            **{  # type: ignore[arg-type]
                "tasks": self.folder / "tasks.jsonl",
                "splits": self.folder / "splits.json",
                "policy": policy,
                "rollouts": [self.folder / "parts" / policy / "test.rollouts.jsonl"],
                "plan": self.plan,
                "training": None if policy == "base" else self.folder / "training" / policy / "done.json",
                "output": self.reads(policy),
                "times": self.folder / "times" / policy / "families.test.jsonl",
            }
            | changes
        )
        return read_record(self.reads(policy), LockedReads)

    def arguments(self) -> dict[str, object]:
        parts = {
            name: [self.folder / "parts" / policy / f"test.{name}.jsonl" for policy in self.policies]
            for name in ("rollouts", "verdicts")
        }
        return {
            "plan": self.plan,
            "tasks": self.folder / "tasks.jsonl",
            "training": [self.folder / "training" / name / "done.json" for name in self.policies[1:]],
            "metrics": [self.folder / "metrics" / name / "test.json" for name in self.policies],
            "per_task": [self.folder / "metrics" / name / "test.tasks.csv" for name in self.policies],
            "locked_reads": [self.reads(name) for name in self.policies],
            "output": self.folder / "comparisons.json",
            **parts,
        }

    def compare(self, **changes: object) -> Comparisons:
        compare(**(self.arguments() | changes))  # type: ignore[arg-type]
        return read_record(self.folder / "comparisons.json", Comparisons)


def experiment(
    folder: Path,
    gains: Mapping[str, float],
    *,
    seeds: Sequence[int] = (0,),
    families: int = 20,
    variants: int = 3,
    samples: int = 8,
    greedy: bool = True,
    locked: bool = True,
    seed: int = 0,
) -> Experiment:
    """gains: for each arm, how much its true rates rise above the base's, in log-odds."""
    made = made_up(
        seed=seed,
        families=families,
        variants=variants,
        samples=samples,
        greedy=greedy,
        locked=locked,
        right=0.25,
    )
    names = list(dict.fromkeys(task.family for task in made.tasks))
    topics = {name: TOPICS[place % len(TOPICS)] for place, name in enumerate(names)}
    tasks = [task.model_copy(update={"metadata": {"topic": topics[task.family]}}) for task in made.tasks]
    dev = set(names[: max(2, families // 5)])
    write_records(folder / "tasks.jsonl", tasks)
    write_text(folder / "prompt.j2", "{{ task.prompt }}")
    ids = {
        "train": (),
        "dev": tuple(t.task_id for t in tasks if t.family in dev),
        "test": tuple(t.task_id for t in tasks if t.family not in dev),
    }
    manifest = SplitManifest(
        taskset="families",
        tasks_sha256=sha256_file(folder / "tasks.jsonl"),
        seed=0,
        fractions={"train": 0.0, "dev": 0.2, "test": 0.8},
        families={
            "train": (),
            "dev": tuple(n for n in names if n in dev),
            "test": tuple(n for n in names if n not in dev),
        },
        task_ids=ids,
    )
    write_records(folder / "splits.json", [manifest])
    found = Experiment(folder, tuple(gains), tuple(seeds), greedy, samples)
    for number, policy in enumerate(found.policies):
        arm = policy.rpartition("-seed")[0]
        _write_policy(found, made, policy, gains.get(arm, 0.0), seed * 1000 + number, ids, locked)
    return found


def _write_policy(
    found: Experiment,
    made: MadeUp,
    policy: str,
    gain: float,
    seed: int,
    ids: Mapping[str, Sequence[str]],
    locked: bool,
) -> None:
    rng = np.random.default_rng(seed)
    for split in ("dev", "test") if policy == "base" else ("test",):
        chosen = [rollout for rollout in made.rollouts if rollout.task_id in set(ids[split])]
        rollouts = [
            rollout.model_copy(update={"policy": policy, "rollout_id": f"{policy}/{rollout.rollout_id}"})
            for rollout in chosen
        ]
        verdicts = [
            verdict(rollout, *_ending(rng, made.rates[rollout.task_id], gain, rollout), locked=locked)
            for rollout in rollouts
        ]
        folder = found.folder / "parts" / policy
        write_records(folder / f"{split}.rollouts.jsonl", rollouts)
        write_records(folder / f"{split}.verdicts.jsonl", verdicts)
        evaluate(
            tasks=found.folder / "tasks.jsonl",
            rollouts=[folder / f"{split}.rollouts.jsonl"],
            verdicts=[folder / f"{split}.verdicts.jsonl"],
            splits=found.folder / "splits.json",
            split=split,
            resamples=200,
            output=found.folder / "metrics" / policy / f"{split}.json",
            per_task=found.folder / "metrics" / policy / f"{split}.tasks.csv",
        )


def _ending(rng: np.random.Generator, rate: float, gain: float, rollout: Rollout) -> tuple[Phase, Status]:
    better = 1 / (1 + np.exp(-(np.log(rate / (1 - rate)) + gain)))
    likely = better + 0.12 if rollout.decoding == "greedy" else better
    if rng.random() < likely:
        return "hidden", "passed"
    endings: list[tuple[Phase, Status]] = [
        ("parse", "failed"),
        ("syntax", "error"),
        ("import", "error"),
        ("public", "failed"),
        ("public", "error"),
        ("public", "timeout"),
        ("hidden", "failed"),
    ]
    # An arm that got better also writes fewer answers that are no program.
    parse = min(0.9, 0.2 * np.exp(-gain))
    rest = np.array([0.05, 0.02, 0.4, 0.15, 0.03, 0.15])
    return endings[rng.choice(len(endings), p=[parse, *(1 - parse) * rest / rest.sum()])]
