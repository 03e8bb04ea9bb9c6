"""Log-likelihoods of continuations, and the scores of them, are those of lm-evaluation-harness.

The numbers in lm_eval_0_4_13.json were printed by the harness's own code (lm-eval 0.4.13, its wrapper of transformers
and its tasks) on the first embedded examples, with the embedded model's tokenizer and a random model in 64 bits. They
were made by ``benchmarks/lm_eval_choices.py --small --rows 3 --record tests/inference/lm_eval_0_4_13.json``.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import choice_cases as cases
import pytest
import tiny
import torch

from peft_pipelines.config import ModelSpec
from peft_pipelines.data.continuations import Continued
from peft_pipelines.evaluation.score import task_scores
from peft_pipelines.inference.choice_logprobs import continuation_logprobs
from peft_pipelines.inference.decoding import Decoding
from peft_pipelines.models import gate
from peft_pipelines.models.folder import folder_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

RECORDED = json.loads((Path(__file__).parent / "lm_eval_0_4_13.json").read_text())
Loaded = tuple[ModelSpec, "PreTrainedTokenizerBase", "PreTrainedModel"]


@pytest.fixture(scope="module")
def loaded(base_spec: ModelSpec, base_folder: Path) -> Loaded:
    """The embedded model's tokenizer, and a random model in 64 bits that takes its tokens."""
    tokenizer = gate.tokenizer(base_spec, folder_of(base_spec, base_folder))
    return base_spec, tokenizer, cases.small_model(tokenizer, torch.float64)


def test_the_recorded_tasks_are_all_cases() -> None:
    assert [(item["form"], item["task"]) for item in RECORDED] == [
        (form, name) for form, tasks in cases.FORMS.items() for name in tasks
    ]


@pytest.mark.parametrize("item", RECORDED, ids=lambda item: f"{item['form']}-{item['task']}")
def test_likelihoods_and_scores_are_those_of_the_harness(item: dict[str, Any], loaded: Loaded) -> None:
    spec, tokenizer, model = loaded
    task, prompter = cases.task_of(item["task"], item["form"]), cases.prompter_of(spec, tokenizer)
    samples = (cases.PROJECT / f"data/01_raw/samples/{item['task']}/validation.jsonl").read_text().splitlines()
    raw = [json.loads(line) for line in samples[: len(item["rows"])]]
    made = [{cases.QUERY: row["context"], cases.CHOICES: row["choices"]} for row in item["rows"]]
    rows = cases.examples(task, [{**row, **columns} for row, columns in zip(raw, made, strict=True)])
    assert [cases.context_of(task, prompter, row) for row in rows] == [row["context"] for row in item["rows"]]
    assert [row["choices"] for row in rows] == [row["choices"] for row in item["rows"]]
    asked = cases.encoded(task, prompter, model, rows)
    for packed in (True, False):
        found = cases.ours(model, asked, packed=packed)
        for logprobs, row in zip(found, item["rows"], strict=True):
            assert logprobs == pytest.approx(row["logprobs"], abs=1e-6, rel=1e-9)
        answers = [{**row, "prediction": "", "choice_logprobs": each} for row, each in zip(rows, found, strict=True)]
        scores = task_scores(answers, task)
        assert (scores["acc"], scores["acc_norm"]) == (item["acc"], item["acc_norm"])


@pytest.mark.parametrize("name", ["zero_shot", "lora", "prefix_tuning", "prompt_tuning", "ia3"])
def test_of_any_method_they_are_those_of_whole_rows(name: str) -> None:
    attached = tiny.tuned(name, "llama")
    asked = [Continued(prompt, [[7], [9, 101, 44]]) for prompt in tiny.prompts()]
    expected = [[_whole(attached.plain, each.context, tokens) for tokens in each.continuations] for each in asked]
    for packed in (True, False):
        decoding = Decoding(8, (259,), 257, 3, shared_prefix=packed, packed=packed)
        for row, right in zip(continuation_logprobs(attached, asked, decoding), expected, strict=True):
            assert row == pytest.approx(right, abs=1e-5)


def _whole(model: torch.nn.Module, context: list[int], tokens: list[int]) -> float:
    said = tiny.logits(model, torch.tensor([[*context, *tokens]]))[0, -len(tokens) - 1 : -1]
    return float(said.double().log_softmax(-1).gather(-1, torch.tensor(tokens)[:, None]).sum())
