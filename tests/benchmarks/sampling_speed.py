"""How fast a model folder is sampled on this machine, for batch sizes and threads.

    python -m tests.benchmarks.sampling_speed MODEL TASKS [--limit 16] [--samples 8] [--batch 8 32] [--threads 1 2]

Prints a table: CPU seconds a completion and tokens a second, reading the prompts included, loading the model not.
Each row is a process of its own, as the number of threads cannot be changed back.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from pathlib import Path

from codeself.policies.prompts import load_template
from codeself.records.tasks import read_tasks
from codeself.rollouts.sampling import Draws, requests_for

ROOT = Path(__file__).resolve().parents[2]


def measure(model: Path, tasks: Path, limit: int, samples: int, batch_size: int, threads: int) -> str:
    """One row of the table."""
    from codeself.policies.transformers import TransformersPolicy

    policy = TransformersPolicy(model, "float32", "cpu", threads, batch_size)
    template = load_template(ROOT / "resources/prompts/completion_v1.j2")
    draws = Draws(samples, greedy=True, temperature=0.8, top_p=1.0, max_new_tokens=128, seed=0)
    every = read_tasks(tasks)
    chosen = every[:: max(1, len(every) // limit)][:limit]
    groups = requests_for(chosen, template, policy, "bench", draws)
    requests = [request for group in groups for request in group]
    cpu, wall = time.process_time(), time.perf_counter()
    completions = policy.complete(requests, lambda count: None)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    tokens = sum(len(completion.token_ids) for completion in completions)
    return (
        f"{batch_size:5} {threads:7} {len(requests):11} {tokens / len(requests):16.1f}"
        f" {cpu / len(requests):22.3f} {1000 * cpu / tokens:12.2f} {tokens / wall:8.0f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("tasks", type=Path)
    parser.add_argument("--limit", type=int, default=16)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--batch", type=int, nargs="*", default=[8, 16, 32, 64])
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    given = parser.parse_args()
    print(
        "batch threads completions tokens/completion CPU seconds/completion CPU ms/token tokens/s", flush=True
    )
    context = multiprocessing.get_context("spawn")
    for threads in given.threads:
        for batch_size in given.batch:
            with context.Pool(1) as pool:
                settings = (given.model, given.tasks, given.limit, given.samples, batch_size, threads)
                print(pool.apply(measure, settings), flush=True)


if __name__ == "__main__":
    main()
