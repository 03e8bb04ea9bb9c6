"""Drop-in methods: what counts as one, and what is said of a folder that is none."""

import json
import shutil
import textwrap
from functools import partial
from pathlib import Path

import base_rows
import pytest
import tiny
import torch
from safetensors.torch import load_file

from peft_pipelines.config import MethodSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods import custom, custom_discovery, identity, providers
from peft_pipelines.models import base_model

CONFIG = """
from dataclasses import dataclass
from peft import LoraConfig, PeftConfig

@dataclass
class NoopConfig(PeftConfig):
    peft_type: str = "NOOP"
    strength: float = 1.0
"""
MODEL = """
from peft.tuners.lora import LoraModel
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer
from .config import NoopConfig

class NoopModel(BaseTuner):
    prefix = "noop"
    tuner_layer_cls = BaseTunerLayer
    target_module_mapping = {}
"""

LOW_RANK = {
    "config.py": """
from dataclasses import dataclass, field
from peft import PeftConfig

@dataclass
class LowRankConfig(PeftConfig):
    rank: int = field(default=4, metadata={"help": "inner width"})
    frozen_down: bool = False
    target_modules: list[str] | str | None = None
    exclude_modules: list[str] | str | None = None

    def __post_init__(self):
        super().__post_init__()
        self.peft_type = "LOW_RANK"
""",
    "layer.py": """
import torch
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn

class LowRankLayer(nn.Module, BaseTunerLayer):
    adapter_layer_names = ("low_rank_down", "low_rank_up")

    def __init__(self, base_layer, adapter_name, config):
        super().__init__()
        self.base_layer = base_layer
        self.low_rank_down = nn.ModuleDict({})
        self.low_rank_up = nn.ModuleDict({})
        self.update_layer(adapter_name, config)

    def update_layer(self, adapter_name, config):
        inputs, outputs = self.base_layer.in_features, self.base_layer.out_features
        self.low_rank_down[adapter_name] = nn.Linear(inputs, config.rank, bias=False)
        self.low_rank_up[adapter_name] = nn.Linear(config.rank, outputs, bias=False)
        nn.init.zeros_(self.low_rank_up[adapter_name].weight)
        self._move_adapter_to_device_of_base_layer(adapter_name)
        if config.frozen_down:
            self.frozen_peft_weight_names = {adapter_name: ("low_rank_down",)}
        self.set_adapter(self.active_adapters)

    def change(self, name):
        return self.low_rank_up[name].weight @ self.low_rank_down[name].weight

    def merge(self, safe_merge=False, adapter_names=None):
        for name in self.active_adapters:
            self.base_layer.weight.data += self.change(name).to(self.base_layer.weight.dtype)
            self.merged_adapters = [*self.merged_adapters, name]

    def forward(self, x, *args, **kwargs):
        result = self.base_layer(x, *args, **kwargs)
        if self.disable_adapters:
            return result
        for name in self.active_adapters:
            down, up = self.low_rank_down[name], self.low_rank_up[name]
            result = result + up(down(self._cast_input_dtype(x, down.weight.dtype))).to(result.dtype)
        return result
""",
    "model.py": """
from peft.tuners.tuners_utils import BaseTuner
from torch import nn
from .config import LowRankConfig
from .layer import LowRankLayer

class LowRankModel(BaseTuner):
    prefix = "low_rank_"
    tuner_layer_cls = LowRankLayer
    target_module_mapping = {"llama": ["q_proj", "v_proj"]}

    def _create_and_replace(self, config, adapter_name, target, target_name, parent, current_key, parameter_name=None):
        assert isinstance(config, LowRankConfig)
        if isinstance(target, LowRankLayer):
            target.update_layer(adapter_name, config)
            return
        if not isinstance(target, nn.Linear):
            raise ValueError(f"{current_key} is no linear layer")
        new = LowRankLayer(target, adapter_name, config)
        if adapter_name not in self.active_adapters:
            new.requires_grad_(False)
        self._replace_module(parent, target_name, new, target)
""",
}
"""A tuner as the library's own are written: a layer class of its own, its type set in __post_init__."""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("PEFT_DIR", str(tmp_path))
    write(tmp_path / "noop", CONFIG, MODEL)
    return tmp_path / "noop"


