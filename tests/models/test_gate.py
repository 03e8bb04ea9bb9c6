"""The gate of model folders: no code runs, nothing but the folder's own files is read, and all of it."""

import json
import os
from pathlib import Path

import pytest
import tiny
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertLMHeadModel

from peft_pipelines.config import ModelSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models import base_model, gate

ROW = {"name": "tiny", "dtype": "float32", "chat_template": True, "licence": "-", "citation": "-"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny.base("llama").save_pretrained(tmp_path / "model")
    tiny.tokenizer(tiny.CHATML).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def opened(folder: Path) -> gate.ModelFolder:
    return gate.opened(ModelSpec(folder=str(folder), **ROW), folder)


def loaded(folder: Path) -> base_model.Base:
    return base_model.load(ModelSpec(folder=str(folder), **ROW), folder)


def refused(folder: Path, *parts: str) -> None:
    with pytest.raises(ConfigError) as caught:
        opened(folder)
    assert not [part for part in parts if part not in str(caught.value)], caught.value


def fields(folder: Path, name: str, **values: object) -> None:
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_code_beside_the_weights_never_runs(folder: Path, tmp_path: Path) -> None:
    code = folder / "custom_generate" / "generate.py"
    code.parent.mkdir()
    code.write_text(f"open({str(tmp_path / 'marker')!r}, 'w')\ndef generate(model, **_): return None\n")
    with pytest.raises(ConfigError, match=r"a file that is not read \(custom_generate/generate\.py\); remove it"):
        loaded(folder)
    assert not (tmp_path / "marker").exists()


def test_the_libraries_see_no_code_even_where_the_list_let_it_pass(folder: Path, tmp_path: Path, monkeypatch) -> None:
    code = folder / "custom_generate" / "generate.py"
    code.parent.mkdir()
    code.write_text(f"open({str(tmp_path / 'marker')!r}, 'w')\ndef generate(model, **_): return None\n")
    monkeypatch.setattr("peft_pipelines.models.folder.BESIDE", ("*",))
    model = loaded(folder).model
    model.generate(tiny.ids(4), max_new_tokens=1, do_sample=False)
    assert not (tmp_path / "marker").exists()


def test_an_adapters_base_is_never_read_in_its_place(folder: Path, tmp_path: Path, monkeypatch) -> None:
    other = tmp_path / "other"
    tiny.base("qwen2").save_pretrained(other)
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(other)}))
    refused(folder, "a file that is not read (adapter_config.json)")
    monkeypatch.setattr("peft_pipelines.models.folder.BESIDE", ("*",))
    assert type(loaded(folder).model).__name__ == "LlamaForCausalLM"


def test_weights_under_other_names_are_refused_with_three_of_them(folder: Path) -> None:
    path = folder / "model.safetensors"
    tensors = {f"base_model.model.{name}": value for name, value in load_file(path).items()}
    save_file(tensors, path, {"format": "pt"})
    refused(folder, "21 missing (lm_head.weight, ", "21 left over (base_model.model.lm_head.weight, ", " and 18 more")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda found: found.pop("model.norm.weight"), "1 missing (model.norm.weight)"),
        (lambda found: found.update(extra=torch.ones(2)), "1 left over (extra)"),
        (lambda found: found.update({"model.norm.weight": torch.ones(31)}), "1 of another shape (model.norm.weight)"),
        (lambda found: found.update({"model.norm.weight": torch.ones(32, dtype=torch.int64)}), "in model.norm.weight"),
        (lambda found: found.update({"model.norm.weight": torch.ones(32).to(torch.float8_e4m3fn)}), "got F8_E4M3"),
    ],
)
def test_each_tensor_must_be_the_models(folder: Path, change, says: str) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, {"format": "pt"})
    refused(folder, says)


def test_a_class_of_another_model_is_refused(folder: Path) -> None:
    fields(folder, "config.json", model_type="bert")
    refused(folder, "architectures of model_type 'bert' must be [BertLMHeadModel], got ['LlamaForCausalLM']")
    fields(folder, "config.json", model_type="bert", architectures=None)
    refused(folder, "those of BertLMHeadModel as config.json says", "left over (lm_head.weight")


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_each_family_passes_whole_and_in_shards(family: str, tmp_path: Path) -> None:
    for size, place in (("5GB", tmp_path / "whole"), ("20KB", tmp_path / "shards")):
        tiny.base(family).save_pretrained(place, max_shard_size=size)
        tiny.tokenizer(tiny.CHATML).save_pretrained(place)
        tokens = tiny.ids(9)
        assert torch.equal(tiny.logits(loaded(place).model, tokens), tiny.logits(tiny.base(family), tokens))
    assert len(list((tmp_path / "shards").glob("*.safetensors"))) > 1


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_no_numbers_are_refused_when_they_are_read(folder: Path, odd: float) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    tensors["model.norm.weight"][3] = odd
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(ConfigError, match=r"must be finite numbers, NaN or infinity stands in model\.norm\.weight"):
        loaded(folder)


