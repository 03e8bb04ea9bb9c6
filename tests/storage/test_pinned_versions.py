"""Adapted rows, checkpoints and results keep their versions; a pinned old one loads, by the project's own catalog."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import base_rows
import pandas as pd
import pyarrow as pa
import pytest
import tiny
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog, DatasetError

from peft_pipelines.storage.checkpoint import Trained

OLD, NEW = "2026-01-01T00.00.00.000Z", "2026-02-02T00.00.00.000Z"
Open = Callable[..., DataCatalog]


@pytest.fixture
def catalog(tmp_path: Path) -> Open:
    """The catalog of conf/base on an empty store, as a run opens it."""
    store = {"store": str(tmp_path)}
    loader = OmegaConfigLoader(
        str(base_rows.PROJECT / "conf"), base_env="base", default_run_env="base", runtime_params=store
    )
    return lambda **versions: DataCatalog.from_config(loader["catalog"], **versions)


def trained(seed: int, folder: Path) -> Trained:
    folder.mkdir(parents=True)
    (folder / "optimizer.pt").write_text("state")
    return Trained(tiny.attach("lora", "llama", seed), {"seed": seed}, folder)


def rows(text: str) -> dict[str, pa.Table]:
    return {"test": pa.table({"input": [text], "references": [["a"]]})}


CASES = [
    ("moods_adapted", lambda number, _: rows(str(number)), lambda found: int(found["test"]["input"][0].as_py())),
    ("results", lambda number, _: pd.DataFrame({"primary": [number]}), lambda found: found["primary"].iloc[0]),
    (
        "tuned.small-moods-s0-checkpoint",
        lambda number, folder: trained(number, folder / f"state{number}"),
        lambda found: found.record["seed"],
    ),
]


@pytest.mark.parametrize(("name", "make", "tell"), CASES, ids=[name for name, *_ in CASES])
def test_the_newest_loads_and_a_pinned_old_one_too(
    catalog: Open, tmp_path: Path, name: str, make: Callable[[int, Path], Any], tell: Callable[[Any], int]
) -> None:
    catalog(save_version=OLD).save(name, make(1, tmp_path))
    catalog(save_version=NEW).save(name, make(2, tmp_path))
    assert tell(catalog().load(name)) == 2
    assert tell(catalog(load_versions={name: OLD}).load(name)) == 1
    with pytest.raises(DatasetError):
        catalog(save_version=NEW).save(name, make(3, tmp_path))
    assert tell(catalog().load(name)) == 2


def test_a_checkpoint_holds_no_state_and_ends_its_life(catalog: Open, tmp_path: Path) -> None:
    name = "tuned.small-moods-s0-checkpoint"
    catalog(save_version=OLD).save(name, trained(0, tmp_path / "state"))
    assert not (tmp_path / "state").exists()
    found = catalog().load(name)
    assert found.folder == tmp_path / f"06_models/small/moods/tuned/s0/checkpoint/{OLD}/checkpoint"
    assert {path.suffix for path in found.folder.rglob("*") if path.is_file()} == {".json", ".safetensors"}
    weights = sum(path.stat().st_size for path in found.folder.iterdir() if path.name != "record.json")
    assert found.bytes == weights


def test_a_version_that_was_not_finished_does_not_count(catalog: Open, tmp_path: Path) -> None:
    catalog(save_version=OLD).save("results", pd.DataFrame({"primary": [1]}))
    with pytest.raises(DatasetError):
        catalog(save_version=NEW).save("results", pd.DataFrame({"primary": [1, "mixed"]}))
    assert catalog().load("results")["primary"].tolist() == [1]


def test_nothing_in_the_catalog_is_pickled(catalog: Open) -> None:
    resolver = catalog().config_resolver
    kinds = {entry["type"] for entry in [*resolver.config.values(), *resolver._dataset_patterns.values()]}
    assert "peft_pipelines.storage.checkpoint.CheckpointFolder" in kinds
    assert not [kind for kind in kinds if "pickle" in kind.lower()]
