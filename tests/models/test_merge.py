"""A merged model answers as the unmerged one, and the folder that ``kedro merge`` writes is a plain model's."""

import json
from pathlib import Path

import pytest
import tiny
import torch
from project import Project, project
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

from peft_pipelines.config import ModelSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods import providers
from peft_pipelines.models import base_model, merge
from peft_pipelines.storage.checkpoint import Checkpoint

__all__ = ["project"]

TOKENS = tiny.ids(12, rows=2)
TOLERANCE = 1e-4
"""In fp32, of logits that reach 5 to 8."""

WHOLE = ("lora", "dora", "lora_plus", "pissa", "oft", "qlora", "ia3", "ln_tuning", "svft", "full", "freeze", "galore")
MERGED = [
    *((name, family) for name in WHOLE for family in tiny.FAMILIES),
    *(("bitfit", family) for family in ("llama", "gpt2", "opt", "gpt_neox")),
]
REFUSED = [
    ("bitfit", "qwen2", "model type 'qwen2' has no place for a bias on down_proj, gate_proj, o_proj, up_proj"),
    ("bitfit", "mistral", "has no place for a bias on down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj"),
    ("bitfit", "gemma3", "model type 'gemma3_text' has no place for a bias on down_proj, gate_proj, up_proj"),
    *(
        (name, "llama", "a soft prompt is no part of the weights")
        for name in ("prompt_tuning", "prefix_tuning", "p_tuning", "p_tuning_v2", "mpt")
    ),
    ("bottleneck", "llama", "a bottleneck has an activation inside, which no weight of the base can hold"),
    ("sequential_bottleneck", "gemma3", "a bottleneck has an activation inside"),
    ("parallel_adapter", "gpt2", "a bottleneck has an activation inside"),
    ("zero_shot", "llama", "it is the base model as it is"),
]
CELL = "lora.tiny.mood.s0"


def owned(name: str, family: str, dtype: torch.dtype = torch.float32) -> providers.Attached:
    """A stirred method on a clone with memory of its own."""
    base = tiny.base(family) if dtype == torch.float32 else tiny.fresh(family, dtype)
    clone = base_model.clone(base, torch.Tensor.clone)
    method = tiny.method_for(name, family).model_copy(update={"quantization": None})
    attached = tiny.stir(providers.attach(clone, method, seed=0), 0.02)
    attached.plain.eval()
    return attached


def base_of(folder: Path, family: str, dtype: torch.dtype = torch.float32) -> base_model.Base:
    tiny.fresh(family, dtype).save_pretrained(folder)
    tiny.tokenizer(tiny.CHATML).save_pretrained(folder)
    row = {"folder": str(folder), "dtype": str(dtype).removeprefix("torch."), "chat_template": True}
    return base_model.load(ModelSpec(name="tiny", licence="-", citation="-", **row), folder)


def checkpoint_of(base: base_model.Base, name: str, family: str, folder: Path, **changes) -> Checkpoint:
    method = tiny.method_for(name, family).model_copy(update=changes)
    folder.mkdir()
    attached = tiny.stir(providers.attach(base_model.clone(base.model), method, seed=0))
    providers.save(attached, folder)
    return Checkpoint(folder, {"method": method.model_dump(), "base_checksum": base.checksum})


@pytest.mark.parametrize(("name", "family"), MERGED)
def test_a_merged_model_gives_the_logits_of_the_unmerged_one(name, family):
    attached = owned(name, family)
    expected = tiny.logits(attached.plain, TOKENS)
    assert (expected - tiny.logits(tiny.base(family), TOKENS)).abs().max() > 100 * TOLERANCE
    before = base_model.checksum(tiny.base(family))
    merged = providers.merge(attached)
    assert (tiny.logits(merged, TOKENS) - expected).abs().max() < TOLERANCE
    assert type(merged) is type(tiny.base(family))
    assert {type(part) for part in merged.modules()} == {type(part) for part in tiny.base(family).modules()}
    assert base_model.checksum(tiny.base(family)) == before


