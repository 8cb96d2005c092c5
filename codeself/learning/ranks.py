"""The processes of one run, each with its rank, and what they hand each other.

A launcher starts them (`accelerate launch`, `torchrun`) and ends all when one has died; and they die with it. Rank 0
leads. Plain data and what is on a CPU go through gloo, what is on a GPU through NCCL.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist

from codeself.policies.precision import device_of
from codeself.records.errors import InfrastructureError, InputError

# While the leader judges, the others wait for its word. A death is noticed at once: this is for a silent network.
_PATIENCE = timedelta(hours=2)
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Ranks:
    """Every method is called by all processes, in the same order. Raises InfrastructureError where one is gone."""

    def __init__(self) -> None:
        self.rank = dist.get_rank()
        self.size = dist.get_world_size()

    def broadcast(self, item: Any = None) -> Any:
        """The leader's item."""
        box = [item]
        with _talking():
            dist.broadcast_object_list(box, src=0)
        return box[0]

    def broadcast_arrays(self, arrays: Mapping[str, torch.Tensor] | None) -> dict[str, torch.Tensor]:
        """The leader's tensors by name, on the CPU; one after another, as they may be large."""
        own = arrays or {}
        kinds = self.broadcast({name: (array.shape, array.dtype) for name, array in own.items()})
        found = {}
        for name, (shape, dtype) in kinds.items():
            array = own[name].cpu().contiguous() if name in own else torch.empty(shape, dtype=dtype)
            with _talking():
                dist.broadcast(array.reshape(-1).view(torch.uint8), src=0)
            found[name] = array
        return found

    def gather(self, item: Any) -> list[Any]:
        """The items of all, by rank, for the leader; nothing for the others."""
        boxes = [None] * self.size if self.rank == 0 else None
        with _talking():
            dist.gather_object(item, boxes, dst=0)
        return boxes or []

    def add(self, tensors: Sequence[torch.Tensor]) -> None:
        """Put in each tensor's place the sum over all processes, the same bits in each."""
        with _talking():
            for tensor in tensors:
                dist.all_reduce(tensor)


@contextmanager
def joined(device: str) -> Iterator[Ranks]:
    """Meet the other processes that the launcher has started. device: "cpu", "cuda" or "auto".

    On a GPU, it becomes this process's own. Raises InputError where there are fewer of them than processes.
    """
    _die_with_the_launcher()
    on_gpu = device_of(device).type == "cuda"
    if on_gpu:
        place, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if place >= there:
            raise InputError(
                f"practice.processes: this is number {place + 1} on this machine, and {there} GPU(s) can be seen;"
                " expected one for each"
            )
        torch.cuda.set_device(place)
    with _talking():
        dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo", timeout=_PATIENCE)
    yield Ranks()
    # Not after an error: the others may wait in the middle of something, and the launcher ends them.
    dist.destroy_process_group()


@contextmanager
def _talking() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # of which torch's own kinds are
        # Of gloo's message, neither where in its code it stands nor its advice.
        reason = re.sub(r"^\[.*?\] ", "", str(error).partition("\n")[0]).partition(". ")[0]
        raise InfrastructureError(
            f"another process of this run has ended, or has not answered for {_PATIENCE}: {reason}"
        ) from error


def _die_with_the_launcher() -> None:
    """A killed launcher kills nobody: what it had started would go on, and write beside a run that is started anew."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