def write(folder: Path, config: str | None, model: str | None) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in (("config.py", config), ("model.py", model)):
        if text is not None:
            (folder / name).write_text(textwrap.dedent(text))


def row(**values) -> MethodSpec:
    usual = {"name": "mine", "provider": "custom", "type": "noop", "family": "selective", "config": {}, "training": {}}
    return MethodSpec(**{**usual, "citation": "x", **values})


def test_only_classes_defined_in_the_files_count(folder):
    found = custom_discovery.discover("noop")
    assert (found.config.__name__, found.tuner.__name__) == ("NoopConfig", "NoopModel")


def test_a_folder_without_both_files_is_none(folder):
    write(folder.parent / "half", CONFIG, None)
    (folder.parent / "notes.txt").write_text("no folder")
    assert custom_discovery.names() == ["noop"]


def test_a_changed_file_is_read_anew_and_has_another_fingerprint(folder):
    before = identity.fingerprint(row())
    assert identity.fingerprint(row()) == before
    write(folder, CONFIG.replace("1.0", "2.0"), MODEL)
    assert custom_discovery.discover("noop").config().strength == 2.0
    assert identity.fingerprint(row()) != before


@pytest.mark.parametrize(
    ("config", "model", "words"),
    [
        (
            "import nothing_of_this_name",
            MODEL,
            "config.py: ModuleNotFoundError: No module named 'nothing_of_this_name'",
        ),
        ("class Broken(:", MODEL, "config.py: SyntaxError: "),
        ("from peft import LoraConfig", MODEL, "config.py must define one PeftConfig subclass, got none"),
        (
            CONFIG + "class Second(NoopConfig): pass",
            MODEL,
            "must define one PeftConfig subclass, got NoopConfig, Second",
        ),
        (CONFIG, "from peft.tuners.lora import LoraModel", "model.py must define one BaseTuner subclass, got none"),
        (CONFIG, "1 / 0", "model.py: ZeroDivisionError: division by zero"),
        (CONFIG.replace('"NOOP"', '""'), MODEL, "NoopConfig in config.py has no peft_type"),
        (CONFIG, MODEL.replace('"noop"', '""'), "NoopModel in model.py has no prefix"),
    ],
)
def test_a_bad_folder_is_named_in_one_line(folder, config, model, words):
    write(folder, config, model)
    with pytest.raises(ConfigError) as caught:
        providers.check(row(), tiny.skeleton("llama"))
    assert words in str(caught.value)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bad_folder_does_not_disturb_a_method_beside_it(folder):
    write(folder, "1 / 0", "1 / 0")
    shutil.copytree(base_rows.PROJECT / "methods" / "bitfit", folder.parent / "bitfit")
    providers.check(tiny.METHODS["bitfit"], tiny.skeleton("llama"))
    providers.check(tiny.METHODS["lora"], tiny.skeleton("llama"))


def test_an_unknown_folder_is_refused(folder):
    with pytest.raises(ConfigError, match="unknown custom method 'nop', did you mean 'noop'\\? Allowed: noop"):
        providers.check(row(type="nop"), tiny.skeleton("llama"))


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("lora", {"provider": "hf_pef"}, "method 'lora': unknown provider 'hf_pef', did you mean 'hf_peft'? Allowed: "),
        ("lora", {"type": "LORAS"}, "method 'lora': unknown type 'LORAS', did you mean 'LORA'? Allowed: ADALORA, "),
        ("lora", {"config": {"rank": 8}}, "method 'lora', config: unknown field 'rank'"),
        ("lora", {"config": {"peft_type": "IA3"}}, "method 'lora', config: unknown field 'peft_type'"),
        (
            "lora",
            {"config": {"target_modules": ["v_proj", "q_prof"]}},
            "on model type 'llama': unknown target module 'q_prof', did you mean 'q_proj'? Allowed: down_proj, ",
        ),
        ("lora", {"config": {"r": -1}}, "method 'lora', config, r: must be 1 or more, got -1"),
        ("sequential_bottleneck", {"type": "SeqBn"}, "unknown type 'SeqBn', did you mean 'SeqBnConfig'? Allowed: "),
        ("sequential_bottleneck", {"config": {"factor": 2}}, "config: unknown field 'factor'"),
        ("bitfit", {"config": {"modules": []}}, "method 'bitfit', config: unknown field 'modules'"),
        ("bitfit", {"config": {"target_modules": ["q_prof"]}}, "unknown target module 'q_prof'"),
        ("zero_shot", {"config": {"r": 8}}, "method 'zero_shot', config: unknown field 'r'. Allowed: none"),
    ],
)
def test_a_rows_error_is_one_line_before_any_weights(name, values, words):
    with pytest.raises(ConfigError) as caught:
        providers.check(tiny.METHODS[name].model_copy(update=values), tiny.skeleton("llama"))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("targets", [["q_proj"], ["q_proj", "down_proj"]])
