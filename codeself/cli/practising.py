"""What practises, from the options and settings of train: alone, or as one of the processes that share a run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from codeself.cli.sampling import Backend, PolicyOptions

if TYPE_CHECKING:
    from codeself.learning.assignment import Assignment
    from codeself.learning.language_model import LanguageModelLearner
    from codeself.learning.learner import Learner
    from codeself.learning.trainer import Trainer
    from codeself.learning.trl_trainer import TRLTrainer
    from codeself.records.practice import Arm, PracticeConfig


def rank_of(options: PolicyOptions, config: PracticeConfig) -> int:
    """The number of this process in its run: 0 leads. Raises InputError where not as many were started as are to be."""
    from codeself.records.errors import InputError

    started = int(os.environ.get("WORLD_SIZE", "1"))
    if started != config.processes:
        raise InputError(
            f"practice.processes: is {config.processes}, and {started} started; expected a command that begins with"
            f" accelerate launch --num_processes {config.processes} (docs/bigger-runs.md)"
        )
    if started > 1 and (options.backend is not Backend.transformers or config.trainer != "codeself"):
        raise InputError(
            f"practice.processes: is {config.processes}; expected 1 with trainer {config.trainer} and backend"
            f" {options.backend.value}, as only a language model's practice by our own trainer can be shared"
        )
    return int(os.environ.get("RANK", "0"))


def follow(options: PolicyOptions, config: PracticeConfig, arm: Arm, seed: int) -> None:
    """Do this process's part of a run that another one leads."""
    from codeself.learning.ranks import joined
    from codeself.learning.shared_learner import SharedLearner

    with joined(options.device.value) as ranks:
        SharedLearner(_language_model(options, config, arm, seed), ranks).follow()


@contextmanager
def trainer_of(options: PolicyOptions, assignment: Assignment) -> Iterator[Trainer | TRLTrainer]:
    """Ready to practise. Raises InputError for a policy that cannot learn, or not by this trainer."""
    from codeself.learning.trainer import Trainer

    config = assignment.config
    if config.trainer == "trl":
        yield _trl_trainer(options, assignment)
    elif config.processes > 1:
        from codeself.learning.ranks import joined
        from codeself.learning.shared_learner import SharedLearner

        with joined(options.device.value) as ranks:
            own = _language_model(options, config, assignment.arm, assignment.seed)
            learner = SharedLearner(own, ranks)
            yield Trainer(learner, assignment)
            learner.dismiss()
    else:
        yield Trainer(_learner(options, assignment), assignment)


def _learner(options: PolicyOptions, assignment: Assignment) -> Learner:
    from codeself.records.errors import InputError

    if options.backend is Backend.mock:
        from codeself.learning.mock_learner import MockLearner

        critic = assignment.arm == "ppo"
        return MockLearner(options.mock(assignment.tasks), assignment.config, critic)
    if options.backend is Backend.transformers:
        return _language_model(options, assignment.config, assignment.arm, assignment.seed)
    raise InputError(f"--backend: '{options.backend.value}' cannot learn; expected mock or transformers")


def _language_model(
    options: PolicyOptions, config: PracticeConfig, arm: Arm, seed: int
) -> LanguageModelLearner:
    from codeself.learning.language_model import LanguageModelLearner

    return LanguageModelLearner(
        options.model_folder(),
        config,
        dtype=options.dtype.value,
        device=options.device.value,
        threads=options.threads,
        batch_size=options.batch_size,
        critic=arm == "ppo",
        seed=seed,
    )


def _trl_trainer(options: PolicyOptions, assignment: Assignment) -> TRLTrainer:
    from codeself.records.errors import InputError

    if options.backend is not Backend.transformers:
        raise InputError(
            f"--backend: '{options.backend.value}' has no weights for trainer trl; expected transformers"
        )
    try:
        from codeself.learning.trl_trainer import TRLTrainer
    except ImportError as error:
        raise InputError(
            f"practice.trainer: is trl, which is not installed ({error}); pip install 'codeself[crosscheck]'"
        ) from error
    device, threads = options.device.value, options.threads
    return TRLTrainer(options.model_folder(), assignment, device=device, threads=threads)
