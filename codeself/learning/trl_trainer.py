"""The same practice through TRL's GRPOTrainer, as a cross-check: `trainer: trl`, arm grpo.

Ours are the prompts and their order, the stop rule, the judge, the reward and the learning rate of each step. TRL's
are the sampling loop (transformers' generate), advantages, loss, gradient and update. It cannot be told to leave off
five things that our trainer does otherwise:

- Groups whose rewards are all equal pass through the model as well. Their advantage is 0, but their tokens count in
  the mean of aggregation "token", their completions in that of "sequence" and "constant".
- The chance of a token when it was written is that under the model that learns, not under the one that sampled.
- A step's completions are drawn from one generator. Its seed stands in each of their rows.
- A minibatch is made of completions at random, not of whole groups.
- Weight decay, where the config asks for it, spares norms and biases.

A killed run goes on from TRL's own checkpoints.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# We know that rollout_func may change: a test runs it with the version that is locked.
os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")

import torch
import transformers
import trl
from datasets import Dataset
from torch.optim.lr_scheduler import LambdaLR

from codeself.learning.adapters import check_targets, lora_settings
from codeself.learning.assignment import Assignment
from codeself.learning.curriculum import Curriculum
from codeself.learning.practice_log import Answer, PracticeLog, Watch
from codeself.learning.schedule import rate_at
from codeself.learning.trained_model import write_trained
from codeself.learning.trl_log import Steps, TRLLog
from codeself.learning.trl_sampling import Written, generate
from codeself.learning.trl_settings import arguments, check_settings, updates_of
from codeself.policies.model_text import ModelText, checked_record
from codeself.policies.precision import device_of, uses_bfloat16
from codeself.records.digests import seed_from
from codeself.records.practice import PracticeConfig
from codeself.records.rollouts import PolicyIdentity
from codeself.records.tasks import Task


class TRLTrainer:
    """folder: the base's model folder. base: the policy that practice begins with.

    Raises SourceError where the folder's files are not those that its record names.
    """

    def __init__(self, folder: Path, assignment: Assignment, *, device: str, threads: int) -> None:
        config = assignment.config
        self._device = device_of(device)
        check_settings(config, self._device)
        torch.set_num_threads(threads)
        self._folder = folder
        self._assignment = assignment
        self._seed = assignment.seed
        self._config = config
        record = checked_record(folder)
        products = ", products in bfloat16" if uses_bfloat16(config.autocast, self._device) else ""
        self.base = PolicyIdentity(
            backend="transformers",
            source=f"{record.name}; float32 on {self._device.type}{products}, {threads} thread(s),"
            f" TRL {trl.__version__}",
            digest=record.weights_sha256,
        )
        self._text = ModelText(folder, record.chat_template_sha256)
        curriculum = Curriculum(assignment.tasks, assignment.seed)
        self._tasks = [curriculum.at(place) for place in range(config.steps * config.prompts_per_step)]
        prompts = assignment.template.render(self._tasks, record.chat_template_sha256)
        self._asked = [
            (prompt, self._text.prompt_ids(prompt, task.task_id, config.max_new_tokens))
            for prompt, task in zip(prompts, self._tasks, strict=True)
        ]
        self._log: TRLLog
        self._model: Any = None

    def run(self, state: Path, digest: str, resumed: Callable[[int], None], watch: Watch) -> PracticeLog:
        """Practise to the last step. The arguments are those of our own trainer's."""
        self._log = TRLLog(self._config, state, digest)
        checkpoint = self._log.resume()
        resumed(len(self._log.practice.records))
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of one library to another
            trainer = self._trainer(state, watch)
            trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        self._model = trainer.model
        return self._log.practice

    def save(self, folder: Path, name: str) -> None:
        """Write the policy, as run-rollouts reads it, into a folder that is whole or absent afterwards."""
        write_trained(self._model, self._folder, folder, name)

    def _trainer(self, state: Path, watch: Watch) -> _Trainer:
        model: Any = transformers.AutoModelForCausalLM.from_pretrained(
            self._folder, dtype=torch.float32, attn_implementation="sdpa"
        )
        if self._config.lora is not None:
            check_targets(model, self._config.lora)
        trainer = _Trainer(
            model=model,
            args=arguments(self._config, state, self._seed, self._device),
            reward_funcs=[self._judge],
            rollout_func=self._sample,
            train_dataset=Dataset.from_dict({"prompt": [prompt.text for prompt, _ in self._asked]}),
            processing_class=self._text.tokenizer,
            callbacks=[Steps(self._log, watch, updates_of(self._config))],
            peft_config=lora_settings(self._config.lora) if self._config.lora else None,
        )
        trainer.practice = self._config
        trainer.remove_callback(transformers.PrinterCallback)
        return trainer

    def _sample(self, prompts: Sequence[str], trainer: Any) -> dict[str, Any]:
        """What TRL asks of a rollout_func. Columns that it does not know come to the reward function."""
        since = time.perf_counter()
        step = trainer.state.global_step // updates_of(self._config)
        asked = [each for each in self._of_step(step, self._asked) for _ in range(self._config.samples)]
        assert [prompt.text for prompt, _ in asked] == list(prompts), "TRL samples in another order"
        torch.manual_seed(self._seed_of(step))
        trainer.model.eval()  # under gradient checkpointing, a model in training keeps no cache
        # One autocast around all tokens: the weights are brought to bfloat16 once, not once a token.
        with trainer.accelerator.autocast():
            written = generate(trainer.model, self._text, asked, trainer.generation_config)
        trainer.model.train()
        self._log.add_seconds("sampling", since)
        return {
            "prompt_ids": [each.prompt_ids for each in written],
            "completion_ids": [each.ids for each in written],
            "logprobs": None,  # TRL reads them of vLLM alone
            "written": written,
        }

    def _judge(self, prompts: Sequence[str], **columns: Any) -> list[float | None]:
        """TRL's reward function: a number for each completion; None in a group that the judge had a fault with."""
        since = time.perf_counter()
        step, size = columns["trainer_state"].global_step // updates_of(self._config), self._config.samples
        tasks: Sequence[Task] = self._of_step(step, self._tasks)
        written: list[Written] = columns["written"]
        groups = [
            (
                task,
                [
                    Answer(each.text, len(each.ids), each.finish_reason, self._seed_of(step))
                    for each in written[place * size : (place + 1) * size]
                ],
            )
            for place, task in enumerate(tasks)
        ]
        rewards: list[float | None] = []
        for (task, answers), (verdicts, paid) in zip(
            groups, self._assignment.judge(step, groups), strict=True
        ):
            rewards += [None] * size if paid is None else paid.rewards.tolist()
            self._log.add_group(step, task, answers, verdicts, paid)
        self._log.add_seconds("judging", since)
        return rewards

    def _of_step(self, step: int, rows: Sequence[Any]) -> Sequence[Any]:
        groups = self._config.prompts_per_step
        return rows[step * groups : (step + 1) * groups]

    def _seed_of(self, step: int) -> int:
        return seed_from("practice", self._seed, step)


class _Trainer(trl.GRPOTrainer):
    """TRL's, with our learning rate for each step."""

    practice: PracticeConfig

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        config = self.practice
        self.lr_scheduler = LambdaLR(
            optimizer or self.optimizer,
            lambda update: rate_at(
                min(update // updates_of(config), config.steps - 1), config.steps, config.optimizer
            ),
        )
        return self.lr_scheduler
