"""Where diagnostics go beside the record: TensorBoard, Weights & Biases, trackio, each if it is installed.

They are for watching a run; nothing is read back from them, and a run's record does not depend on them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from codeself.records.errors import InputError
from codeself.records.training import StepRecord, StepTiming


class Writer(Protocol):
    def log(self, step: int, numbers: Mapping[str, float]) -> None: ...

    def close(self) -> None: ...


def open_writers(names: Sequence[str], folder: Path, run: str, settings: Mapping[str, Any]) -> list[Writer]:
    """Raises InputError for a package that is not installed. folder: of what is written on this machine."""
    kinds: dict[str, Callable[[Path, str, Mapping[str, Any]], Writer]]
    kinds = {"tensorboard": _TensorBoard, "wandb": _WandB, "trackio": _Trackio}
    writers: list[Writer] = []
    for name in names:
        try:
            writers.append(kinds[name](folder / name, run, settings))
        except ImportError as error:
            raise InputError(
                f"practice.writers: {name} is asked for and not installed ({error}); pip install {name}"
            ) from error
    return writers


def numbers_of(record: StepRecord, timing: StepTiming) -> dict[str, float]:
    """A step's numbers by name, nested ones as outer/inner."""
    found: dict[str, float] = {}
    for group, data in (("practice", record.to_json_dict()), ("seconds", timing.to_json_dict())):
        for name, value in data.items():
            if isinstance(value, Mapping):
                found |= {
                    f"{group}/{name}/{inner}": each for inner, each in value.items() if each is not None
                }
            elif isinstance(value, int | float) and name != "step":
                found[f"{group}/{name}"] = value
    return found


class _TensorBoard:
    def __init__(self, folder: Path, run: str, settings: Mapping[str, Any]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(str(folder))
        self._writer.add_text("run", run)
        self._writer.add_text("settings", "\n".join(f"{key}: {value}  " for key, value in settings.items()))

    def log(self, step: int, numbers: Mapping[str, float]) -> None:
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


class _WandB:
    def __init__(self, folder: Path, run: str, settings: Mapping[str, Any]) -> None:
        import wandb

        folder.mkdir(parents=True, exist_ok=True)
        self._run: Any = wandb.init(project="codeself", name=run, dir=str(folder), config=dict(settings))

    def log(self, step: int, numbers: Mapping[str, float]) -> None:
        self._run.log(dict(numbers), step=step)

    def close(self) -> None:
        self._run.finish()


class _Trackio:
    def __init__(self, folder: Path, run: str, settings: Mapping[str, Any]) -> None:
        import trackio

        self._trackio: Any = trackio
        trackio.init(project="codeself", name=run, config=dict(settings))

    def log(self, step: int, numbers: Mapping[str, float]) -> None:
        self._trackio.log(dict(numbers), step=step)

    def close(self) -> None:
        self._trackio.finish()
