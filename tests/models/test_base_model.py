"""Base models: read safely, cloned without a copy, and known bit for bit."""

import gc
import json
import shutil
import subprocess
import sys
import weakref
from pathlib import Path

import pytest
import tiny
import torch
from transformers import AutoModelForCausalLM, LlamaConfig

from peft_pipelines.config import ModelSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.models import base_model, enough_memory, gate


def spec(place: Path, **values) -> ModelSpec:
    usual = {
        "name": "tiny",
        "folder": str(place),
        "dtype": "float32",
        "chat_template": True,
        "licence": "x",
        "citation": "x",
    }
    return ModelSpec(**{**usual, **values})


@pytest.fixture
def folder(tmp_path):
    tiny.base("llama").save_pretrained(tmp_path / "model")
    tiny.tokenizer(tiny.CHATML).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_a_base_is_frozen_in_eval_mode_and_bears_no_path(folder):
    base = base_model.load(spec(folder), folder)
    assert torch.equal(tiny.logits(base.model, tiny.ids(9)), tiny.logits(tiny.base("llama"), tiny.ids(9)))
    assert not base.model.training
    assert not [name for name, value in base.model.named_parameters() if value.requires_grad]
    assert base.model.name_or_path == base.model.config._name_or_path == "tiny"
    base.verify()


def test_one_base_is_resident(folder):
    first = base_model.resident(spec(folder), Path("unused"))
    assert base_model.resident(spec(folder), Path("elsewhere")) is first
    assert base_model.resident(spec(folder, dtype="bfloat16"), Path("unused")).model.dtype == torch.bfloat16
    assert base_model.resident(spec(folder), Path("unused")) is not first


def test_the_same_relative_path_from_elsewhere_is_another_base(folder, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(folder, elsewhere / "model")
    bases = []
    for place in (tmp_path, elsewhere):
        monkeypatch.chdir(place)
        bases.append(base_model.resident(spec(Path("model")), Path("unused")))
    assert bases[0] is not bases[1]


@pytest.fixture
def reads(folder, monkeypatch):
    """The models that are loaded from now on; none is resident."""
    found = []
    monkeypatch.setattr(base_model, "_resident", {})
    monkeypatch.setattr(base_model, "load", lambda spec, folder: found.append(spec.name))
    return found


def test_a_base_larger_than_the_device_is_not_read(folder, reads, monkeypatch):
    monkeypatch.setattr(
        enough_memory, "device_memory", lambda: enough_memory.Memory("this GPU", 100_000, "a larger GPU")
    )
    with pytest.raises(
        ConfigError, match=r"^model 'tiny': its weights alone take, in float32, 129\.7 kB at least, this"
    ):
        base_model.resident(spec(folder), Path("unused"))
    assert reads == []
    base_model.resident(spec(folder, dtype="bfloat16"), Path("unused"))
    assert reads == ["tiny"]


def test_a_passing_shortage_condemns_no_base(folder, reads, monkeypatch):
    free = [10**5, 10**6]
    monkeypatch.setattr(enough_memory.device, "kind", lambda: "cuda")
    monkeypatch.setattr(enough_memory, "device_memory", lambda: enough_memory.Memory("this GPU", 10**6, "a larger GPU"))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (free.pop(0), 10**6))
    with pytest.raises(torch.OutOfMemoryError, match=r"100\.0 kB of this GPU's 1\.0 MB are free now$"):
        base_model.resident(spec(folder), Path("unused"))
    assert reads == []
    base_model.resident(spec(folder), Path("unused"))
    assert reads == ["tiny"]


LOADED = """
import sys
from pathlib import Path
import torch
from transformers import modeling_utils
from peft_pipelines.config import ModelSpec
from peft_pipelines.models import base_model

def memory(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) * 1024

opened = modeling_utils.safe_open
modeling_utils.safe_open = lambda *path, device="cpu", **named: opened(*path, **named)
base_model.check_finite = base_model.checksum = base_model.checksum_in_place = lambda *values: 0
row = {"dtype": "float32", "chat_template": True, "licence": "x", "citation": "x"}
for kind in ("meta", "cpu"):
    base_model.device, before = lambda: torch.device(kind), memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    model = base_model.load(ModelSpec(name="tiny", folder=sys.argv[1], **row), Path(sys.argv[1])).model
    assert {value.device.type for value in (*model.parameters(), *model.buffers())} == {kind}
    assert not hasattr(model, "hf_device_map")
    print(memory("VmHWM") - before)
"""
"""Loads on a device, for which the meta device stands in, then on the CPU; prints the bytes by which memory rises."""


