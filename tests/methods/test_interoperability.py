"""A checkpoint is read by the library that the method is from, without a line of this project, with equal logits."""

from pathlib import Path
from typing import Any

import adapters
import peft
import pytest
import tiny
import torch

from peft_pipelines.methods import providers
from peft_pipelines.methods.attached import Attached
from peft_pipelines.storage.checkpoint import CheckpointFolder, Trained

RECORD: dict[str, Any] = {
    "model": {"name": "tiny", "licence": "-", "citation": "-"},
    "training_args": {"learning_rate": 0.1},
    "seed": 0,
    "trainable_parameters": 1,
    "total_parameters": 2,
}
FULL_PRECISION = [name for name, method in tiny.METHODS.items() if method.quantization is None]
OF_PEFT = [name for name in FULL_PRECISION if tiny.METHODS[name].provider == "hf_peft"]
OF_ADAPTERS = [name for name in FULL_PRECISION if tiny.METHODS[name].provider == "adapters"]
TOKENS = tiny.ids(12, rows=2)


def saved(attached: Attached, folder: Path) -> Path:
    """The checkpoint as a cell would save it."""
    record = {**RECORD, "method": attached.method.model_dump()}
    CheckpointFolder(filepath=str(folder / "checkpoint")).save(Trained(attached, record, folder / "state"))
    return folder / "checkpoint"


def tuned(name: str) -> Attached:
    """A method that has moved away from its start."""
    attached = tiny.stir(tiny.attach(name, "llama"))
    attached.plain.eval()
    return attached


@pytest.mark.parametrize("name", OF_PEFT)
def test_peft_alone_reads_a_checkpoint(name: str, tmp_path: Path) -> None:
    attached = tuned(name)
    expected = tiny.logits(attached.plain, TOKENS)
    folder = saved(attached, tmp_path)
    model = peft.PeftModel.from_pretrained(tiny.fresh("llama"), str(folder)).eval()
    kwargs = {"task_ids": torch.zeros(2, dtype=torch.long)} if hasattr(model.active_peft_config, "num_tasks") else {}
    with torch.no_grad():
        found = model(input_ids=TOKENS, attention_mask=torch.ones_like(TOKENS), **kwargs).logits
    found = found[:, -TOKENS.shape[1] :]  # the library gives the logits of virtual tokens too
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(found, tiny.logits(tiny.base("llama"), TOKENS), atol=1e-3)


@pytest.mark.parametrize("name", OF_ADAPTERS)
def test_adapters_alone_reads_a_checkpoint(name: str, tmp_path: Path) -> None:
    attached = tuned(name)
    expected = tiny.logits(attached.plain, TOKENS)
    folder = saved(attached, tmp_path)
    model = tiny.fresh("llama")
    adapters.init(model)
    model.set_active_adapters(model.load_adapter(str(folder), with_head=False, use_safetensors=True))
    torch.testing.assert_close(tiny.logits(model.eval(), TOKENS), expected, rtol=1e-5, atol=1e-5)


def test_the_card_lies_in_each_checkpoint_and_this_project_still_reads_it(tmp_path: Path) -> None:
    attached = tuned(OF_PEFT[0])
    expected = tiny.logits(attached.plain, TOKENS)
    folder = saved(attached, tmp_path)
    assert (folder / "README.md").read_text().startswith("---\n")
    again = providers.load(tiny.fresh("llama"), attached.method, folder)
    torch.testing.assert_close(tiny.logits(again.plain, TOKENS), expected)
