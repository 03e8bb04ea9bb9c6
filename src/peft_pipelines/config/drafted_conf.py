"""A folder of configuration in which one environment has other files, so that these are read before they stand."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from peft_pipelines.config.conf_files import paths_of


@contextmanager
def drafted(conf: Path, env: str, texts: Mapping[str, str]) -> Iterator[Path]:
    """Yield a folder of configuration in which an environment has the files that it is to have, for a block.

    All other environments are links to those of ``conf``, and so are files of the environment that have no text here.

    Args:
        conf: the folder of configuration, with or without the environment.
        env: the environment's name.
        texts: the files' texts by path in the environment's folder.

    Raises:
        ConfigError: what has the name of a configuration file in the environment is none.
    """
    with tempfile.TemporaryDirectory(prefix="conf-") as scratch:
        draft = Path(scratch, conf.name)
        draft.mkdir()
        for path in conf.iterdir():
            if path.name != env:
                (draft / path.name).symlink_to(path.resolve())
        folder, now = draft / env, conf / env
        folder.mkdir()
        for path in paths_of(now, f"{conf.name}/{env}") if now.is_dir() else ():
            place = folder / path.relative_to(now)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(path.resolve())
        for name, text in texts.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.unlink(missing_ok=True)
            place.write_text(text, encoding="utf-8")
        yield draft
