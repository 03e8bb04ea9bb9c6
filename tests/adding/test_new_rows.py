"""Where the rows of a new task are read from: in place inside the project, from copies otherwise."""

from pathlib import Path

import pytest

from peft_pipelines.adding.new_rows import RowFiles, Sources, sources_of
from peft_pipelines.config.errors import ConfigError

CSV = 'text,label\n"a; b",x\nc,y\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "own").mkdir(parents=True)
    (folder / "own/rows.csv").write_text(CSV)
    for name in ("train", "test", "dev"):
        (tmp_path / f"{name}.csv").write_text(CSV)
    return folder


def of(project: Path, *files: str, share: float | None = None, sep: str | None = None) -> Sources:
    return sources_of("mine", RowFiles(*(project / name for name in files), test_share=share, separator=sep), project)


def test_a_file_inside_the_project_stays_where_it_is(project: Path) -> None:
    found = of(project, "own/rows.csv", share=0.5)
    assert (found.place, dict(found.copied)) == ("own/rows.csv", {})
    assert found.splits.model_dump(exclude_none=True) == {"train": "train", "test_share": 0.5}
    assert found.rows["train"].to_pylist()[0] == {"text": "a; b", "label": "x"}


def test_a_file_from_elsewhere_is_copied_byte_for_byte(project: Path, tmp_path: Path) -> None:
    found = of(project, "../train.csv")
    assert (found.place, found.splits.test_share) == ("data/01_raw/mine", 0.2)
    found.write(tmp_path / "project/own")
    assert (project / "own/train.csv").read_text() == CSV


def test_several_files_become_the_splits_of_a_folder(project: Path) -> None:
    found = of(project, "own/rows.csv", "../test.csv", "../dev.csv")
    assert sorted(found.copied) == ["test.csv", "train.csv", "validation.csv"]
    assert found.splits.model_dump(exclude_none=True) == {"train": "train", "test": "test", "validation": "validation"}


def test_a_folder_of_splits_is_one_place(project: Path) -> None:
    (project / "own/rows.csv").rename(project / "own/train.csv")
    (project / "own/test.csv").write_text(CSV)
    found = of(project, "own")
    assert (found.place, dict(found.copied), found.splits.test) == ("own", {}, "test")
    assert sorted(found.rows) == ["test", "train"]


def test_other_separators_are_copied_with_commas(project: Path) -> None:
    (project / "own/rows.csv").write_text('text;label\n"a; ""b"", c";x\nd\te;y\n')
    found = of(project, "own/rows.csv", sep=";")
    assert found.rows["train"].to_pylist() == [{"text": 'a; "b", c', "label": "x"}, {"text": "d\te", "label": "y"}]
    found.write(project / "own")
    again = of(project, "own/train.csv")
    assert again.rows["train"].equals(found.rows["train"])


@pytest.mark.parametrize(
    ("files", "options", "line"),
    [
        (("nothing.csv",), {}, "FILE: '{}/nothing.csv' is not there; a file (.parquet, .csv, .jsonl) or a folder"),
        (("../odd.xlsx",), {}, "FILE: '{}/../odd.xlsx' must end in .parquet, .csv, .jsonl, got '.xlsx'; text in"),
        (("../semi.csv",), {}, "FILE: '{}/../semi.csv' has a single column, 'text;label'; is it --sep ';'?"),
        (("own/rows.csv", "../test.csv"), {"share": 0.2}, "--test-share: must be left out where there are rows"),
        (("own/rows.csv",), {"share": 1.5}, "--test-share, test_share: Input should be less than 1, got 1.5"),
        (("own/rows.csv",), {"share": 0.0}, "--test-share, test_share: Input should be greater than 0, got 0.0"),
        (("own",), {}, "FILE: folder '{}/own' has no split 'train', got rows"),
        (("../valid",), {}, "FILE: folder '{}/../valid' has a split 'valid', which nothing would use. Allowed"),
        (("own", "../test.csv"), {}, "FILE: '{}/own' is a folder of splits; --test and --validation stand beside"),
        (("../empty",), {}, "raw rows: no rows in folder '{}/../empty'"),
    ],
)
def test_what_is_no_source_is_one_line(
    project: Path, tmp_path: Path, files: tuple[str, ...], options: dict[str, float], line: str
) -> None:
    (tmp_path / "odd.xlsx").write_bytes(b"PK")
    (tmp_path / "semi.csv").write_text("text;label\na;x\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "valid").mkdir()
    for name in ("train", "valid"):
        (tmp_path / f"valid/{name}.csv").write_text(CSV)
    with pytest.raises(ConfigError) as caught:
        of(project, *files, **options)
    assert str(caught.value).startswith(line.format(project))