def test_weights_pass_memory_one_by_one_and_lie_in_it_once(tmp_path):
    sizes = {"hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 12, "num_attention_heads": 8}
    config = LlamaConfig(**sizes, vocab_size=264, bos_token_id=None, eos_token_id=256, pad_token_id=257)
    model = AutoModelForCausalLM.from_config(config)
    size = sum(value.numel() for value in model.parameters()) * 4
    model.to(torch.bfloat16).save_pretrained(tmp_path, max_shard_size="10MB")
    tiny.tokenizer(tiny.CHATML).save_pretrained(tmp_path)
    done = subprocess.run([sys.executable, "-c", LOADED, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    elsewhere, here = (int(line) / size for line in done.stdout.split())
    assert elsewhere < 0.95  # the files themselves, half of the weights here, may stay mapped until all are read
    assert here < 1.25


def test_libraries_are_left_out_of_collections_and_bases_are_not(folder):
    gc.unfreeze()
    first = base_model.resident(spec(folder), Path("unused")).model
    assert gc.get_freeze_count() > 100_000
    first.itself, first = [first], weakref.ref(first)
    base_model.resident(spec(folder, dtype="bfloat16"), Path("unused"))
    assert first() is None


def test_data_and_cells_share_a_tokenizer_until_its_files_change(folder):
    row = spec(folder)
    assert gate.tokenizer(row, folder) is base_model.resident(row, Path("unused")).tokenizer
    tiny.tokenizer(tiny.DATED).save_pretrained(folder)
    assert gate.tokenizer(row, folder).chat_template == tiny.DATED


def test_a_tokenizer_without_padding_pads_with_its_end_once_read(folder):
    for path in (*folder.glob("tokenizer_config.json"), *folder.glob("special_tokens_map.json")):
        path.write_text(
            json.dumps({key: value for key, value in json.loads(path.read_text()).items() if key != "pad_token"})
        )
    found = gate.tokenizer(spec(folder), folder)
    assert found.pad_token_id == found.eos_token_id == 256


def test_a_missing_chat_template_is_refused(folder):
    tiny.tokenizer().save_pretrained(folder)
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    with pytest.raises(ConfigError, match="chat_template must be false, got true: its tokenizer has none"):
        base_model.load(spec(folder), folder)


@pytest.mark.parametrize("key", ["auto_map", "_attn_implementation_internal"])
@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_a_folder_that_could_bring_code_is_refused(folder, name, key):
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), "inner": {key: {"AutoModel": "evil.Model"}}}))
    for read in (base_model.load, base_model.skeleton):
        with pytest.raises(ConfigError, match=f"{name} has the key '{key}'"):
            read(spec(folder), folder)


def test_pickle_weights_are_refused(folder):
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(ConfigError, match=r"pickle weights \(pytorch_model.bin\); remove it; only"):
        base_model.load(spec(folder), folder)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"no config\.json there"):
        base_model.load(spec(tmp_path), tmp_path)


def test_a_folder_without_weights_is_refused(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(ConfigError, match="no weights: neither"):
        base_model.load(spec(folder), folder)


def test_a_skeleton_has_the_modules_and_no_memory(folder):
    found = base_model.skeleton(spec(folder), folder)
    assert [name for name, _ in found.named_modules()] == [name for name, _ in tiny.base("llama").named_modules()]
    assert {value.device.type for value in found.parameters()} == {"meta"}


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_clone_shares_each_tensor_and_no_module(family):
    base = tiny.base(family)
    clone = base_model.clone(base)
    for one, other in ((base.parameters, clone.parameters), (base.buffers, clone.buffers)):
        assert [value.data_ptr() for value in one()] == [value.data_ptr() for value in other()]
    assert not {id(module) for module in base.modules()} & {id(module) for module in clone.modules()}
    assert clone.config is not base.config
    assert torch.equal(tiny.logits(clone, tiny.ids(9)), tiny.logits(base, tiny.ids(9)))


def test_a_clone_keeps_tied_weights_tied():
    clone = base_model.clone(tiny.base("gpt2"))
    assert clone.lm_head.weight is clone.transformer.wte.weight


def test_what_is_done_to_a_clone_is_not_done_to_the_base():
    base = tiny.base("llama")
    before = list(tiny.traits(base))
    clone = base_model.clone(base)
    clone.requires_grad_(True).train()
    clone.config.vocab_size = 1
    clone.model.layers[0].register_forward_hook(lambda *_: None)
    clone.model.layers[0].mlp = torch.nn.Identity()
    clone.remark = "mine"
    assert list(tiny.traits(base)) == before


both = pytest.mark.parametrize("checksum", [base_model.checksum, base_model.checksum_in_place])


@both
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_any_changed_bit_changes_the_checksum(dtype, checksum):
    model = tiny.fresh("qwen2", dtype)
    before = checksum(model)
    assert checksum(tiny.fresh("qwen2", dtype)) == before
    for parameter in model.parameters():
        bits = parameter.data.view(torch.int32 if dtype == torch.float32 else torch.int16).flatten()
        for place in (0, bits.numel() - 1):
            bits[place] ^= 1
            assert checksum(model) != before
            bits[place] ^= 1
    assert checksum(model) == before


@both
def test_two_weights_that_change_places_change_the_checksum(checksum):
    model = tiny.fresh("llama")
    before = checksum(model)
    row = model.model.layers[0].mlp.up_proj.weight.data
    row[0, 0], row[1, 5] = row[1, 5].item(), row[0, 0].item()
    assert checksum(model) != before


def test_a_sum_in_parts_is_the_sum(monkeypatch):
    whole = base_model.checksum_in_place(tiny.base("llama"))
    monkeypatch.setattr(base_model, "AT_ONCE", 100)
    assert base_model.checksum_in_place(tiny.base("llama")) == whole
    places = (2 * torch.arange(3) + 1) * torch.tensor([1.0, -2.0, 0.5]).view(torch.int32)
    assert base_model.checksum_in_place(torch.nn.ParameterDict({"x": torch.tensor([1.0, -2.0, 0.5])})) == int(
        places.sum()
    )


@pytest.mark.parametrize("in_place", [False, True])
def test_a_changed_base_stops_the_run(folder, in_place):
    base = base_model.load(spec(folder), folder)
    base.in_place = base_model.checksum_in_place(base.model) if in_place else None  # as of a base on a GPU
    base.verify()
    base.model.lm_head.weight.data[0, 0] += 1
    with pytest.raises(RuntimeError, match="the weights of base model 'tiny' were changed in memory"):
        base.verify()


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({}, "tiny"),
        ({"folder": None, "hub": {"repo": "someone/model"}}, "someone/model"),
    ],
)
def test_checkpoints_name_the_model_by_no_path(tmp_path, values, name):
    assert base_model.public_name(spec(tmp_path, **values)) == name
