"""The second process of tests that share a learner: it follows one learner after another."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from codeself.learning.language_model import LanguageModelLearner
from codeself.learning.ranks import Ranks, joined
from codeself.learning.shared_learner import SharedLearner
from tests.learning.batches import settings


def environment(rank: int, port: int, size: int = 2) -> dict[str, str]:
    """What a launcher tells each process."""
    place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_PORT": port}
    words = {name: str(value) for name, value in place.items()}
    return {**words, "MASTER_ADDR": "127.0.0.1", "OMP_NUM_THREADS": "1"}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def following() -> Iterator[None]:
    """A process that follows the learners which this one makes with `shared`, until the block ends."""
    port = free_port()
    there = subprocess.Popen(
        [sys.executable, "-m", "tests.learning.follower"],
        env=os.environ | environment(1, port),
    )
    os.environ.update(environment(0, port))
    try:
        yield
    finally:
        for name in environment(0, port):
            os.environ.pop(name, None)
        there.kill()
        there.wait()


@contextmanager
def shared(ranks: Ranks, folder: Path, **wanted: Any) -> Iterator[SharedLearner]:
    """A learner that both processes have made. Afterwards, `weights` of both are the same bits, or the block fails."""
    ranks.broadcast((folder, wanted))
    own = made(folder, **wanted)
    learner = SharedLearner(own, ranks)
    try:
        yield learner
    finally:
        learner.dismiss()
        ours, theirs = ranks.gather(_weights(own))
    assert ours == theirs


def made(folder: Path, *, critic: bool = False, seed: int = 0, **changes: Any) -> LanguageModelLearner:
    return LanguageModelLearner(
        folder,
        settings(**changes),
        dtype="float32",
        device="cpu",
        threads=1,
        batch_size=8,
        critic=critic,
        seed=seed,
    )


def _weights(learner: LanguageModelLearner) -> bytes:
    """Of the model and of its sampler."""
    from safetensors.torch import save

    arrays, _ = learner.state()
    sampler = {f"sampler.{name}": weight for name, weight in learner.policy.model.state_dict().items()}
    return save({name: array.clone() for name, array in {**arrays, **sampler}.items()})


def main() -> None:
    with joined("cpu") as ranks:
        while (asked := ranks.broadcast()) is not None:
            folder, wanted = asked
            own = made(folder, **wanted)
            SharedLearner(own, ranks).follow()
            ranks.gather(_weights(own))


if __name__ == "__main__":
    main()
