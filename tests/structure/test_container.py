"""The Dockerfile and the dev container: linted, pinned, without rights, and of one mind with each other."""

import json
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
from light import PROJECT

DOCKERFILE = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
STAGES = {name: base for base, name in re.findall(r"^FROM (\S+) AS (\w+)$", DOCKERFILE, re.MULTILINE)}
IMAGES = ("cpu", "cuda", "dev")
FILES = (".gitignore", ".telemetry", "LICENSE", "README.md", "constraints.txt", "pyproject.toml")
"""What the wheel is built from beside the folders that ``pyproject.toml`` includes."""


def stage(name: str) -> str:
    """The instructions of a stage, comments and continued lines taken off."""
    text = re.split(rf"^FROM \S+ AS {name}$", DOCKERFILE, flags=re.MULTILINE)[1]
    text = re.split(r"^FROM ", text, flags=re.MULTILINE)[0]
    return re.sub(r"^#.*\n|\\\n\s*", "", text, flags=re.MULTILINE)


def test_hadolint_finds_nothing() -> None:
    program = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("hadolint comes with the development tools, on Linux")
    done = subprocess.run([program, "Dockerfile"], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_only_base_from_elsewhere_is_pinned_to_a_release() -> None:
    bases = set(STAGES.values()) - STAGES.keys()
    assert len(bases) == 1 and all(re.fullmatch(r"python:3\.11\.\d+-slim-\w+", base) for base in bases)


def test_the_stage_that_is_built_by_default_is_the_one_for_the_cpu() -> None:
    assert list(STAGES)[-1] == "cpu"


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_has_a_user_without_rights(name: str) -> None:
    users = re.findall(r"^USER (.*)$", stage(name), re.MULTILINE)
    assert users == ["1000"] and "useradd --uid=1000" in stage("base")


@pytest.mark.parametrize("name", ["cpu", "cuda"])
def test_an_image_has_the_locked_releases_and_checks_its_torch(name: str) -> None:
    assert "pip install --constraint=/wheels/constraints.txt /wheels/*.whl" in stage(name)
    assert "torch.version.cuda" in stage(name)


def test_the_release_of_torch_can_be_read_from_the_constraints() -> None:
    (wanted,) = re.findall(r"grep --only-matching '([^']+)'", stage("cpu"))
    lines = (PROJECT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if re.match(wanted, line)]) == 1


def let_in(name: str, rules: list[str]) -> bool:
    """Whether a file is sent to the builder: the last rule that holds for it or for a folder around it decides."""
    around = [path.as_posix() for path in (Path(name), *Path(name).parents)]
    decided = [rule for rule in rules if any(fnmatch(each, rule.removeprefix("!")) for each in around)]
    return not decided or decided[-1].startswith("!")


def test_an_image_is_built_from_what_the_wheel_needs_alone() -> None:
    lines = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    settings = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    (included,) = re.findall(r"^include = (\[.*\])$", settings, re.MULTILINE)
    needed = [*(folder.strip("/").removesuffix("/peft_pipelines") for folder in json.loads(included)), *FILES]
    asked = ["git", "ls-files", "-z"]
    listed = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.split("\0")
    assert "conf/local/.gitkeep" in listed
    assert {name for name in listed if let_in(name, rules)} == {
        name for name in listed if any(name == each or name.startswith(f"{each}/") for each in needed)
    }
    for name in ("conf/local/credentials.yml", "src/peft_pipelines/__pycache__/x.pyc", ".venv/x", "data/06_models/x"):
        assert not let_in(name, rules)


def test_the_dev_container_is_a_stage_with_a_user_and_a_target() -> None:
    settings = json.loads((PROJECT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    build = settings["build"]
    assert (PROJECT / ".devcontainer" / build["dockerfile"]).resolve() == PROJECT / "Dockerfile"
    assert (PROJECT / ".devcontainer" / build["context"]).resolve() == PROJECT
    assert build["target"] in STAGES and re.search(rf"useradd .* {settings['remoteUser']} ", stage("base"))
    make, target = settings["postCreateCommand"].split()
    asked = [make, "--dry-run", "--always-make", target]
    printed = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert "-e '.[dev]'" in printed