@pytest.mark.parametrize(("name", "family", "words"), REFUSED)
def test_what_weights_cannot_hold_is_refused_with_the_reason(name, family, words):
    with pytest.raises(ConfigError) as caught:
        providers.merge(owned(name, family))
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"method '{name}': cannot be merged: ")
    assert "\n" not in str(caught.value)


def test_merged_biases_switch_on_what_the_config_has_for_them():
    merged = providers.merge(owned("bitfit", "llama"))
    assert (merged.config.attention_bias, merged.config.mlp_bias) == (True, True)
    assert not tiny.base("llama").config.attention_bias


def test_biases_of_some_layers_leave_zeros_on_the_others():
    method = tiny.METHODS["bitfit"].model_copy(update={"config": {"target_modules": ["q_proj"]}})
    attached = tiny.stir(providers.attach(base_model.clone(tiny.base("llama"), torch.Tensor.clone), method, seed=0))
    merged = providers.merge(attached)
    attention = merged.model.layers[0].self_attn
    assert torch.count_nonzero(attention.q_proj.bias)
    assert not torch.count_nonzero(attention.o_proj.bias)
    assert (merged.config.attention_bias, merged.config.mlp_bias) == (True, False)


@pytest.mark.parametrize(
    ("name", "family"), [("lora", "llama"), ("svft", "gpt2"), ("bitfit", "llama"), ("ia3", "qwen2")]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_folder_is_a_plain_models(name, family, dtype, tmp_path):
    base = base_of(tmp_path / "base", family, dtype)
    checkpoint = checkpoint_of(base, name, family, tmp_path / "checkpoint")
    loaded = providers.load(base_model.clone(base.model), tiny.method_for(name, family), checkpoint.folder)
    with base_model.autocast(base.model, base.model.dtype):
        expected = tiny.logits(loaded.plain, TOKENS).float()
    steps: list[str] = []
    difference = merge.merge(base, checkpoint, tmp_path / "base", tmp_path / "merged", steps.append)
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype=dtype).eval()
    found = tiny.logits(plain, TOKENS).float()
    allowed = TOLERANCE if dtype == torch.float32 else 0.3
    assert difference < allowed
    assert (found - expected).abs().max() < allowed
    assert len(steps) == 3
    assert base_model.checksum(base.model) == base.checksum
    assert AutoTokenizer.from_pretrained(tmp_path / "merged").chat_template == tiny.CHATML
    for path in (tmp_path / "merged").iterdir():
        assert str(tmp_path).encode() not in path.read_bytes()
    with safe_open(tmp_path / "merged" / "model.safetensors", "pt") as file:
        assert {file.get_tensor(key).dtype for key in file.keys()} == {dtype}  # noqa: SIM118  (not a mapping)


def test_a_method_of_a_quantised_base_is_merged_into_the_full_one(tmp_path):
    base = base_of(tmp_path / "base", "llama")
    checkpoint = checkpoint_of(base, "lora", "llama", tmp_path / "checkpoint")
    checkpoint.record["method"]["quantization"] = "nf4"
    assert merge.merge(base, checkpoint, tmp_path / "base", tmp_path / "merged", lambda step: None) < TOLERANCE
    changed = AutoModelForCausalLM.from_pretrained(tmp_path / "merged").model.layers[0]
    kept = base.model.model.layers[0]
    assert torch.equal(changed.mlp.up_proj.weight, kept.mlp.up_proj.weight)
    assert not torch.equal(changed.self_attn.q_proj.weight, kept.self_attn.q_proj.weight)


def test_another_base_is_refused(tmp_path):
    base = base_of(tmp_path / "base", "llama")
    checkpoint = checkpoint_of(base, "lora", "llama", tmp_path / "checkpoint")
    checkpoint.record["base_checksum"] += 1
    with pytest.raises(ConfigError, match="model 'tiny': its weights must be those that checkpoint 'checkpoint' was"):
        merge.merge(base, checkpoint, tmp_path / "base", tmp_path / "merged", lambda step: None)


