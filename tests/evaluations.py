"""Made-up evaluations, for tests of what comes after the judge: realistic in shape, invented in content."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codeself.records.jsonl import write_records
from codeself.records.rollouts import PolicyIdentity, Rollout
from codeself.records.tasks import CallTest, SplitManifest, Task
from codeself.records.verdicts import (
    PHASES,
    Candidate,
    ParseStatus,
    Phase,
    PhaseResult,
    Status,
    Verdict,
)


@dataclass(frozen=True)
class MadeUp:
    """Records of one evaluation, and each task's true rate."""

    tasks: list[Task]
    rollouts: list[Rollout]
    verdicts: list[Verdict]
    splits: SplitManifest
    rates: dict[str, float]

    def write(self, folder: Path, shards: int = 2) -> dict[str, list[str]]:
        """Write the files, and return the command line's input flags for them."""
        folder.mkdir(parents=True, exist_ok=True)
        write_records(folder / "tasks.jsonl", self.tasks)
        write_records(folder / "splits.json", [self.splits])
        flags = {
            "tasks": [f"--tasks={folder / 'tasks.jsonl'}"],
            "splits": [f"--splits={folder / 'splits.json'}", "--split=test"],
            "rollouts": [],
            "verdicts": [],
        }
        for shard in range(shards):
            write_records(folder / f"rollouts.{shard}.jsonl", self.rollouts[shard::shards])
            write_records(folder / f"verdicts.{shard}.jsonl", self.verdicts[shard::shards])
            flags["rollouts"].append(f"--rollouts={folder / f'rollouts.{shard}.jsonl'}")
            flags["verdicts"].append(f"--verdicts={folder / f'verdicts.{shard}.jsonl'}")
        return flags


def made_up(
    *,
    seed: int = 0,
    families: int = 12,
    variants: int = 4,
    samples: int = 8,
    greedy: bool = True,
    right: float = 0.25,
    locked: bool = True,
    taskset: str = "families",
) -> MadeUp:
    """Families whose difficulty differs, tasks that differ a little within them, and a mix of failures."""
    rng = np.random.default_rng(seed)
    tasks, rollouts, verdicts, rates = [], [], [], {}
    for family in range(families):
        name = FAMILIES[family % len(FAMILIES)] + ("" if family < len(FAMILIES) else f"_{family}")
        ease = rng.normal(np.log(right / (1 - right)), 1.4)
        for variant in range(variants):
            task = _task(f"{name}/{variant}", name, locked)
            tasks.append(task)
            rate = float(1 / (1 + np.exp(-(ease + rng.normal(0, 0.5)))))
            rates[task.task_id] = rate
            draws = [("greedy", 0)] * greedy + [("sampled", sample) for sample in range(samples)]
            for decoding, sample in draws:
                solved = rate + 0.12 > rng.random() if decoding == "greedy" else rng.random() < rate
                rollout = _rollout(rng, task, decoding, sample)
                rollouts.append(rollout)
                verdicts.append(
                    verdict(
                        rollout,
                        *_ending(rng, solved),
                        locked=locked,
                        fails_locked=rng.random() < 0.04,
                        reason=REASONS[rng.choice(len(REASONS), p=(0.5, 0.2, 0.2, 0.1))],
                    )
                )
    ids = tuple(task.task_id for task in tasks)
    names = tuple(dict.fromkeys(task.family for task in tasks))
    splits = SplitManifest(
        taskset=taskset,
        tasks_sha256="0" * 64,
        seed=0,
        fractions={"train": 0.0, "dev": 0.0, "test": 1.0},
        families={"train": (), "dev": (), "test": names},
        task_ids={"train": (), "dev": (), "test": ids},
    )
    return MadeUp(tasks, rollouts, verdicts, splits, rates)


