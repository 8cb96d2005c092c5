"""A packed group is what its prompt with each completion alone is: the same numbers, the same gradient."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from torch.nn.functional import log_softmax

from codeself.learning.packing import pack

CPU = torch.device("cpu")
Groups = list[tuple[list[int], list[list[int]]]]


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Any:
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(1)
    made = AutoModelForCausalLM.from_pretrained(
        tiny_model, dtype=torch.float32, attn_implementation="sdpa"
    ).eval()
    assert made.dtype == torch.float32
    return made


def random_groups(shape: Sequence[tuple[int, Sequence[int]]], seed: int = 0) -> Groups:
    """shape: for each group, the length of its prompt, and of its completions."""
    draw = torch.Generator().manual_seed(seed)

    def tokens(count: int) -> list[int]:
        return torch.randint(0, 250, (count,), generator=draw).tolist()

    return [(tokens(prompt), [tokens(count) for count in completions]) for prompt, completions in shape]


SHAPES = {
    "one completion": [(5, [7])],
    "a group": [(9, [4, 12, 7, 4])],
    "one-token completions": [(6, [1, 3, 1, 1])],
    "a one-token prompt": [(1, [3, 5])],
    "several groups": [(9, [4, 12]), (3, [1, 6, 2]), (14, [5])],
}


def packed_logprobs(model: Any, groups: Groups) -> torch.Tensor:
    packed = pack(groups, CPU)
    logits = model(
        packed.tokens,
        attention_mask=packed.mask,
        position_ids=packed.positions,
        logits_to_keep=packed.predicting,
        use_cache=False,
    ).logits[0]
    return log_softmax(logits, dim=-1).gather(1, packed.targets[:, None])[:, 0]


def plain_logprobs(model: Any, groups: Groups) -> torch.Tensor:
    """Each completion after its prompt, alone in the model's own causal attention."""
    found = []
    for prompt, completions in groups:
        for completion in completions:
            logits = model(torch.tensor([prompt + completion]), use_cache=False).logits[0]
            every = log_softmax(logits[len(prompt) - 1 : -1], dim=-1)
            found.append(every.gather(1, torch.tensor(completion)[:, None])[:, 0])
    return torch.cat(found)


@pytest.mark.parametrize("shape", SHAPES)
def test_logprobs_are_those_of_each_alone(model: Any, shape: str) -> None:
    groups = random_groups(SHAPES[shape])
    with torch.no_grad():
        packed, plain = packed_logprobs(model, groups), plain_logprobs(model, groups)
    assert packed.tolist() == pytest.approx(plain.tolist(), abs=1e-5)
    assert plain.std() > 0.1 or len(plain) < 3


@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_are_those_of_each_alone(model: Any, shape: str) -> None:
    groups = random_groups(SHAPES[shape], seed=1)
    weights = list(model.parameters())
    factors = torch.randn(
        sum(len(c) for _, cs in groups for c in cs), generator=torch.Generator().manual_seed(2)
    )
    packed, plain = (
        torch.autograd.grad((of(model, groups) * factors).sum(), weights)
        for of in (packed_logprobs, plain_logprobs)
    )
    difference = sum(float((one - other).square().sum()) for one, other in zip(packed, plain, strict=True))
    size = sum(float(other.square().sum()) for other in plain)
    assert size > 0
    assert (difference / size) ** 0.5 < 1e-4


def test_no_completion_sees_another_nor_another_group(model: Any) -> None:
    groups = random_groups(SHAPES["several groups"])
    with torch.no_grad():
        before = packed_logprobs(model, groups)
        completions = groups[0][1]
        completions[1] = [token + 1 for token in completions[1]]
        after = packed_logprobs(model, groups)
    changed = (before != after).tolist()
    assert changed == [False] * 4 + [True] * 12 + [False] * 14


def test_the_layout_by_hand() -> None:
    packed = pack([([10, 11], [[20, 21, 22], [30]]), ([12], [[40, 41]])], CPU)
    # A completion's last token predicts nothing, and has no column.
    assert packed.tokens.tolist() == [[10, 11, 20, 21, 12, 40]]
    assert packed.positions.tolist() == [[0, 1, 2, 3, 0, 1]]
    assert packed.targets.tolist() == [20, 21, 22, 30, 40, 41]
    assert packed.predicting.tolist() == [1, 2, 3, 1, 4, 5]
    assert packed.lengths == (3, 1, 2)
    assert packed.mask.int().tolist() == [
        [
            [
                [1, 0, 0, 0, 0, 0],
                [1, 1, 0, 0, 0, 0],
                [1, 1, 1, 0, 0, 0],
                [1, 1, 1, 1, 0, 0],
                [0, 0, 0, 0, 1, 0],
                [0, 0, 0, 0, 1, 1],
            ]
        ]
    ]
