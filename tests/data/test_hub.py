"""Each task's row against its repository as it lies on the hub: branch, files, configurations, splits and columns.

The layouts were read from public sources, which docs/datasets.md names. The rows in them are those of the samples.
"""

import io
import json
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pytest
import yaml
from base_rows import ALL_ROWS, PROJECT, TASKS, task_of
from datasets import ClassLabel, Dataset
from hub_stand_in import hub
from hub_visit import Visit, as_bytes, visit

from peft_pipelines.data.adapt import adapt
from peft_pipelines.data.hub import PARQUET_BRANCH
from peft_pipelines.storage.splits import RowsFolder

PINS: dict[str, str] = json.loads((PROJECT / "conf/hub/lock.json").read_text())
NOT_PINNED = "d" * 40
SOURCES = {name: source for name in TASKS if (source := task_of(name).source)}

ONE = "{config}/{split}-00000-of-00001.parquet"
DATA = "data/{split}-00000-of-00001.parquet"
HASHED = "data/{split}-00000-of-00001-1df578f0dea5fc49.parquet"
CONVERTED = "{config}/{split}/{shard:04}.parquet"
PLAIN, HIDDEN = ("train", "validation"), ("train", "validation", "test")

SUPER_GLUE = dict.fromkeys(("boolq", "cb", "copa", "multirc", "record", "rte", "wic", "wsc", "wsc.fixed"), HIDDEN)
GLUE = dict.fromkeys(("cola", "mrpc", "qnli", "qqp", "rte", "sst2", "stsb", "wnli"), HIDDEN)
MNLI = ("train", "validation_matched", "validation_mismatched", "test_matched", "test_mismatched")

Layout = tuple[str, str, Mapping[str, tuple[str, ...]]]
LAYOUTS: dict[str, Layout] = {
    "nyu-mll/glue": ("main", ONE, {**GLUE, "mnli": MNLI}),
    "aps/super_glue": ("main", ONE, SUPER_GLUE),
    "cais/mmlu": ("main", ONE, {"all": ("auxiliary_train", "dev", "validation", "test")}),
    "allenai/openbookqa": ("main", ONE, {"main": HIDDEN, "additional": HIDDEN}),
    "allenai/winogrande": ("main", ONE, {"winogrande_xl": HIDDEN, "winogrande_debiased": HIDDEN}),
    "openai/gsm8k": ("main", ONE, {"main": ("train", "test"), "socratic": ("train", "test")}),
    "Rowan/hellaswag": ("main", DATA, {"default": HIDDEN}),
    "ChilleD/SVAMP": ("main", DATA, {"default": ("train", "test")}),
    "Abzu/CodeAlpacaPython": ("main", HASHED, {"": ("train", "test")}),
    "ybisk/piqa": (PARQUET_BRANCH, CONVERTED, {"plain_text": HIDDEN}),
    "allenai/social_i_qa": (PARQUET_BRANCH, CONVERTED, {"default": PLAIN}),
    "allenai/math_qa": (PARQUET_BRANCH, CONVERTED, {"default": HIDDEN}),
    "neulab/conala": (PARQUET_BRANCH, CONVERTED, {"curated": ("train", "test"), "mined": ("train",)}),
    "codeparrot/apps": (PARQUET_BRANCH, CONVERTED, {"all": ("train", "test"), "interview": ("train", "test")}),
}
"""Repository → branch with the Parquet files, their names, and the splits of each configuration; one without a name is
in no card. Repositories with another branch than main are scripts there."""
IN_TWO_FILES = {("codeparrot/apps", "test")}


def samples(name: str) -> dict[str, pa.Table]:
    """The sample rows of a task, by the names that its splits have on the hub."""
    splits = RowsFolder(filepath=str(PROJECT / "data/01_raw/samples" / name)).load()
    return {SOURCES[name].splits.get(split, split): table.combine_chunks() for split, table in splits.items()}


def parquet(table: pa.Table) -> bytes:
    """A table as the hub has it: whole labels are those of a class, which stands in the file's metadata."""
    if "label" not in table.column_names or not pa.types.is_integer(table.schema.field("label").type):
        return as_bytes(table)
    found, out = Dataset(table), io.BytesIO()
    words = [str(number) for number in range(max(found["label"]) + 1)]
    found.cast_column("label", ClassLabel(names=words)).to_parquet(out)
    return out.getvalue()