def test_a_refused_merge_leaves_nothing(tmp_path):
    base = base_of(tmp_path / "base", "llama")
    checkpoint = checkpoint_of(base, "prefix_tuning", "llama", tmp_path / "checkpoint")
    with pytest.raises(ConfigError, match="a soft prompt is no part of the weights"):
        merge.merge(base, checkpoint, tmp_path / "base", tmp_path / "merged", lambda step: None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base", "checkpoint"]


@pytest.mark.parametrize("drawn", [{"do_sample": False, "temperature": 0.6}, {"do_sample": True, "top_k": 0}])
def test_a_base_that_says_how_to_draw_is_merged_without_it(drawn: dict[str, object], tmp_path: Path) -> None:
    spec = base_of(tmp_path / "base", "llama").spec
    (tmp_path / "base" / "generation_config.json").write_text(json.dumps({**drawn, "eos_token_id": 256}))
    base = base_model.load(spec, tmp_path / "base")
    checkpoint = checkpoint_of(base, "lora", "llama", tmp_path / "checkpoint")
    merge.merge(base, checkpoint, tmp_path / "base", tmp_path / "merged", lambda step: None)
    written = json.loads((tmp_path / "merged" / "generation_config.json").read_text())
    assert written["eos_token_id"] == 256 and not written.keys() & drawn.keys()


@pytest.mark.parametrize("arguments", [CELL.split("."), [CELL]])
def test_the_command_writes_a_folder_that_loads_with_the_cells_logits(project: Project, arguments):
    project.method("lora", config={"r": 2}, training={"learning_rate": 0.05})
    assert project.kedro("run", "--pipelines=benchmark").exit_code == 0
    done = project.kedro("merge", *arguments, "--output", "out/merged")
    assert done.exit_code == 0, done.output
    assert "out/merged: ready; largest difference of a logit from the unmerged model " in done.output
    plain = AutoModelForCausalLM.from_pretrained(project.folder / "out/merged").eval()
    folder = next((project.folder / "data/06_models/tiny/mood/lora/s0/checkpoint").iterdir()) / "checkpoint"
    record = json.loads((folder / "record.json").read_text())
    method = tiny.METHODS["lora"].model_copy(update={"config": record["method"]["config"]})
    loaded = providers.load(base_model.clone(tiny.base("llama")), method, folder)
    expected = tiny.logits(loaded.plain, TOKENS)
    assert (tiny.logits(plain, TOKENS) - expected).abs().max() < TOLERANCE
    assert (expected - tiny.logits(tiny.base("llama"), TOKENS)).abs().max() > 100 * TOLERANCE
    again = project.kedro("merge", *arguments, "--output", "out/merged")
    assert (again.exit_code, again.output.splitlines()[-1]) == (
        1,
        "Error: --output: must not exist yet, got 'out/merged'",
    )
    with (folder / "adapter_model.safetensors").open("ab") as file:
        file.write(b" ")
    changed = project.kedro("merge", *arguments, "--output", "out/other")
    assert changed.exit_code == 1
    assert "adapter_model.safetensors' differs from the record; `kedro run` makes it again" in changed.output
    assert [path.name for path in (project.folder / "out").iterdir()] == ["merged"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["lora", "tiny", "mood"],
            "cell: must be METHOD MODEL TASK SEED or METHOD.MODEL.TASK.SEED, got 'lora tiny mood'",
        ),
        (["loar", "tiny", "mood", "s0"], "cell: unknown method 'loar', did you mean 'lora'? Allowed: "),
        (["lora.tiny.moods.s0"], "cell: unknown task 'moods', did you mean 'mood'? Allowed: "),
        ([CELL], "cell 'lora.tiny.mood.s0': has not been made (looked in "),
    ],
)
def test_a_cell_that_cannot_be_merged_is_one_line(project: Project, arguments, words):
    done = project.kedro("merge", *arguments, "--output", "merged")
    assert done.exit_code == 1
    assert words in done.output
    assert len(done.output.strip().splitlines()) == 1
    assert not (project.folder / "merged").exists()


def test_the_help_names_arguments_and_shows_a_call(project: Project):
    text = project.kedro("merge", "--help").output
    assert "merge [OPTIONS] METHOD MODEL TASK SEED" in text
    assert "kedro merge lora.smollm2_135m.sst2.s0 --output merged/lora_sst2" in text
