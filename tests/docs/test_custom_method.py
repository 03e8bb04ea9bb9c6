"""The method that docs/custom_method.md builds, taken out of the page: it trains, is saved, merged and benchmarked."""

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import packages
import pytest
import tiny
import torch
import yaml
from project import Project, project
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from peft_pipelines.config import MethodSpec, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods import providers
from peft_pipelines.models import base_model

__all__ = ["project"]

PAGE = (Path(__file__).parents[2] / "docs/custom_method.md").read_text(encoding="utf-8")
CODE = dict(re.findall(r"^```python\n# methods/channel_gain/(\w+\.py)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
ROW = yaml.safe_load(re.search(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[1])["methods"]
TOLD = dict(re.findall(r"^\| ([^|]+) \| `([^`]+)` \|$", PAGE, re.MULTILINE))
_PACKAGED = PAGE.partition("\n## 7. ")[2]
START = re.search(r"^```python\n# peft_channel_gain/__init__.py\n(.*?)^```", _PACKAGED, re.DOTALL | re.MULTILINE)[1]
ABOUT = tomllib.loads(re.search(r"^```text\n(.*?)^```", _PACKAGED, re.DOTALL | re.MULTILINE)[1])["project"]
PACKAGED = yaml.safe_load(re.search(r"^```yaml\n(.*?)^```", _PACKAGED, re.DOTALL | re.MULTILINE)[1])["methods"]
TOLD_OF_PACKAGES = re.findall(r"^\| [^|]+ \| `(\w+): ([^`]+)` \| `([^`]+)` \|$", _PACKAGED, re.MULTILINE)
TOKENS = tiny.ids(12, rows=2)


def write(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, text in CODE.items():
        (folder / name).write_text(text)


@pytest.fixture
def method(tmp_path, monkeypatch) -> MethodSpec:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PEFT_DIR", "methods")
    write(tmp_path / "methods/channel_gain")
    return parse(MethodSpec, "method", {**ROW["channel_gain"], "name": "channel_gain"})


def test_the_page_holds_two_files_and_one_row():
    assert sorted(CODE) == ["config.py", "model.py"]
    assert list(ROW) == ["channel_gain"]


@pytest.mark.parametrize("family", ["llama", "qwen2", "opt"])
def test_it_trains_and_is_saved_loaded_and_merged(method, family, tmp_path):
    providers.check(method, tiny.skeleton(family))
    base = tiny.base(family)
    attached = providers.attach(base_model.clone(base, torch.Tensor.clone), method, seed=0)
    assert torch.equal(tiny.logits(attached.plain, TOKENS), tiny.logits(base, TOKENS))
    losses = tiny.losses_of(attached, TOKENS)
    assert losses[-1] < losses[0] - 0.1
    expected = tiny.logits(attached.plain.eval(), TOKENS)
    providers.save(attached, tmp_path)
    saved = load_file(tmp_path / "adapter_model.safetensors")
    assert sum(value.numel() for value in saved.values()) == attached.trainable_parameters()
    loaded = providers.load(base_model.clone(base), method, tmp_path)
    assert torch.equal(tiny.logits(loaded.plain, TOKENS), expected)
    assert (tiny.logits(providers.merge(attached), TOKENS) - expected).abs().max() < 1e-4


def test_it_is_benchmarked_and_merged_from_the_command_line(project: Project):
    write(project.folder / "methods/channel_gain")
    project.method("channel_gain", **ROW["channel_gain"])
    done = project.kedro("run", "--pipelines=benchmark")
    assert done.exit_code == 0, done.output
    assert "channel_gain" in done.output
    merged = project.kedro("merge", "channel_gain.tiny.mood.s0", "--output", "merged")
    assert merged.exit_code == 0, merged.output
    plain = AutoModelForCausalLM.from_pretrained("merged").eval()
    assert not torch.equal(tiny.logits(plain, TOKENS), tiny.logits(tiny.base("llama"), TOKENS))


def changed(file: str, old: str, new: str) -> Callable[[MethodSpec], MethodSpec]:
    def change(method: MethodSpec) -> MethodSpec:
        path = Path("methods/channel_gain") / file
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
        return method

    return change


def configured(**config: object) -> Callable[[MethodSpec], MethodSpec]:
    return lambda method: method.model_copy(update={"config": config})


def without_model(method: MethodSpec) -> MethodSpec:
    Path("methods/channel_gain/model.py").unlink()
    return method


WRONG = {
    "a field that the config does not have": configured(shares=0.5),
    "a value that `__post_init__` refuses": configured(share=2),
    "a target that the model does not have": configured(target_modules=["q_prof"]),
    "a target that the tuner refuses": configured(target_modules=["embed_tokens"]),
    "no such folder": lambda method: method.model_copy(update={"type": "channel_gains"}),
    "a missing file": without_model,
    "two tuners in one file": changed(
        "model.py", "\n\nclass ChannelGainModel", "\n\nclass Second(BaseTuner): ...\n\n\nclass ChannelGainModel"
    ),
    "no prefix": changed("model.py", 'prefix = "channel_gain_"', 'prefix = ""'),
    "a name that peft has": changed("config.py", '"CHANNEL_GAIN"', '"LORA"'),
    "code that fails": changed("model.py", "(BaseTuner)", "(BaseTuners)"),
}


def test_each_line_of_the_page_has_its_error():
    assert list(TOLD) == list(WRONG)


@pytest.mark.parametrize("error", WRONG)
def test_the_page_quotes_what_is_told(method, error):
    with pytest.raises(ConfigError) as caught:
        providers.check(WRONG[error](method), tiny.skeleton("llama"))
    assert str(caught.value) == TOLD[error]


@pytest.fixture
def packaged(tmp_path, monkeypatch) -> Iterator[MethodSpec]:
    place = tmp_path / "site"
    module = packages.write(place, ABOUT["name"], START, version=ABOUT["version"], requires=ABOUT["dependencies"][0])
    for name, text in CODE.items():
        (module / name).write_text(text)
    ((name, row),) = PACKAGED.items()
    with packages.installed(place, monkeypatch):
        yield parse(MethodSpec, "method", {**row, "name": name})


def test_the_folder_as_a_package_is_the_same_method(method, packaged):
    logits = []
    for one in (method, packaged):
        providers.check(one, tiny.skeleton("llama"))
        attached = tiny.stir(providers.attach(base_model.clone(tiny.base("llama")), one, seed=0))
        logits.append(tiny.logits(attached.plain.eval(), TOKENS))
    assert torch.equal(*logits)


def test_there_are_lines_of_packages():
    assert len(TOLD_OF_PACKAGES) == 4


@pytest.mark.parametrize(("field", "value", "line"), TOLD_OF_PACKAGES)
def test_the_page_quotes_what_is_told_of_packages(packaged, field, value, line):
    with pytest.raises(ConfigError) as caught:
        providers.check(packaged.model_copy(update={field: value}), tiny.skeleton("llama"))
    assert str(caught.value) == line
