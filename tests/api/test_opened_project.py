"""A session's current folder is that of its project, and of no other thread."""

from multiprocessing.pool import ThreadPool
from pathlib import Path

import pytest
from recorded import original

from peft_pipelines import results
from peft_pipelines.api.opened_project import paths, project_of, session_of
from peft_pipelines.config.errors import ConfigError

__all__ = ["original"]


def test_another_thread_waits_for_the_end_of_a_session(
    original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with ThreadPool(2) as pool:
        with session_of(original, None, {}):
            assert Path.cwd() == original
            here = pool.apply_async(project_of, (None,))
            table = pool.apply_async(results, kwds={"project": original, "store": "data"})
            here.wait(0.3)
            assert not here.ready()
        with pytest.raises(ConfigError, match=rf"^project: must be given, since '{tmp_path}' lies in no project"):
            here.get()
        assert "done" in table.get().status.tolist()
    assert Path.cwd() == tmp_path


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert paths(store="~/results", raw="./rows~") == {"store": f"{tmp_path}/results", "raw": "rows~"}
    with pytest.raises(ConfigError, match=r"^project: must be a folder with .*, got '.*/~no_such_user/study'$"):
        project_of("~no_such_user/study")
    (tmp_path / "study/conf/base").mkdir(parents=True)
    (tmp_path / "study/conf/base/catalog.yml").touch()
    assert project_of("~/study") == tmp_path / "study"
