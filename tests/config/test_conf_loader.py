"""The store of an environment: a folder of its own, unless it names one."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from peft_pipelines.config.conf_loader import ConfLoader
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.settings import CONFIG_LOADER_ARGS

CONF = Path(__file__).parents[2] / "conf"


def places(conf: Path, env: str | None, **params: str) -> tuple[str, str]:
    """The paths of a data set of the store and of the raw rows."""
    found = ConfLoader(str(conf), env=env, runtime_params=params, **CONFIG_LOADER_ARGS)["catalog"]
    return found["results_csv"]["filepath"], found["{task}_raw"]["filepath"]


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    for folder, text in {
        "base": "raw: rows\nstore: data\n",
        "local": "",
        "mine": "raw: others\n",
        "yours": "store: data/elsewhere\n",
    }.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "globals.yml").write_text(text)
    (tmp_path / "bare").mkdir()
    csv = "results_csv: {type: x, filepath: '${runtime_params:store, ${globals:store}}/results.csv'}\n"
    raw = "'{task}_raw': {type: x, filepath: '${runtime_params:raw, ${globals:raw}}/{task}'}\n"
    (tmp_path / "base/catalog.yml").write_text(csv + raw)
    return tmp_path


@pytest.mark.parametrize(
    ("env", "store", "raw"),
    [
        (None, "data", "rows"),
        ("base", "data", "rows"),
        ("local", "data", "rows"),
        ("bare", "data/bare", "rows"),
        ("mine", "data/mine", "others"),
        ("yours", "data/elsewhere", "rows"),
    ],
)
def test_an_environment_writes_into_its_own_store(conf: Path, env: str | None, store: str, raw: str) -> None:
    assert places(conf, env) == (f"{store}/results.csv", f"{raw}/{{task}}")


@pytest.mark.parametrize("env", [None, "local"])
def test_the_default_environment_needs_no_folder(conf: Path, env: str | None) -> None:
    shutil.rmtree(conf / "local")
    assert places(conf, env) == ("data/results.csv", "rows/{task}")
    with pytest.raises(ConfigError, match="unknown environment 'lokal', did you mean 'local'"):
        places(conf, "lokal")
    (conf / "local").touch()
    with pytest.raises(ConfigError, match="unknown environment 'local'"):
        places(conf, env)


def test_the_command_line_chooses_another_store(conf: Path) -> None:
    assert places(conf, "bare", store="x")[0] == "x/results.csv"


def test_only_the_environment_that_says_so_shares_the_default_store() -> None:
    names = [path.parent.name for path in CONF.glob("*/grid.yml") if path.parent.name != "base"]
    shared = {name for name in names if places(CONF, name)[0] == places(CONF, None)[0]}
    assert shared == {"macro_f1"}
    assert len({places(CONF, name)[0] for name in names}) == len(names)


def test_loaders_that_live_at_once_read_each_their_own_environment(conf: Path) -> None:
    loaders = {env: ConfLoader(str(conf), env=env, **CONFIG_LOADER_ARGS) for env in ("mine", "yours", "bare")}
    found = {env: loader["catalog"]["{task}_raw"]["filepath"] for env, loader in loaders.items()}
    assert found == {"mine": "others/{task}", "yours": "rows/{task}", "bare": "rows/{task}"}
    stores = {env: ConfLoader(str(conf), env=env, **CONFIG_LOADER_ARGS)["globals"]["store"] for env in loaders}
    assert stores == {"mine": "data/mine", "yours": "data/elsewhere", "bare": "data/bare"}


def test_threads_read_each_their_own_environment(conf: Path) -> None:
    expected = {env: places(conf, env, store=env) for env in ("base", "mine", "yours", "bare")}
    with ThreadPoolExecutor(8) as threads:
        asked = [env for env in expected for _ in range(25)]
        found = list(threads.map(lambda env: places(conf, env, store=env), asked))
    assert found == [expected[env] for env in asked]
