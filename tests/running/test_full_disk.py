"""A disk that is full or refuses ends the run in one line; what stood stands, and the same command goes on."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from processes import CANNOT, begun, run_read_only, run_within, run_without_rights
from project import Project, project  # noqa: F401
from trivial import CALLS, ERRORS, catalog, pipeline, ran

from peft_pipelines.files import atomic
from peft_pipelines.running.failures import DiskFailed, PartsFailed

CELL = "m/x/b/s0"


@pytest.fixture(autouse=True)
def _no_faults() -> Iterator[None]:
    CALLS.clear()
    ERRORS.clear()
    yield
    ERRORS.clear()


def refused(code: int, name: str) -> OSError:
    return OSError(code, os.strerror(code), name)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_a_full_disk_ends_the_run_and_names_what_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def full(path: Path) -> None:
        if CALLS and CALLS[-1] == "train.b.x":
            raise refused(code, str(path))

    with monkeypatch.context() as patched:
        patched.setattr(atomic, "_sync", full)
        with pytest.raises(DiskFailed) as caught:
            ran(pipeline(), catalog(tmp_path))
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{os.strerror(code)}: '{tmp_path / CELL}")
    assert line.endswith(
        "(at b · m · x · s0 (train); 1 of 4 cells stand); once this is mended, the same kedro run goes on"
    )
    assert not (tmp_path / CELL / "failure.json").exists()
    assert CALLS[-1] == "train.b.x"
    assert not list(tmp_path.rglob("*.part")) + list(tmp_path.rglob("claim.json"))
    assert ran(pipeline(), catalog(tmp_path, version="2"))[:3] == ["construct.b", "train.b.x", "score.b.x"]


def test_words_of_a_library_that_writes_by_itself_count_too(tmp_path: Path) -> None:
    ERRORS["train.b.x"] = RuntimeError("Error while serializing: No space left on device (os error 28)")
    with pytest.raises(DiskFailed, match=r"^No space left on device \(at b"):
        ran(pipeline(), catalog(tmp_path))


def test_a_failure_that_cannot_be_recorded_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ERRORS["train.b.x"] = ValueError("no")

    def closed(path: Path) -> None:
        if CALLS and CALLS[-1] == "train.b.x":
            raise refused(errno.EACCES, str(path))

    with monkeypatch.context() as patched:
        patched.setattr(atomic, "_sync", closed)
        with pytest.raises(DiskFailed, match=r"^Permission denied: ") as caught:
            ran(pipeline(), catalog(tmp_path))
    assert isinstance(caught.value.__cause__, OSError)
    with pytest.raises(PartsFailed, match="1 of 4 cells failed"):
        ran(pipeline(), catalog(tmp_path, version="2"))


def test_a_store_that_is_a_file_is_one_line(project: Project) -> None:  # noqa: F811
    Path("data").write_text("a file")
    for command in (["run"], ["verify"]):
        result = project.kedro(*command)
        assert result.exit_code == 1
        (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error")]
        assert line.startswith(("Error: Not a directory: 'data/", "Error: Not a directory: '/")), line
        assert "Traceback" not in result.output
    assert Path("data").read_text() == "a file"


def test_a_limit_on_the_size_of_files_is_one_line(project: Project) -> None:  # noqa: F811
    run = begun(run_within, project, 4000)
    run.join()
    assert run.exitcode == 1
    lines = Path("out").read_text().splitlines()
    assert [line for line in lines if line.startswith("Error: File too large")], lines
    assert not any("Traceback" in line for line in lines)
    result = project.kedro("run")
    assert result.exit_code == 0, result.output


def modes(folder: Path, mode: int) -> None:
    """Set the mode of a folder and of all folders in it."""
    for path in [*folder.rglob("*"), folder]:
        if path.is_dir():
            path.chmod(mode)


def contents(store: Path) -> dict[Path, bytes]:
    """The files of a store."""
    return {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}


def one_line(run: Callable[[Project], None], project: Project) -> str:  # noqa: F811
    """The error of a run in a process of its own."""
    process = begun(run, project)
    process.join()
    if process.exitcode == CANNOT:
        pytest.skip("this process may not mount")
    assert process.exitcode == 1
    text = Path("out").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("Error")]
    assert "Traceback" not in text
    return line


@pytest.mark.parametrize(
    ("run", "words", "before"),
    [
        (run_without_rights, "Permission denied", ["--tags=data.mood"]),
        (run_read_only, "Read-only file system", ["--tags=data.mood"]),
        (run_read_only, "Read-only file system", []),
    ],
    ids=["no permission behind the data", "read only behind the data", "read only behind all"],
)
def test_a_store_that_may_not_be_written_is_one_line_and_loses_nothing(
    project: Project,  # noqa: F811
    run: Callable[[Project], None],
    words: str,
    before: list[str],
) -> None:
    project.grid["methods"] = ["lora"]
    assert project.kedro("run", *before).exit_code == 0
    store = Path("data")
    stood = contents(store)
    modes(store, 0o555 if run is run_without_rights else 0o755)
    line = one_line(run, project)
    modes(store, 0o755)
    assert line.startswith(f"Error: {words}: '"), line
    assert contents(store) == stood
    result = project.kedro("run")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("path", ["raw/mood/train.jsonl", "raw/mood", "model/config.json", "model/model.safetensors"])
def test_what_may_not_be_read_is_one_line(project: Project, path: str) -> None:  # noqa: F811
    Path(path).chmod(0)
    line = one_line(run_without_rights, project)
    Path(path).chmod(0o755)
    assert "ermission denied" in line, line
    assert path.rpartition("/")[2] in line, line