def test_bitfit_trains_the_biases_that_a_row_names(targets):
    method = tiny.METHODS["bitfit"].model_copy(update={"config": {"target_modules": targets}})
    attached = providers.attach(base_model.clone(tiny.base("llama")), method, 0)
    assert {name.split(".")[-2] for name in attached.trainable()} == set(targets)
    assert all(torch.count_nonzero(value) == 0 for value in attached.trainable().values())


def test_a_checkpoint_of_other_targets_is_refused(tmp_path):
    rows = [
        tiny.METHODS["bitfit"].model_copy(update={"config": {"target_modules": [name]}})
        for name in ("q_proj", "v_proj")
    ]
    saved = providers.attach(base_model.clone(tiny.base("llama")), rows[0], 0)
    providers.save(saved, tmp_path)
    with pytest.raises(ConfigError, match="of method 'bitfit': tensors do not match"):
        providers.load(base_model.clone(tiny.base("llama")), rows[1], tmp_path)


def test_a_tuner_gets_a_config_of_the_very_class_that_its_folder_defines(tmp_path, monkeypatch):
    bitfit = Path(__file__).parents[2] / "methods/bitfit"
    shutil.copytree(bitfit, tmp_path / "bitfit")
    model = (bitfit / "model.py").read_text()
    head = "    def _prepare_adapter_config("
    hook = "    def _pre_injection_hook(self, model, config, adapter_name):\n"
    strict = f"{hook}        assert isinstance(config, BitFitConfig)\n\n"
    (tmp_path / "bitfit/model.py").write_text(model.replace(head, strict + head, 1))
    monkeypatch.setenv("PEFT_DIR", str(tmp_path))
    attached = providers.attach(base_model.clone(tiny.base("llama")), row(type="bitfit"), seed=0)
    assert attached.trainable_parameters() > 0


@pytest.fixture
def low_rank(tmp_path, monkeypatch) -> MethodSpec:
    monkeypatch.setenv("PEFT_DIR", str(tmp_path / "mine"))
    for name, text in LOW_RANK.items():
        (tmp_path / "mine/low_rank").mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine/low_rank" / name).write_text(text)
    return row(type="low_rank", config={"target_modules": "all-linear"})


def owned(method: MethodSpec, family: str) -> providers.Attached:
    attached = providers.attach(base_model.clone(tiny.base(family), torch.Tensor.clone), method, seed=0)
    attached.plain.eval()
    return attached


TOKENS = tiny.ids(12, rows=2)
LINEAR_FAMILIES = [family for family in tiny.FAMILIES if family != "gpt2"]


