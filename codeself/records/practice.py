"""How a policy practises: the part of the config that training reads. The plan keeps it whole.

Arms differ only in what this says of them: `for_arm` is what one arm is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import Field, ValidationError, model_validator

from codeself.records.base import Record, describe_validation_error
from codeself.records.tasks import Split

Arm = Literal["grpo", "grpo-selfdebug", "ppo", "rejection", "random-reward", "format-reward"]
ARMS: tuple[Arm, ...] = get_args(Arm)
# The arm whose samples are episodes of several answers.
REVISING: Arm = "grpo-selfdebug"


class AdvantageConfig(Record):
    """How much better than its group a completion was (every arm but ppo and rejection)."""

    baseline: Literal["mean", "leave-one-out"] = Field(
        default="mean", description="What a reward is compared with: its group's mean, or that of the others."
    )
    scale: Literal["std", "none"] = Field(
        default="std", description="std divides by the group's deviation (GRPO), none does not (Dr. GRPO)."
    )


class LossConfig(Record):
    """The clipped objective, and how the terms of tokens are added up."""

    clip_low: float = Field(default=0.2, gt=0, lt=1, description="The ratio is clipped below 1 minus this.")
    clip_high: float = Field(default=0.28, gt=0, description="The ratio is clipped above 1 plus this.")
    aggregation: Literal["token", "sequence", "constant"] = Field(
        default="token",
        description="Mean over all tokens, mean of the completions' means, or sum over completions and"
        " max_new_tokens.",
    )
    mask_truncated: bool = Field(
        default=False, description="Leave out completions that the token budget cut off."
    )
    kl_coefficient: float = Field(
        default=0.0, ge=0, description="Weight of the KL divergence to the base; 0 keeps no copy of it."
    )
    kl_estimator: Literal["k1", "k3"] = Field(default="k3", description="Its estimator, per token.")


class ValueConfig(Record):
    """The value head and generalized advantages (arm ppo)."""

    discount: float = Field(default=1.0, gt=0, le=1, description="Discount of a token step (gamma).")
    trace: float = Field(default=0.95, ge=0, le=1, description="Decay of the advantage's trace (lambda).")
    whiten: bool = Field(
        default=True, description="Bring advantages to mean 0 and deviation 1 over the batch."
    )
    coefficient: float = Field(default=0.1, ge=0, description="Weight of the value loss.")
    clip: float = Field(default=0.2, gt=0, description="How far a value may move before its loss is clipped.")
    learning_rate: float = Field(default=1e-3, gt=0, description="Of the value head.")


class OptimizerConfig(Record):
    """AdamW and its schedule. A step of practice makes epochs x minibatches updates."""

    learning_rate: float = Field(default=2e-5, gt=0, description="Peak learning rate.")
    schedule: Literal["constant", "linear", "cosine"] = Field(
        default="constant", description="After the warm-up: constant, or down to 0 at the end."
    )
    warmup_steps: int = Field(default=0, ge=0, description="Steps in which the rate rises from 0.")
    weight_decay: float = Field(default=0.0, ge=0, description="Decoupled weight decay.")
    beta1: float = Field(default=0.9, ge=0, lt=1, description="Decay of the gradient's mean.")
    beta2: float = Field(default=0.999, ge=0, lt=1, description="Decay of the gradient's square.")
    max_grad_norm: float = Field(default=1.0, gt=0, description="The gradient is scaled down to this norm.")
    epochs: int = Field(default=1, ge=1, description="Passes over a step's completions.")
    minibatches: int = Field(default=1, ge=1, description="Updates in a pass.")


class LoraConfig(Record):
    """Low-rank adapters in place of all weights."""

    rank: int = Field(default=16, ge=1, description="Rank of each adapter.")
    alpha: int = Field(default=32, ge=1, description="Adapters are scaled by alpha over rank.")
    targets: tuple[str, ...] = Field(
        default=("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
        description="Names of the layers that get one.",
    )


class PracticeConfig(Record):
    """How arms practise. No arms: no training, and the report is of the base alone."""

    arms: tuple[Arm, ...] = Field(default=(), description="Ways to practise; each makes a policy a seed.")
    seeds: int | tuple[int, ...] = Field(default=1, description="How many training seeds, or which.")
    taskset: str = Field(default="", description="What is practised; empty takes the plan's task set.")
    split: Split = Field(default="train", description="Which split of it; never the one that is judged.")
    trainer: Literal["codeself", "trl"] = Field(
        default="codeself", description="trl runs arm grpo through TRL's GRPOTrainer, as a cross-check."
    )
    steps: int = Field(default=12, ge=1, description="Steps of practice.")
    prompts_per_step: int = Field(default=16, ge=1, description="Groups a step.")
    samples: int = Field(
        default=8, ge=2, description="Completions a group; in arm grpo-selfdebug episodes, of several."
    )
    revisions: int = Field(
        default=2, ge=1, description="Answers after the first in an episode of arm grpo-selfdebug, at most."
    )
    refills: int = Field(
        default=0, ge=0, description="Groups a step, at most, that are drawn in place of uninformative ones."
    )
    informative_only: bool = Field(
        default=True, description="Learn only from groups whose outcomes differ: both right and wrong."
    )
    temperature: float = Field(default=0.8, gt=0, description="Sampling temperature in practice.")
    max_new_tokens: int = Field(default=64, ge=1, description="Token budget of one completion in practice.")
    advantage: AdvantageConfig = Field(default_factory=AdvantageConfig, description="Group advantages.")
    loss: LossConfig = Field(default_factory=LossConfig, description="The objective.")
    value: ValueConfig = Field(default_factory=ValueConfig, description="The critic of arm ppo.")
    optimizer: OptimizerConfig = Field(default_factory=OptimizerConfig, description="AdamW.")
    lora: LoraConfig | None = Field(default=None, description="Adapters; null trains every weight.")
    autocast: Literal["auto", "none", "bfloat16"] = Field(
        default="auto",
        description="Number format of products in training; weights stay float32. auto takes bfloat16 where the"
        " machine has instructions for it.",
    )
    groups_per_pass: int = Field(
        default=1,
        ge=1,
        description="Prompts, with all completions of each, that are packed into one sequence of a pass.",
    )
    gradient_checkpointing: bool = Field(
        default=False, description="Compute activations twice to hold fewer of them."
    )
    processes: int = Field(
        default=1,
        ge=1,
        description="Processes that share each run; where device is cuda, each has a GPU of its own.",
    )
    divergence_every: int = Field(
        default=4,
        ge=0,
        description="Steps between measurements of how far the policy went from the base, where no KL term takes"
        " one each step; without adapters a copy of the base is kept for it. 0: none.",
    )
    checkpoint_every: int = Field(
        default=4, ge=1, description="Steps between the states from which a killed run goes on."
    )
    writers: tuple[Literal["tensorboard", "wandb", "trackio"], ...] = Field(
        default=(), description="Where diagnostics go as well, if the package is installed."
    )
    overrides: dict[Arm, dict[str, Any]] = Field(
        default_factory=dict, description="What is different for an arm: any of the keys above but the first."
    )

    @model_validator(mode="after")
    def _holds_together(self) -> PracticeConfig:
        if isinstance(self.seeds, int) and self.seeds < 1:
            raise ValueError(f"seeds: is {self.seeds}; expected at least one seed")
        for name, values in (("arms", self.arms), ("seeds", self.training_seeds)):
            if len(set(values)) < len(values) or (self.arms and not values):
                raise ValueError(f"{name}: expected one or more, each once, not {list(values)}")
        if self.trainer == "trl" and set(self.arms) - {"grpo"}:
            raise ValueError("trainer: trl knows arm grpo alone")
        if self.optimizer.minibatches > self.prompts_per_step:
            raise ValueError(
                f"optimizer.minibatches: {self.optimizer.minibatches} of {self.prompts_per_step} groups;"
                " expected at most one for each of prompts_per_step"
            )
        for arm in self.overrides:
            self.for_arm(arm)
        return self

    def measures_divergence(self, step: int) -> bool:
        """Whether the policy is compared with the base in this step, counted from 0."""
        every = 1 if self.loss.kl_coefficient > 0 else self.divergence_every
        return every > 0 and (step + 1) % every == 0

    @property
    def training_seeds(self) -> tuple[int, ...]:
        return tuple(range(self.seeds)) if isinstance(self.seeds, int) else self.seeds

    def for_arm(self, arm: Arm) -> PracticeConfig:
        """What this arm is told, its overrides applied."""
        changes = self.overrides.get(arm)
        if not changes:
            return self
        if fixed := sorted({"arms", "seeds", "processes", "overrides"} & changes.keys()):
            raise ValueError(f"overrides.{arm}.{fixed[0]}: is the same for all arms")
        data = self.model_dump(exclude={"overrides"})
        try:
            return PracticeConfig.model_validate(_merged(data, changes))
        except ValidationError as error:
            raise ValueError(f"overrides.{arm}.{describe_validation_error(error)}") from error


def _merged(data: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(data)
    for key, value in changes.items():
        old = result.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[key] = _merged(old, value) if both else value  # type: ignore[arg-type]
    return result
