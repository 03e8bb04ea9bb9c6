"""What all tests share. No library that is slow to import is loaded here, so that a test of strings starts at once."""

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

import light
import pytest

from peft_pipelines.methods.installed import OPTIONAL, is_installed

if TYPE_CHECKING:
    from peft_pipelines.config import ModelSpec
    from peft_pipelines.models.base_model import Base

# Before torch is loaded, here and in processes of the tests: workers share the cores, and sums keep their order.
for _library in ("OMP", "MKL", "OPENBLAS", "RAYON"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

# What `make test VENV=/some/where` was told is not meant for a make that a test runs. It hands its variables down both
# in its flags and by their names.
_told = [word.partition("=")[0] for word in os.environ.get("MAKEFLAGS", "").split() if "=" in word]
for _name in ("MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "MFLAGS", *_told):
    os.environ.pop(_name, None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--light``."""
    parser.addoption("--light", action="store_true", help="only tests that load no torch, on a quarter of the examples")


def pytest_configure(config: pytest.Config) -> None:
    """Have ``--light`` hold for the package's doctests too, which lie outside this folder, and draw fewer examples."""
    if config.getoption("--light"):
        from hypothesis import settings  # noqa: PLC0415  (a run of a few tests need not import it)

        config.pluginmanager.register(light.LightOnly())
        settings.register_profile("light", max_examples=25)
        settings.load_profile("light")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip each test that is given a row that is left out."""
    rows = left_out()
    for item in items:
        given = item.callspec.params.values() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ()
        if any(value in rows for value in given if isinstance(value, str)):
            item.add_marker(pytest.mark.skip(reason="the row's library is not installed"))


def pytest_collection_finish() -> None:
    """Take what the imports have left out of the collector's sight: each training collects, and looks at all of it."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line which rows no test has seen."""
    if rows := left_out():
        terminalreporter.write_line(f"left out, their library is not installed: {', '.join(rows)}")


def left_out() -> list[str]:
    """The method rows of a provider whose library this environment lacks."""
    if all(map(is_installed, OPTIONAL)):
        return []
    from base_rows import METHODS, ROWS  # noqa: PLC0415  (read only where something is left out)

    return sorted(ROWS.keys() - METHODS.keys())


@pytest.fixture(scope="session")
def base_spec() -> "ModelSpec":
    """The row of the embedded model."""
    from base_rows import rows_of  # noqa: PLC0415  (this fixture and those below load what they need when they are used)

    from peft_pipelines.config import ModelSpec, parse  # noqa: PLC0415

    name, row = next((name, row) for name, row in rows_of("models").items() if "package" in row)
    return parse(ModelSpec, f"model '{name}'", {**row, "name": name})


@pytest.fixture(scope="session")
def base_folder(base_spec: "ModelSpec") -> Path:
    """The embedded model's folder, where `kedro fetch` puts it; downloaded once, whichever worker comes first."""
    from filelock import FileLock  # noqa: PLC0415

    from peft_pipelines.data.fetch import fetch_model  # noqa: PLC0415

    folder = light.PROJECT / "data/01_raw/models" / base_spec.name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / f".{base_spec.name}.lock"):
        fetch_model(base_spec, folder, folder.parent / "lock.json")
    return folder


@pytest.fixture(scope="session")
def base(base_spec: "ModelSpec", base_folder: Path) -> "Base":
    """The embedded model, resident."""
    from peft_pipelines.models import base_model  # noqa: PLC0415

    return base_model.load(base_spec, base_folder)