@pytest.mark.parametrize("family", LINEAR_FAMILIES)
def test_a_tuner_written_as_the_librarys_own_runs_whole(low_rank, family, tmp_path):
    providers.check(low_rank, tiny.skeleton(family))
    base = tiny.base(family)
    attached = owned(low_rank, family)
    assert torch.equal(tiny.logits(attached.plain, TOKENS), tiny.logits(base, TOKENS))
    assert all(".low_rank_" in name for name in attached.trainable())
    losses = tiny.losses_of(attached, TOKENS, learning_rate=0.01)
    assert losses[-1] < losses[0] - 0.1
    (tmp_path / "saved").mkdir()
    providers.save(attached, tmp_path / "saved")
    saved = load_file(tmp_path / "saved/adapter_model.safetensors")
    assert {f"model.{name}" for name in saved} == attached.trainable().keys()
    assert json.loads((tmp_path / "saved/adapter_config.json").read_text())["peft_type"] == "LOW_RANK"
    loaded = providers.load(base_model.clone(base), low_rank, tmp_path / "saved")
    expected = tiny.logits(attached.plain.eval(), TOKENS)
    assert torch.equal(tiny.logits(loaded.plain, TOKENS), expected)
    merged = providers.merge(attached)
    assert (tiny.logits(merged, TOKENS) - expected).abs().max() < 1e-4
    assert type(merged) is type(base)


def test_answers_are_looked_at_once_a_kind_of_base_until_files_change(low_rank, tmp_path, monkeypatch):
    looked: list[str] = []
    monkeypatch.setattr(custom, "_causal", set())
    monkeypatch.setattr(custom, "check_causal", lambda where, *rest: looked.append(where))
    attached = owned(low_rank, "llama")
    (tmp_path / "saved").mkdir()
    providers.save(attached, tmp_path / "saved")
    providers.load(base_model.clone(tiny.base("llama")), low_rank, tmp_path / "saved")
    assert len(looked) == 1
    owned(low_rank, "qwen2")
    assert len(looked) == 2
    layer = tmp_path / "mine/low_rank/layer.py"
    layer.write_text(f"{layer.read_text()}\nCHANGED = True\n")
    owned(low_rank, "llama")
    assert len(looked) == 3


def test_it_trains_in_single_precision_on_a_base_in_half(low_rank):
    attached = providers.attach(base_model.clone(tiny.fresh("llama", torch.bfloat16)), low_rank, seed=0)
    assert {value.dtype for value in attached.trainable().values()} == {torch.float32}
    losses = tiny.losses_of(attached, TOKENS, learning_rate=0.01)
    assert losses[-1] < losses[0] - 0.1
    assert tiny.logits(attached.plain, TOKENS).dtype == torch.bfloat16


def test_the_tuners_own_targets_stand_in_for_none(low_rank):
    method = low_rank.model_copy(update={"config": {"rank": 2}})
    assert owned(method, "llama").trainable_parameters() == 2 * 2 * ((32 + 32) + (32 + 16))
    with pytest.raises(ConfigError, match="on model type 'opt': Please specify `target_modules` in `peft_config`"):
        providers.check(method, tiny.skeleton("opt"))
    with pytest.raises(ConfigError, match=r"on model type 'gpt2': transformer\.h\.0.attn\.c_attn is no linear layer"):
        providers.check(low_rank, tiny.skeleton("gpt2"))


def test_what_a_tuner_made_and_keeps_frozen_is_saved_too(low_rank, tmp_path):
    method = low_rank.model_copy(update={"config": {"target_modules": ["v_proj"], "frozen_down": True}})
    attached = tiny.stir(owned(method, "llama"))
    assert {name.split(".")[-3] for name in attached.trainable()} == {"low_rank_up"}
    providers.save(attached, tmp_path)
    kinds = {name.split(".")[-3] for name in load_file(tmp_path / "adapter_model.safetensors")}
    assert kinds == {"low_rank_down", "low_rank_up"}
    loaded = providers.load(base_model.clone(tiny.base("llama")), method, tmp_path)  # draws other projections first
    assert torch.equal(tiny.logits(loaded.plain, TOKENS), tiny.logits(attached.plain, TOKENS))


def test_a_checkpoint_of_another_size_is_refused(low_rank, tmp_path):
    saved = owned(low_rank.model_copy(update={"config": {"rank": 2}}), "llama")
    providers.save(saved, tmp_path)
    with pytest.raises(ConfigError, match=r"of method 'mine': tensors do not match: .*down.default.weight \[2, 32\]"):
        providers.load(base_model.clone(tiny.base("llama")), low_rank.model_copy(update={"config": {}}), tmp_path)