def card(layout: Layout) -> str:
    """The head of a repository's card, with the files of each split of each configuration."""
    _, files, configs = layout
    pattern = files.removesuffix("00000-of-00001.parquet") + "*"
    listed = [
        {
            "config_name": config,
            "data_files": [{"split": split, "path": pattern.format(config=config, split=split)} for split in splits],
        }
        for config, splits in configs.items()
        if config
    ]
    return f"---\n{yaml.safe_dump({'license': 'other', **({'configs': listed} if listed else {})})}---\n"


def files(repo: str) -> Iterator[tuple[str, bytes]]:
    """The Parquet files of a repository; a split that no row names has one row, of another kind."""
    _, pattern, configs = LAYOUTS[repo]
    known = {(source.config or ""): samples(name) for name, source in SOURCES.items() if source.repo == repo}
    for config, splits in configs.items():
        tables = known.get(config, known.get("") if config == "default" else None) or {}
        empty = next(iter(tables.values())).slice(0, 1) if tables else pa.table({"other": ["not this"]})
        for split in splits:
            table = tables.get(split, empty)
            first = table.num_rows if (repo, split) not in IN_TWO_FILES else 1
            for shard, part in enumerate((table.slice(0, first), table.slice(first))):
                if part.num_rows:
                    yield pattern.format(config=config, split=split, shard=shard), parquet(part)


def published(repo: str) -> dict[str, Mapping[str, bytes]]:
    """A repository: commit → path → bytes."""
    branch, *_ = LAYOUTS[repo]
    commit, script = PINS.get(f"dataset {repo} {branch}", NOT_PINNED), f"{repo.partition('/')[2]}.py"
    if branch != "main":
        return {commit: dict(files(repo)), "e" * 40: {script: b"raise SystemExit", "README.md": b"a script"}}
    beside = {"train.json": b'[{"ID": "not this"}]', "test.json": b'[{"ID": "not this"}]'} if "SVAMP" in repo else {}
    return {commit: {"README.md": card(LAYOUTS[repo]).encode(), **beside, **dict(files(repo))}}


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Visit:
    folder = tmp_path_factory.mktemp("rows")
    (folder / "lock.json").write_text(json.dumps(PINS))
    repositories = {f"datasets/{repo}": published(repo) for repo in LAYOUTS}
    branches = {
        f"datasets/{repo}": {"main": "e" * 40, branch: PINS.get(f"dataset {repo} {branch}", NOT_PINNED)}
        for repo, (branch, *_) in LAYOUTS.items()
    }
    with hub(repositories, branches) as address:
        return visit(folder, {name: {**TASKS[name], "name": name} for name in SOURCES}, HF_ENDPOINT=address)


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_rows_repository_has_its_configuration_and_splits(name: str, visited: Visit) -> None:
    task = task_of(name)
    assert visited.said[name] is True
    rows = RowsFolder(filepath=str(visited.folder / name)).load()
    wanted = samples(name)
    assert sorted(rows) == sorted(task.splits.names)
    for split, table in rows.items():
        assert table.to_pylist() == wanted[SOURCES[name].splits.get(split, split)].to_pylist()
    assert set(adapt(rows, task, ALL_ROWS)) == {"train", "validation", "test"}


def test_each_rows_repository_is_one_whose_layout_is_known() -> None:
    assert {source.repo for source in SOURCES.values()} == LAYOUTS.keys()


def test_each_pin_is_of_a_branch_that_a_row_reads() -> None:
    read = {f"dataset {source.repo} {LAYOUTS[source.repo][0]}" for source in SOURCES.values()}
    assert set(PINS) <= read
    assert [pin for pin in PINS.values() if len(pin) != 40 or set(pin) - set("0123456789abcdef")] == []


def test_a_fetch_reads_what_is_pinned_and_pins_the_rest(visited: Visit) -> None:
    assert visited.lock == {**{key: NOT_PINNED for key in visited.lock}, **PINS}
    assert len(visited.lock) == len(LAYOUTS)
