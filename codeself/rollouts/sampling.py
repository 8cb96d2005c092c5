"""From tasks and a policy to rollouts: which draws are made, in which order, and how a killed run goes on.

The draws of a task are one greedy answer, when asked for, then its samples; each has its own seed, made from
names, so that it does not depend on what else is drawn. A shard is every shards-th task of the split.
Finished chunks are kept in a `.partial` file beside the output until all are there; a run with the same
settings goes on from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from codeself.policies.backend import Completion, Policy, Progress, Request
from codeself.policies.prompts import Template
from codeself.records.digests import seed_from, sha256_json
from codeself.records.errors import InputError
from codeself.records.jsonl import write_records
from codeself.records.rollouts import Decoding, Rollout
from codeself.records.tasks import Split, SplitManifest, Task
from codeself.rollouts.partial import Partial


@dataclass(frozen=True)
class Draws:
    """What is drawn for each task. seed: root of every draw."""

    samples: int
    greedy: bool
    temperature: float
    top_p: float
    max_new_tokens: int
    seed: int


def tasks_of_shard(
    tasks: Sequence[Task], manifest: SplitManifest, split: Split, shard: int, shards: int
) -> list[Task]:
    """Every shards-th task of a split, in the order of the task file."""
    if not 0 <= shard < shards:
        raise InputError(f"shard {shard}: expected one from 0 to {shards - 1}")
    wanted = set(manifest.task_ids.get(split, ()))
    if not wanted:
        raise InputError(f"split '{split}' of task set '{manifest.taskset}' has no task to sample")
    known = {task.task_id for task in tasks}
    if strangers := sorted(wanted - known):
        raise InputError(f"split '{split}' names task '{strangers[0]}', which is not in the task file")
    return [task for task in tasks if task.task_id in wanted][shard::shards]


def requests_for(
    tasks: Sequence[Task], template: Template, policy: Policy, policy_name: str, draws: Draws
) -> list[list[Request]]:
    """The requests of each task."""
    prompts = template.render(tasks, policy.chat_template_sha256)
    kinds: list[tuple[Decoding, int]] = [("greedy", 0)] if draws.greedy else []
    kinds += [("sampled", sample) for sample in range(draws.samples)]
    return [
        [
            Request(
                task_id=task.task_id,
                prompt=prompt,
                decoding=decoding,
                sample=sample,
                seed=seed_from(draws.seed, policy_name, task.task_id, decoding, sample),
                temperature=0.0 if decoding == "greedy" else draws.temperature,
                top_p=1.0 if decoding == "greedy" else draws.top_p,
                max_new_tokens=draws.max_new_tokens,
            )
            for decoding, sample in kinds
        ]
        for task, prompt in zip(tasks, prompts, strict=True)
    ]


def run_rollouts(
    policy: Policy,
    policy_name: str,
    tasks: Sequence[Task],
    template: Template,
    draws: Draws,
    output: Path,
    progress: Progress,
    code: str = "",
) -> int:
    """Write the rollouts of these tasks, whole or not at all. Returns how many.

    progress: called with how many rollouts are new, those that an earlier run left included. code: digest of
    the code, so that what another version left is not mixed in.
    """
    groups = requests_for(tasks, template, policy, policy_name, draws)
    chunks = list(_chunks(groups, policy.chunk))
    settings = {
        "code": code,
        "identity": policy.identity.to_json_dict(),
        "policy": policy_name,
        "chunk": policy.chunk,
        "requests": [asdict(request) for group in groups for request in group],
    }
    partial = Partial(output, sha256_json(settings), Rollout)
    done = partial.read(limit=len(chunks))
    progress(sum(map(len, done)))
    for chunk in chunks[len(done) :]:
        completions = policy.complete(chunk, progress)
        rollouts = [
            _rollout(policy, policy_name, request, completion)
            for request, completion in zip(chunk, completions, strict=True)
        ]
        partial.add(rollouts)
        done.append(rollouts)
    count = write_records(output, (rollout for rollouts in done for rollout in rollouts))
    partial.remove()
    return count


def _chunks(groups: Sequence[Sequence[Request]], size: int) -> Iterator[list[Request]]:
    """Whole tasks together, up to about `size` requests at a time, in chunks that are about equal."""
    count = -(-sum(map(len, groups)) // size)
    for index in range(count):
        first, last = (len(groups) * step // count for step in (index, index + 1))
        chunk = [request for group in groups[first:last] for request in group]
        if chunk:
            yield chunk


def _rollout(policy: Policy, policy_name: str, request: Request, completion: Completion) -> Rollout:
    return Rollout(
        rollout_id=f"{policy_name}/{request.task_id}/{request.decoding}-{request.sample}",
        task_id=request.task_id,
        policy=policy_name,
        identity=policy.identity,
        decoding=request.decoding,
        sample=request.sample,
        seed=request.seed,
        temperature=request.temperature,
        top_p=request.top_p,
        max_new_tokens=request.max_new_tokens,
        prompt_name=request.prompt.name,
        prompt_style=request.prompt.style,
        prompt_digest=request.prompt.digest,
        prompt_sha256=completion.prompt_sha256,
        prompt_tokens=completion.prompt_tokens,
        completion=completion.text,
        completion_tokens=len(completion.token_ids),
        finish_reason=completion.finish_reason,
    )