def test_a_tuner_that_reads_weights_is_not_refused_where_there_are_none(low_rank, tmp_path):
    layer = tmp_path / "mine/low_rank/layer.py"
    layer.write_text(layer.read_text() + "\n    def size(self):\n        return self.base_layer.weight.norm().item()\n")
    layer.write_text(
        layer.read_text().replace(
            "        self.low_rank_down = ", "        self.size()\n        self.low_rank_down = ", 1
        )
    )
    providers.check(low_rank, tiny.skeleton("llama"))
    assert owned(low_rank, "llama").trainable_parameters() > 0


def test_without_a_merge_of_its_own_a_tuner_is_not_merged(low_rank, tmp_path):
    layer = tmp_path / "mine/low_rank/layer.py"
    layer.write_text(layer.read_text().replace("def merge(", "def merged_some_day("))
    with pytest.raises(ConfigError, match="method 'mine': cannot be merged: NotImplementedError"):
        providers.merge(owned(low_rank, "llama"))


@pytest.mark.parametrize(
    ("name", "files", "words"),
    [
        (
            "Low-Rank",
            LOW_RANK,
            "its name must be lower-case letters, digits and underscores after a letter, got 'Low-Rank'",
        ),
        ("half", {"config.py": CONFIG}, "config.py and model.py are needed, model.py is missing"),
        ("empty", {}, "config.py and model.py are needed, config.py and model.py is missing"),
    ],
)
def test_a_folder_that_can_be_no_method_says_why(folder, name, files, words):
    (folder.parent / name).mkdir()
    for file, text in files.items():
        (folder.parent / name / file).write_text(text)
    with pytest.raises(ConfigError) as caught:
        providers.check(row(type=name), tiny.skeleton("llama"))
    assert str(caught.value) == f"custom method folder '{folder.parent / name}': {words}"
    assert custom_discovery.names() == ["noop"]


def test_a_methods_folder_that_is_none_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PEFT_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match=r"custom methods: PEFT_DIR must name a folder, got '.*nowhere'"):
        providers.check(row(), tiny.skeleton("llama"))


@pytest.mark.parametrize("kind", ['"LORA"', "PeftType.LORA"])
def test_the_librarys_own_types_are_taken(folder, kind):
    write(folder, CONFIG.replace("PeftConfig\n", "PeftConfig, PeftType\n").replace('"NOOP"', kind), MODEL)
    with pytest.raises(ConfigError, match="peft_type must not be one of the library's own, got 'LORA'"):
        providers.check(row(), tiny.skeleton("llama"))


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize("config", [{}, {"pattern": "plain", "rank": 3}, {"pattern": "random", "off_diagonals": 2}])
def test_svft_is_exact_at_any_rank_and_saves_only_m(family, config, tmp_path):
    method = tiny.METHODS["svft"].model_copy(update={"config": config})
    providers.check(method, tiny.skeleton(family))
    attached = owned(method, family)
    assert torch.equal(tiny.logits(attached.plain, TOKENS), tiny.logits(tiny.base(family), TOKENS))
    tiny.stir(attached)
    expected = tiny.logits(attached.plain, TOKENS)
    providers.save(attached, tmp_path)
    assert {name.split(".")[-2] for name in load_file(tmp_path / "adapter_model.safetensors")} == {"svft_m"}
    loaded = providers.load(base_model.clone(tiny.base(family)), method, tmp_path)
    assert torch.equal(tiny.logits(loaded.plain, TOKENS), expected)
    assert (tiny.logits(providers.merge(attached), TOKENS) - expected).abs().max() < 1e-4


@pytest.mark.parametrize(("pattern", "count"), [("plain", 16), ("banded", 16 + 15 + 15), ("random", 16 + 15 + 15)])
def test_svft_changes_the_weight_by_its_entries_of_m_alone(pattern, count):
    method = tiny.METHODS["svft"].model_copy(update={"config": {"pattern": pattern, "target_modules": ["v_proj"]}})
    attached = tiny.stir(owned(method, "llama"))
    layer = attached.core.model.layers[0].self_attn.v_proj
    weight = tiny.base("llama").model.layers[0].self_attn.v_proj.weight
    assert torch.allclose(layer.svft_u @ layer.svft_s.diag() @ layer.svft_v.T, weight, atol=1e-5)
    change = layer.svft_u.T @ layer.delta() @ layer.svft_v
    found = torch.zeros(16, 16).index_put(tuple(layer.svft_entries), layer.svft_m["default"])
    assert torch.allclose(change, found, atol=1e-5)
    assert torch.count_nonzero(found) == count == layer.svft_m["default"].numel()


