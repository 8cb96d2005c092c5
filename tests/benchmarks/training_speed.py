"""Practice by our trainer and by TRL's GRPOTrainer: seconds a step, peak memory, and what was learned from as much.

    python -m tests.benchmarks.training_speed [--steps 4] [--threads 2] [--sides ours trl] [--output FOLDER]

The same model, tasks, order, batch, samples, reward and learning rate; each side in a process of its own, and what it
made of the model judged in another. The first step is left out of the seconds: it warms up. A side that OUTPUT holds
already is not run again.

Both keep weights and optimizer in float32 and multiply in bfloat16 where the CPU has instructions for it. Ours
samples from a bfloat16 copy; TRL's samples under one autocast, which casts the weights once a step. TRL's passes are
of --trl-rows completions: of 8 and 16, 8 were faster and took less memory. It runs without gradient checkpointing.
Ours passes over the groups whose outcomes differ, as it always does; TRL's over all of them.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path
from statistics import mean
from typing import Any

from codeself.learning.assignment import Assignment
from codeself.policies.parsing import parse_completion
from codeself.policies.prompts import load_template
from codeself.records.jsonl import read_record
from codeself.records.judging import JudgeConfig
from codeself.records.practice import PracticeConfig
from codeself.records.tasks import SplitManifest, Task, read_tasks
from codeself.records.training import StepRecord, StepTiming
from codeself.rewards import load_reward
from codeself.rollouts.sampling import Draws, requests_for, tasks_of_shard
from codeself.sandbox.pool import Job, JudgePool

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("sampling", "judging", "updating")


def practise(side: str, given: argparse.Namespace, folder: Path) -> None:
    """Run one side's steps; its policy and figures go into the folder."""
    config = PracticeConfig(
        arms=("grpo",),
        steps=given.steps,
        prompts_per_step=given.prompts,
        samples=given.samples,
        groups_per_pass=given.trl_rows // given.samples if side == "trl" else 1,
        checkpoint_every=given.steps,
    )
    tasks = _tasks(given, "train")
    template, reward = _template(), load_reward("reward_v0_correctness")
    walls: list[float] = []
    records: list[StepRecord] = []
    timings: list[StepTiming] = []
    since = time.perf_counter()

    def watch(record: StepRecord, timing: StepTiming) -> None:
        nonlocal since
        walls.append(time.perf_counter() - since)
        records.append(record)
        timings.append(timing)
        print(f"  {side}, step {record.step}: {walls[-1]:.1f} s, passed {record.pass_rate:.2f}", flush=True)
        since = time.perf_counter()

    trainer: Any
    with JudgePool(JudgeConfig(), given.threads) as pool, tempfile.TemporaryDirectory() as state:
        assignment = Assignment("grpo", given.seed, config, tasks, template, pool, reward)
        if side == "ours":
            from codeself.learning.language_model import LanguageModelLearner
            from codeself.learning.trainer import Trainer

            learner = LanguageModelLearner(
                given.model,
                config,
                dtype="auto",
                device="cpu",
                threads=given.threads,
                batch_size=given.prompts * given.samples,
                critic=False,
                seed=given.seed,
            )
            trainer = Trainer(learner, assignment)
        else:
            from codeself.learning.trl_trainer import TRLTrainer

            trainer = TRLTrainer(given.model, assignment, device="cpu", threads=given.threads)
        trainer.run(Path(state), "", lambda _: None, watch)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    trainer.save(folder / "policy", side)
    figures = {
        "seconds": mean(walls[1:] or walls),
        **{stage: mean([getattr(timing, stage) for timing in timings[1:] or timings]) for stage in STAGES},
        "peak_mb": peak,
        "completions": sum(record.completions for record in records),
        "tokens": sum(record.sampled_tokens for record in records),
        "passed": [record.pass_rate for record in records],
    }
    (folder / "figures.json").write_text(json.dumps(figures), encoding="utf-8")


