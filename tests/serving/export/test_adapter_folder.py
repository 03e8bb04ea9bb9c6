"""An adapter's folder read by plain peft and plain adapters: the logits are the cell's."""

import importlib
from pathlib import Path

import pytest
import tiny
import torch
from exported import finished
from peft import PeftModel
from transformers import AutoModelForCausalLM

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods import providers
from peft_pipelines.models import base_model
from peft_pipelines.serving.export import adapter_folder
from peft_pipelines.serving.export.adapter_folder import refuse_adapter, write_adapter
from peft_pipelines.serving.export.finished import Finished

TOKENS = tiny.ids(12, rows=2)
TOLERANCE = 1e-4


def expected_of(cell: Finished) -> torch.Tensor:
    """The logits of the cell's checkpoint, as scoring reads it."""
    clone = base_model.clone(cell.base.model, torch.Tensor.clone)
    method, folder = cell.recorded.method, cell.recorded.checkpoint.folder
    return tiny.logits(providers.load(clone, method, folder).plain, TOKENS)


@pytest.mark.parametrize("name", ["lora", "pissa", "ia3", "prompt_tuning", "prefix_tuning"])
def test_plain_peft_gives_the_cells_logits(name: str, tmp_path: Path) -> None:
    cell = finished(name, "llama", tmp_path)
    assert write_adapter(cell, tmp_path / "out", lambda step: None) < TOLERANCE
    plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tmp_path / "base"), str(tmp_path / "out"))
    found = tiny.logits(plain.eval(), TOKENS)
    expected = expected_of(cell)
    assert (found - expected).abs().max() < TOLERANCE
    assert (expected - tiny.logits(tiny.base("llama"), TOKENS)).abs().max() > 100 * TOLERANCE
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == ["adapter_config.json", "adapter_model.safetensors"]
    assert str(tmp_path) not in (tmp_path / "out" / "adapter_config.json").read_text()


def test_plain_adapters_gives_the_cells_logits(tmp_path: Path) -> None:
    adapters = importlib.import_module("adapters")
    cell = finished("bottleneck", "llama", tmp_path)
    assert write_adapter(cell, tmp_path / "out", lambda step: None) < TOLERANCE
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    adapters.init(plain)
    plain.set_active_adapters(plain.load_adapter(str(tmp_path / "out"), with_head=False, use_safetensors=True))
    expected = expected_of(cell)
    assert (tiny.logits(plain.eval(), TOKENS) - expected).abs().max() < TOLERANCE
    assert "record.json" not in {path.name for path in (tmp_path / "out").iterdir()}


@pytest.mark.parametrize(
    ("name", "family", "words"),
    [
        ("full", "llama", "it has trained the model's own weights, which no adapter holds; export it as 'merged'"),
        ("svft", "llama", "its tuner is code of the project, which no library reads"),
        ("bottleneck", "gpt_neox", "AdapterHub's library does not know where model type 'gpt_neox' takes bottlenecks"),
        ("zero_shot", "llama", "nothing was trained"),
    ],
)
def test_what_no_library_reads_is_refused_with_the_reason(name: str, family: str, words: str, tmp_path: Path) -> None:
    cell = finished(name, family, tmp_path)
    with pytest.raises(ConfigError) as caught:
        refuse_adapter(cell)
    assert words in str(caught.value) and str(caught.value).startswith("cell 'x.tiny.mood.s0': cannot be exported as ")


def test_other_logits_by_the_library_alone_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = finished("lora", "llama", tmp_path)
    monkeypatch.setitem(adapter_folder._READERS, "hf_peft", lambda clone, folder: clone)
    with pytest.raises(ConfigError, match=r"cell 'x.tiny.mood.s0': logits by its library alone and by ours may differ"):
        write_adapter(cell, tmp_path / "out", lambda step: None)
