"""An environment in a draft of the configuration: its new files, its other ones, and all other environments."""

from pathlib import Path

import pytest

from peft_pipelines.config.conf_files import paths_of
from peft_pipelines.config.drafted_conf import drafted
from peft_pipelines.config.errors import ConfigError


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A configuration whose environment ``trial`` has a file of its own and a linked folder."""
    made = tmp_path / "conf"
    for name in ("base", "trial", "theirs/parameters"):
        (made / name).mkdir(parents=True)
    (made / "base/grid.yml").write_text("methods: [lora]\n")
    (made / "trial/grid.yml").write_text("methods: [ia3]\n")
    (made / "trial/catalog.yml").write_text("{}\n")
    (made / "theirs/parameters/more.yml").write_text("seeds: {s9: 9}\n")
    (made / "trial/parameters").symlink_to("../theirs/parameters")
    return made


def said(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths_of(folder, folder.name)}


def test_the_environment_has_the_texts_and_its_other_files(conf: Path) -> None:
    before = said(conf)
    with drafted(conf, "trial", {"grid.yml": "methods: [bitfit]\n", "new/parameters.yml": ""}) as draft:
        assert said(draft / "base") == said(conf / "base")
        assert said(draft / "trial") == {
            "grid.yml": "methods: [bitfit]\n",
            "catalog.yml": "{}\n",
            "parameters/more.yml": "seeds: {s9: 9}\n",
            "new/parameters.yml": "",
        }
    assert said(conf) == before and not draft.exists()


def test_a_new_environment_has_the_texts_alone(conf: Path) -> None:
    with drafted(conf, "fresh", {"grid.yml": ""}) as draft:
        assert draft.name == "conf" and list(said(draft / "fresh")) == ["grid.yml"]
    assert not (conf / "fresh").exists()


def test_what_is_no_file_is_told_as_by_a_run(conf: Path) -> None:
    (conf / "trial/parameters_more.yml").mkdir()
    refused = pytest.raises(ConfigError, match=r"^conf/trial/parameters_more.yml: must be a file, got a folder$")
    with refused, drafted(conf, "trial", {}):
        pass
