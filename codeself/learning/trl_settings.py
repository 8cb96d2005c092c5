"""Practice in TRL's words: what the config asks of GRPOTrainer, and what TRL has nothing like, which is refused."""

from __future__ import annotations

from pathlib import Path

import torch
import trl

from codeself.policies.precision import uses_bfloat16
from codeself.records.digests import seed_from
from codeself.records.errors import InputError
from codeself.records.practice import PracticeConfig


def check_settings(config: PracticeConfig, device: torch.device) -> None:
    """Raises InputError for a setting that would be another experiment under TRL, and where it would use more GPUs."""
    if device.type == "cuda" and (seen := torch.cuda.device_count()) > 1:
        raise InputError(
            f"practice.trainer: trl would spread a batch over the {seen} GPUs that it sees; expected one, as with"
            " CUDA_VISIBLE_DEVICES=0"
        )
    refused = {
        "refills": (config.refills > 0, "it draws no new groups"),
        "advantage.baseline": (config.advantage.baseline != "mean", "it compares with the group's mean"),
        "loss.kl_estimator": (
            config.loss.kl_coefficient > 0 and config.loss.kl_estimator != "k3",
            "it knows k3 alone",
        ),
        "loss.mask_truncated": (
            config.loss.mask_truncated,
            "it takes every completion without an end token for one that was cut off",
        ),
        "groups_per_pass": (
            config.prompts_per_step % (config.groups_per_pass * config.optimizer.minibatches) != 0,
            "its passes are all of one size: expected that times optimizer.minibatches to divide prompts_per_step",
        ),
    }
    for key, (is_refused, reason) in refused.items():
        if is_refused:
            raise InputError(f"practice.{key}: cannot be had with trainer trl: {reason}")


def updates_of(config: PracticeConfig) -> int:
    """How many updates a step of practice makes: for TRL, each of them is a step."""
    return config.optimizer.epochs * config.optimizer.minibatches


def arguments(config: PracticeConfig, output: Path, seed: int, device: torch.device) -> trl.GRPOConfig:
    optimizer = config.optimizer
    rows = config.groups_per_pass * config.samples
    passes = config.prompts_per_step // config.groups_per_pass
    return trl.GRPOConfig(
        output_dir=str(output),
        use_cpu=device.type == "cpu",
        bf16=uses_bfloat16(config.autocast, device),
        seed=seed_from("learner", seed) % 2**32,
        max_steps=config.steps * updates_of(config),
        per_device_train_batch_size=rows,
        gradient_accumulation_steps=passes // optimizer.minibatches,
        steps_per_generation=passes,
        num_iterations=optimizer.epochs,
        num_generations=config.samples,
        max_completion_length=config.max_new_tokens,
        temperature=config.temperature,
        shuffle_dataset=False,
        scale_rewards={"std": "group", "none": "none"}[config.advantage.scale],
        loss_type={"token": "dapo", "sequence": "grpo", "constant": "dr_grpo"}[config.loss.aggregation],
        epsilon=config.loss.clip_low,
        epsilon_high=config.loss.clip_high,
        beta=config.loss.kl_coefficient,
        use_bias_correction_kl=False,  # the k3 estimate alone, not weighted by the ratio
        disable_dropout=True,
        gradient_checkpointing=config.gradient_checkpointing,
        optim="adamw_torch_fused",
        learning_rate=optimizer.learning_rate,
        weight_decay=optimizer.weight_decay,
        adam_beta1=optimizer.beta1,
        adam_beta2=optimizer.beta2,
        max_grad_norm=optimizer.max_grad_norm,
        logging_steps=1,
        save_strategy="steps",
        save_steps=config.checkpoint_every * updates_of(config),
        save_total_limit=1,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