def test_tensors_that_are_one_must_hold_the_same_numbers(folder: Path) -> None:
    fields(folder, "config.json", tie_word_embeddings=True)
    refused(folder, "lm_head.weight must hold the same numbers, since config.json ties them")
    path = folder / "model.safetensors"
    tensors = load_file(path)
    save_file({**tensors, "lm_head.weight": tensors["model.embed_tokens.weight"].clone()}, path, {"format": "pt"})
    assert opened(folder).config.tie_word_embeddings


def test_an_encoder_that_sees_the_words_to_come_is_refused(folder: Path) -> None:
    small = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    for is_decoder in (True, False):
        config = BertConfig(**small, vocab_size=264, pad_token_id=257, is_decoder=is_decoder)
        BertLMHeadModel(config).save_pretrained(folder)
        if is_decoder:
            assert opened(folder).config.is_decoder
    refused(folder, "config.json: is_decoder must be true, got false: BertLMHeadModel would see the words to come")


def test_an_index_that_leads_elsewhere_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder / "model.safetensors").rename(tmp_path / "elsewhere" / "model.safetensors")
    index = folder / "model.safetensors.index.json"
    for place in ("../elsewhere/model.safetensors", str(tmp_path / "elsewhere" / "model.safetensors")):
        index.write_text(json.dumps({"weight_map": {"lm_head.weight": place}}))
        refused(folder, f"tensor 'lm_head.weight' must be in a *.safetensors of the folder, got '{place}'")


def test_links_out_of_the_folder_are_refused_but_a_hub_caches(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "models--someone--model"
    (cache / "blobs").mkdir(parents=True)
    (cache / "snapshots" / "main").mkdir(parents=True)
    for path in folder.iterdir():
        path.rename(cache / "blobs" / path.name)
        (cache / "snapshots" / "main" / path.name).symlink_to(Path("../../blobs") / path.name)
        path.symlink_to(cache / "blobs" / path.name)
    assert opened(cache / "snapshots" / "main").config.model_type == "llama"
    refused(folder, "is a link out of the folder")


def test_a_pipe_is_no_file_to_wait_for(folder: Path) -> None:
    (folder / "generation_config.json").unlink()
    os.mkfifo(folder / "generation_config.json")
    refused(folder, "generation_config.json must be a regular file")


def test_documents_may_lie_beside_and_are_not_read(folder: Path) -> None:
    for name in ("README.md", "LICENSE", "notes.txt", ".gitattributes", "trainer_state.json"):
        (folder / name).write_text("x")
    with opened(folder).view() as seen:
        names = {path.name for path in seen.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= names
    assert not names & {"README.md", "LICENSE", "notes.txt", ".gitattributes", "trainer_state.json"}
    assert not seen.exists()


def test_fields_of_running_and_drawing_do_not_reach_the_library(folder: Path) -> None:
    fields(folder, "config.json", return_dict=False, temperature=0.5, _attn_implementation="eager", _note={"x": 1})
    fields(folder, "generation_config.json", do_sample=False, temperature=0.6)
    model = loaded(folder).model
    assert (model.config._attn_implementation, model.config.return_dict) == ("sdpa", True)
    assert (model.generation_config.temperature, model.generation_config.eos_token_id) == (1.0, 256)
    model.save_pretrained(folder.parent / "saved")


def test_a_tokenizers_files_are_the_folders_own(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "tokenizer.json"
    other.write_text((folder / "tokenizer.json").read_text().replace("<|im_end|>", "<|other|>"))
    fields(folder, "tokenizer_config.json", tokenizer_file=str(other))
    refused(folder, "tokenizer_file leads out of the folder")


def test_a_change_that_keeps_size_and_time_is_seen(folder: Path) -> None:
    path = folder / "config.json"
    before = path.stat()
    assert opened(folder).config.rope_theta == 10000.0
    path.write_text(path.read_text().replace("10000.0", "20000.0"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert opened(folder).config.rope_theta == 20000.0


def test_a_folder_that_has_not_changed_is_looked_at_once(folder: Path) -> None:
    first = opened(folder)
    assert opened(folder) is first
    fields(folder, "config.json", rope_theta=5e5)
    assert opened(folder).config.rope_theta == 5e5
