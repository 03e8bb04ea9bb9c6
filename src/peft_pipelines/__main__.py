"""The program ``peft-pipelines``, and ``python -m peft_pipelines``, which is ``kedro run`` in the project's folder."""

# ruff: noqa: PLC0415  (Kedro reads the configuration of its log when it is first imported, so that comes before)

import os
import tomllib
from pathlib import Path

from kedro.utils import find_kedro_project

from peft_pipelines.files.shipped import LOGGING, shipped

_PACKAGE = Path(__file__).parent.name


def main() -> None:
    """Run the default pipeline."""
    from kedro.framework.cli.utils import find_run_command
    from kedro.framework.project import configure_project

    configure_project(_PACKAGE)
    find_run_command(_PACKAGE)()


def program() -> None:
    """Run a command line: in a project of this package all that ``kedro`` has there, elsewhere what makes one."""
    found = find_kedro_project(Path.cwd())
    settings = (found or shipped()) / LOGGING
    if settings.is_file():  # the log is quiet in a folder inside the project, too
        os.environ.setdefault("KEDRO_LOGGING_CONFIG", str(settings))
    if found and _is_ours(found / "pyproject.toml"):
        from kedro.framework.cli import main as kedro

        kedro()
    else:
        from peft_pipelines.cli.outside import outside

        outside()


def _is_ours(file: Path) -> bool:
    """Whether a project is one of this package. Where that cannot be read, Kedro says what is wrong with the file."""
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError:
        return True
    return bool(settings.get("tool", {}).get("kedro", {}).get("package_name") == _PACKAGE)


if __name__ == "__main__":
    main()