def judged(model: Path, given: argparse.Namespace) -> float:
    """The share of held-out tasks that the model's greedy answer solves."""
    from codeself.policies.transformers import TransformersPolicy

    policy = TransformersPolicy(model, "auto", "cpu", given.threads, 64)
    tasks = _tasks(given, "test")
    draws = Draws(samples=0, greedy=True, temperature=0.8, top_p=1.0, max_new_tokens=64, seed=0)
    requests = [
        request for group in requests_for(tasks, _template(), policy, "bench", draws) for request in group
    ]
    completions = policy.complete(requests, lambda _: None)
    jobs = [
        Job(task, parse_completion(each.text, task, "completion", each.finish_reason), task.task_id)
        for task, each in zip(tasks, completions, strict=True)
    ]
    with JudgePool(JudgeConfig(), given.threads) as pool:
        return mean([float(verdict.correct) for verdict in pool.verdicts(jobs)])


def table(figures: dict[str, dict[str, Any]], held_out: dict[str, float]) -> str:
    lines = [f"{'':34}" + "".join(f"{side:>12}" for side in figures) + f"{'trl / ours':>13}"]
    rows = {
        "seconds a step": ("seconds", "{:.1f}"),
        "  sampling": ("sampling", "{:.1f}"),
        "  judging": ("judging", "{:.2f}"),
        "  training": ("updating", "{:.1f}"),
        "peak memory, MB": ("peak_mb", "{:.0f}"),
        "completions": ("completions", "{:.0f}"),
        "tokens of them": ("tokens", "{:.0f}"),
    }
    for title, (key, form) in rows.items():
        values = [each[key] for each in figures.values()]
        ratio = f"{figures['trl'][key] / figures['ours'][key]:13.2f}" if len(figures) == 2 else ""
        lines.append(f"{title:34}" + "".join(f"{form.format(value):>12}" for value in values) + ratio)
    base = held_out["base"]
    shares = "".join(f"{held_out[side]:12.1%}" for side in figures)
    lines.append(f"{f'held-out greedy, base {base:.1%}':34}{shares}")
    return "\n".join(lines)


def _tasks(given: argparse.Namespace, split: str) -> list[Task]:
    manifest = read_record(given.splits, SplitManifest)
    return tasks_of_shard(read_tasks(given.tasks), manifest, split, 0, 1)  # type: ignore[arg-type]


def _template() -> Any:
    return load_template(ROOT / "resources/prompts/completion_v1.j2")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=ROOT / "results/models/smollm2")
    parser.add_argument("--tasks", type=Path, default=ROOT / "results/tasks/families.jsonl")
    parser.add_argument("--splits", type=Path, default=ROOT / "results/splits/families.json")
    parser.add_argument("--sides", nargs="*", choices=("ours", "trl"), default=["ours", "trl"])
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--prompts", type=int, default=16)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--trl-rows", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="Where to leave policies and figures; else they go.")
    given = parser.parse_args()
    output = given.output or Path(tempfile.mkdtemp())
    # Threads that spin while they wait make everything slower where another program takes a core.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    context = multiprocessing.get_context("spawn")
    figures, held_out = {}, {}
    for side in ("base", *given.sides):
        folder = output / side
        folder.mkdir(parents=True, exist_ok=True)
        if side != "base" and not (folder / "figures.json").exists():
            with context.Pool(1) as pool:
                pool.apply(practise, (side, given, folder))
        if not (folder / "held-out.json").exists():
            model = given.model if side == "base" else folder / "policy"
            with context.Pool(1) as pool:
                share = pool.apply(judged, (model, given))
            (folder / "held-out.json").write_text(json.dumps(share), encoding="utf-8")
        held_out[side] = json.loads((folder / "held-out.json").read_text(encoding="utf-8"))
        if side != "base":
            figures[side] = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    print(table(figures, held_out))
    if given.output is None:
        shutil.rmtree(output)


if __name__ == "__main__":
    main()