def verdict(
    rollout: Rollout,
    phase: Phase,
    status: Status,
    *,
    locked: bool = True,
    fails_locked: bool = False,
    reason: ParseStatus = "no_code",
) -> Verdict:
    """A verdict as the judge gives it, that ended in this phase; one that passed hidden goes on to locked."""
    if (phase, status, locked) == ("hidden", "passed", True):
        phase, status = "locked", "failed" if fails_locked else "passed"
    totals = {"public": 1, "hidden": 6, "locked": 10}
    phases: dict[Phase, PhaseResult] = {}
    for name in PHASES:
        ended: Status = "skipped"
        if PHASES.index(name) <= PHASES.index(phase):
            ended = status if name == phase else "passed"
        total = 0 if ended == "skipped" else totals.get(name, 0)
        phases[name] = PhaseResult(
            status=ended, passed=total if ended == "passed" else total // 2, total=total
        )
    return Verdict(
        task_id=rollout.task_id,
        rollout_id=rollout.rollout_id,
        candidate=Candidate(status=reason)
        if phase == "parse"
        else Candidate(status="parsed", program="def f(x): ...", source="continuation"),
        isolation="limits",
        phases=phases,
        decided_by=phase,
        status=status,
        correct=phases["hidden"].status == "passed",
        correct_locked=phases["locked"].status == "passed" if locked else None,
    )


def _ending(rng: np.random.Generator, solved: bool) -> tuple[Phase, Status]:
    if solved:
        return "hidden", "passed"
    endings: list[tuple[Phase, Status, float]] = [
        ("parse", "failed", 0.14),
        ("syntax", "error", 0.06),
        ("import", "error", 0.02),
        ("public", "failed", 0.40),
        ("public", "error", 0.14),
        ("public", "timeout", 0.03),
        ("hidden", "failed", 0.18),
        ("hidden", "error", 0.03),
    ]
    phase, status, _ = endings[rng.choice(len(endings), p=[share for *_, share in endings])]
    return phase, status


def _task(task_id: str, family: str, locked: bool) -> Task:
    test = CallTest(args=(1,), expected=1)
    return Task(
        task_id=task_id,
        family=family,
        prompt="Return the argument.",
        entry_point="f",
        public_tests=(test,),
        hidden_tests=(CallTest(args=(2,), expected=2),),
        locked_tests=(CallTest(args=(3,), expected=3),) if locked else (),
        reference_solution="def f(x):\n    return x\n",
    )


def _rollout(rng: np.random.Generator, task: Task, decoding: str, sample: int) -> Rollout:
    tokens = int(min(128, max(3, rng.lognormal(3.6, 0.6))))
    return Rollout(
        rollout_id=f"{task.task_id}#{decoding}{sample}",
        task_id=task.task_id,
        policy="base",
        identity=PolicyIdentity(backend="transformers", source="pypi:tiny-model==1.0", digest="ab" * 32),
        decoding=decoding,
        sample=sample,
        seed=int(rng.integers(2**31)),
        temperature=0.0 if decoding == "greedy" else 0.8,
        top_p=1.0,
        max_new_tokens=128,
        prompt_name="completion_v1",
        prompt_style="completion",
        prompt_digest="cd" * 32,
        prompt_sha256="ef" * 32,
        prompt_tokens=60,
        completion="    return x\n",
        completion_tokens=tokens,
        finish_reason="length" if tokens == 128 else "stop",
    )


REASONS: tuple[ParseStatus, ...] = ("no_code", "truncated", "invalid_syntax", "no_entry_point")
FAMILIES = [
    "count_vowels",
    "reverse_words",
    "sum_of_digits",
    "is_sorted",
    "second_largest",
    "flatten_once",
    "merge_dicts",
    "rotate_left",
    "run_lengths",
    "keep_even",
    "clamp_values",
    "title_case",
    "common_items",
    "longest_word",
    "digits_only",
    "pair_sums",
    "drop_repeats",
    "is_palindrome",
    "count_above",
    "interleave",
    "strip_ends",
    "min_max_gap",
    "invert_dict",
    "word_lengths",
    "alternating_sum",
    "chunk_list",
    "zip_longest",
    "first_missing",
    "power_of_two",
    "vowel_ratio",
    "nth_root",
    "collatz_steps",
    "gcd_of_list",
    "caesar_shift",
    "matrix_diagonal",
    "mode_of",
]
