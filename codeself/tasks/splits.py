"""Dealing tasks out to train, dev and test.

Method hash: a family's side follows from a hash of the seed and its name alone, so that the order of tasks
does not matter and a task added later to a family goes where the family is and moves nothing else. Families
with near-duplicate tasks are one cluster, which goes where its member with the smallest hash goes: nothing is
trained on what nearly reads like a test task.
Method origin: the split that the dataset itself assigns (metadata "split"). Near-duplicates that it puts on
different sides are reported in the manifest.
"""

from __future__ import annotations

from collections.abc import Sequence

from codeself.records.datasets import SplitConfig
from codeself.records.digests import seed_from
from codeself.records.errors import InputError
from codeself.records.tasks import SPLITS, NearDuplicate, Split, SplitManifest, Task
from codeself.tasks.similarity import clusters, near_duplicates


def split_tasks(
    tasks: Sequence[Task], config: SplitConfig, *, taskset: str, tasks_sha256: str
) -> SplitManifest:
    """The manifest of a split. Within a split, ids and families are sorted."""
    pairs = [(tasks[p.first], tasks[p.second], p.similarity) for p in near_duplicates(tasks)]
    if config.method == "origin":
        sides = {task.task_id: _origin(task) for task in tasks}
    else:
        by_family = family_sides(
            {task.family for task in tasks}, [(a.family, b.family) for a, b, _ in pairs], config
        )
        sides = {task.task_id: by_family[task.family] for task in tasks}
    return SplitManifest(
        taskset=taskset,
        tasks_sha256=tasks_sha256,
        method=config.method,
        seed=config.seed,
        fractions=config.fractions,
        families={s: tuple(sorted({t.family for t in tasks if sides[t.task_id] == s})) for s in SPLITS},
        task_ids={s: tuple(sorted(t.task_id for t in tasks if sides[t.task_id] == s)) for s in SPLITS},
        near_duplicates=tuple(
            sorted(
                (
                    NearDuplicate(
                        first=min(a.task_id, b.task_id),
                        second=max(a.task_id, b.task_id),
                        similarity=similarity,
                        splits=(sides[min(a.task_id, b.task_id)], sides[max(a.task_id, b.task_id)]),
                    )
                    for a, b, similarity in pairs
                    if a.family != b.family or sides[a.task_id] != sides[b.task_id]
                ),
                key=lambda pair: (pair.first, pair.second),
            )
        ),
    )


def family_sides(
    families: set[str], alike: Sequence[tuple[str, str]], config: SplitConfig
) -> dict[str, Split]:
    """Each family's side. Families that `alike` joins, directly or through others, get the same one."""
    names = sorted(families)
    position = {name: index for index, name in enumerate(names)}
    sides: dict[str, Split] = {}
    for cluster in clusters(len(names), ((position[a], position[b]) for a, b in alike)):
        draw = min(seed_from("split", config.seed, names[index]) for index in cluster)
        sides |= {names[index]: _side(draw / 2**63, config) for index in cluster}
    return sides


def _side(point: float, config: SplitConfig) -> Split:
    """The split whose share of [0, 1) holds the point."""
    edge = 0.0
    for split in SPLITS:
        edge += config.fractions.get(split, 0.0)
        if point < edge:
            return split
    # Rounding can leave the last edge a hair below 1.
    return next(split for split in reversed(SPLITS) if config.fractions.get(split, 0.0) > 0)


def _origin(task: Task) -> Split:
    split = task.metadata.get("split")
    if split not in SPLITS:
        raise InputError(
            f"task '{task.task_id}': metadata.split is {split!r}; expected train, dev or test, since the"
            " method is origin. Use method hash for a task set that comes without splits"
        )
    return split
