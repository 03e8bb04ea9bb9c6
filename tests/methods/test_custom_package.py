"""Methods that installed packages bring: how they are found, what they may do, and what is said of one that is none."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import packages
import peft
import pytest
import tiny
import torch
from packages import REGISTERING, SHOWING
from project import Project, project
from safetensors.torch import load_file

from peft_pipelines.config import MethodSpec, parse
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods import catalogue, identity, providers
from peft_pipelines.models import base_model

__all__ = ["project"]

ROW = {
    "provider": "custom",
    "package": "peft-tilt",
    "type": "TILT",
    "family": "reparameterised",
    "config": {"target_modules": ["q_proj", "v_proj"]},
    "training": {"learning_rate": 1e-2},
    "citation": "-",
}
TOKENS = tiny.ids(12, rows=2)
TYPES = Path(peft.__file__).parent / "utils/peft_types.py"


def row(**values: object) -> MethodSpec:
    return parse(MethodSpec, "method 'tilt'", {**ROW, "name": "tilt", **values})


@pytest.fixture
def place(tmp_path, monkeypatch) -> Iterator[Path]:
    with packages.installed(tmp_path / "site", monkeypatch) as found:
        yield found


@pytest.mark.parametrize("start", [REGISTERING, SHOWING], ids=["registered", "shown"])
@pytest.mark.parametrize("family", ["llama", "opt"])
def test_a_packages_method_trains_is_saved_and_loaded(place, tmp_path, start, family):
    packages.write(place, "peft-tilt", start)
    method, base = row(), tiny.base(family)
    providers.check(method, tiny.skeleton(family))
    attached = providers.attach(base_model.clone(base), method, seed=0)
    assert torch.equal(tiny.logits(attached.plain, TOKENS), tiny.logits(base, TOKENS))
    assert all(".tilt_" in name for name in attached.trainable())
    providers.save(tiny.stir(attached), tmp_path)
    saved = load_file(tmp_path / "adapter_model.safetensors")
    assert {f"model.{name}" for name in saved} == attached.trainable().keys()
    assert json.loads((tmp_path / "adapter_config.json").read_text())["peft_type"] == "TILT"
    loaded = providers.load(base_model.clone(base), method, tmp_path)
    assert torch.equal(tiny.logits(loaded.plain, TOKENS), tiny.logits(attached.plain.eval(), TOKENS))


def test_the_librarys_enumeration_grows_in_this_process_alone(place):
    before = TYPES.read_bytes()
    packages.write(place, "peft-tilt", REGISTERING)
    providers.check(row(), tiny.skeleton("llama"))
    assert peft.PeftType("TILT") is peft.PeftType.TILT
    assert peft.PeftType.TILT in list(peft.PeftType)
    assert TYPES.read_bytes() == before


def test_a_package_cannot_write_into_the_librarys_files(place):
    before = TYPES.read_bytes()
    packages.write(place, "peft-tilt", f"open({str(TYPES)!r}, 'a').close()")
    with pytest.raises(ConfigError, match=r"PermissionError: '.*peft_types.py' is a file of peft, which a method must"):
        providers.check(row(), tiny.skeleton("llama"))
    assert TYPES.read_bytes() == before


def test_its_methods_are_no_methods_of_the_library_itself(place):
    packages.write(place, "peft-tilt", REGISTERING)
    listed = catalogue.available({"tilt": ROW})
    mine = [kind for kind in listed if kind.type == "TILT"]
    assert [(kind.provider, [field.name for field in kind.fields]) for kind in mine] == [
        ("custom", ["rank", "target_modules", "exclude_modules"])
    ]
    with pytest.raises(ConfigError, match=r"method 'tilt': unknown type 'TILT'"):
        providers.check(row(provider="hf_peft", package=None), tiny.skeleton("llama"))


def test_release_and_files_are_part_of_the_fingerprint(place):
    module = packages.write(place, "peft-tilt", REGISTERING)
    first = identity.fingerprint(row())
    files = hashlib.sha256()
    for path in sorted(module.rglob("*.py")):
        files.update(path.name.encode() + path.read_bytes())
    assert first == f"peft {peft.__version__}, peft-tilt 1.0, files {files.hexdigest()}"
    (module / "model.py").write_text(packages.MODEL + "\n")
    assert identity.fingerprint(row()) != first


WRONG = {
    "not installed": (
        {"package": "peft-tild"},
        "is not installed; 'pip install peft-tild' does that, once you trust it",
    ),
    "not built on it": ({"package": "numpy"}, "must be built on peft, and does not require it"),
    "a mistyped type": ({"type": "TILD"}, "unknown type 'TILD', did you mean 'TILT'? Allowed: TILT"),
    "lower case": (
        {"type": "tilt"},
        "type must be the method's name in PeftType, in capitals and none of peft's own, got 'tilt'",
    ),
    "the library's own": (
        {"type": "LORA"},
        "type must be the method's name in PeftType, in capitals and none of peft's own, got 'LORA'",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_row_is_one_line(place, wrong):
    packages.write(place, "peft-tilt", REGISTERING)
    values, words = WRONG[wrong]
    with pytest.raises(ConfigError) as caught:
        providers.check(row(**values), tiny.skeleton("llama"))
    name = values.get("package", "peft-tilt")
    assert str(caught.value) == f"method 'tilt', package '{name}': {words}"


def test_a_package_is_for_custom_methods_alone(place):
    packages.write(place, "peft-tilt", REGISTERING)
    with pytest.raises(ConfigError, match=r"^method 'tilt': package is for provider 'custom' alone, got 'hf_peft'$"):
        identity.fingerprint(row(provider="hf_peft"))


def test_an_unknown_field_is_named_with_those_of_the_packages_config(place):
    packages.write(place, "peft-tilt", REGISTERING)
    with pytest.raises(
        ConfigError, match=r"unknown field 'ranks', did you mean 'rank'\? Allowed: rank, target_modules"
    ):
        providers.check(row(config={"ranks": 2}), tiny.skeleton("llama"))


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        (
            "from peft import LoraConfig",
            "must register its methods with peft, or show one PeftConfig subclass, got none",
        ),
        (
            "from .config import TiltConfig\nfrom .model import TiltModel\nclass Second(TiltModel): ...",
            "must register its methods with peft, or show one BaseTuner subclass, got TiltModel, Second",
        ),
        (
            REGISTERING.replace("model_cls=TiltModel", "model_cls=None"),
            "type TILT must have a tuner, a subclass of BaseTuner, and has none",
        ),
    ],
)
def test_a_package_without_a_method_says_why(place, start, words):
    packages.write(place, "peft-tilt", start)
    with pytest.raises(ConfigError) as caught:
        providers.check(row(), tiny.skeleton("llama"))
    assert str(caught.value) == f"method 'tilt', package 'peft-tilt': {words}"


def test_a_package_without_a_module_of_its_name_is_refused(place):
    packages.write(place, "peft-tilt", REGISTERING)
    (place / "peft_tilt-1.0.dist-info/RECORD").write_text("left/__init__.py,,\nright/__init__.py,,\n")
    for name in ("left", "right"):
        (place / name).mkdir()
        (place / name / "__init__.py").touch()
    with pytest.raises(ConfigError, match=r"must have a module of its name, or one module alone, got left, right$"):
        identity.fingerprint(row())


def test_it_is_benchmarked_and_recorded_from_the_command_line(project: Project, place):
    packages.write(place, "peft-tilt", REGISTERING)
    project.method("tilt", **ROW)
    done = project.kedro("run", "--pipelines=benchmark")
    assert done.exit_code == 0, done.output
    (record,) = project.folder.rglob("record.json")
    assert json.loads(record.read_text())["libraries"]["peft-tilt"] == "1.0"