def test_svft_factors_are_the_same_whatever_signs_the_decomposition_chose(monkeypatch):
    layers = []
    svd = torch.linalg.svd
    flips = torch.tensor([1.0, -1.0]).repeat(16)
    for chosen in (torch.ones(32), flips):
        monkeypatch.setattr(torch.linalg, "svd", partial(flipped, svd, chosen))
        layers.append(owned(tiny.METHODS["svft"], "llama").core.model.layers[0].self_attn.q_proj)
    assert torch.equal(layers[0].svft_u, layers[1].svft_u)
    assert torch.equal(layers[0].svft_v, layers[1].svft_v)


def test_svft_decomposes_each_weight_of_a_base_once(monkeypatch, tmp_path):
    calls, svd = [], torch.linalg.svd
    monkeypatch.setattr(torch.linalg, "svd", lambda *given, **options: calls.append(1) or svd(*given, **options))
    method, base = tiny.METHODS["svft"], tiny.fresh("llama")
    attached = tiny.stir(providers.attach(base_model.clone(base), method, 0))
    layers = 3 * base.config.num_hidden_layers  # queries, keys and values
    assert len(calls) == layers
    expected = tiny.logits(attached.plain, TOKENS)
    providers.save(attached, tmp_path)
    attached.detach()
    loaded = providers.load(base_model.clone(base), method, tmp_path)
    assert len(calls) == layers
    alone = providers.load(base_model.clone(base, torch.Tensor.clone), method, tmp_path)  # memory of its own
    assert len(calls) == 2 * layers
    for one in (loaded, alone):
        assert torch.equal(tiny.logits(one.plain, TOKENS), expected)
    of_rank = method.model_copy(update={"config": {**method.config, "rank": 3}})
    narrow = providers.attach(base_model.clone(base), of_rank, 0).core.model.layers[0].self_attn.q_proj
    assert (narrow.svft_u.shape[1], len(calls)) == (3, 3 * layers)


def test_svft_decomposes_a_weight_that_has_changed_again():
    clone = base_model.clone(tiny.base("llama"), torch.Tensor.clone)
    weight = clone.model.layers[0].self_attn.q_proj.weight
    first = providers.attach(base_model.clone(clone), tiny.METHODS["svft"], 0).core.model.layers[0].self_attn.q_proj
    weight.data.mul_(2)
    second = providers.attach(base_model.clone(clone), tiny.METHODS["svft"], 0).core.model.layers[0].self_attn.q_proj
    assert torch.allclose(second.svft_s, 2 * first.svft_s)


def flipped(svd, chosen, matrix, **options):
    u, s, vh = svd(matrix, **options)
    signs = chosen[: len(s)]
    return u * signs, s, vh * signs[:, None]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"pattern": "top_k"}, "unknown pattern 'top_k'. Allowed: plain, banded, random"),
        ({"off_diagonals": -1}, "off_diagonals must be a whole number from 0, got -1"),
        ({"rank": 0}, "rank must be a whole number from 1 or null, got 0"),
    ],
)
def test_svft_refuses_what_it_cannot_do(config, words):
    method = tiny.METHODS["svft"].model_copy(update={"config": config})
    with pytest.raises(ConfigError) as caught:
        providers.check(method, tiny.skeleton("llama"))
    assert str(caught.value) == f"method 'svft', config: {words}"


@pytest.mark.parametrize("name", ["bitfit", "svft"])
def test_our_own_refuse_a_layer_that_is_not_theirs(name):
    method = tiny.METHODS[name].model_copy(update={"config": {"target_modules": ["embed_tokens"]}})
    with pytest.raises(ConfigError, match=r"model\.embed_tokens' (can have no bias|is none)"):
        providers.check(method, tiny.skeleton("llama"))
