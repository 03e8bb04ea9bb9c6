"""Sending a folder to a repository of the model hub, by the hub's own client.

The token is the client's: the variable ``HF_TOKEN``, or what ``hf auth login`` has stored. It is in no message.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
from huggingface_hub.utils._validators import validate_repo_id
from huggingface_hub.utils.tqdm import disable_progress_bars

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.markdown import render

T = TypeVar("T")
LOG_IN: Final = "log in with `hf auth login`, or set HF_TOKEN"
HIDDEN: Final = "(token)"


@dataclass(frozen=True)
class Repository:
    """A model repository of the hub, and who may see it.

    Attributes:
        name: ``OWNER/NAME``.
        public: whether everybody may see it.
    """

    name: str
    public: bool

    @property
    def seen_by(self) -> str:
        """Who sees it, in a word."""
        return "public" if self.public else "private"


def repository_name(where: str, value: str) -> str:
    """Return the name of a repository.

    >>> repository_name("--repo", "someone/mood-lora")
    'someone/mood-lora'
    >>> repository_name("--repo", "mood-lora")
    Traceback (most recent call last):
    peft_pipelines.config.errors.ConfigError: --repo: must be OWNER/NAME, got 'mood-lora'
    """
    if value.count("/") != 1:
        raise ConfigError(f"{where}: must be OWNER/NAME, got '{value:.120}'")
    try:
        validate_repo_id(value)
    except HFValidationError as error:
        raise ConfigError(f"{where}: must be a name that the hub allows: {_one_line(str(error))}") from None
    return value


def check_token() -> None:
    """Raise ConfigError where the hub's client has no token, or one that is none. Nothing is sent."""
    token = get_token()
    if token is None:
        raise ConfigError(f"the hub asks who sends: {LOG_IN}")
    if not re.fullmatch("[!-~]+", token):
        raise ConfigError(f"the hub's token holds a character that no token has: {LOG_IN}")


def listing(folder: Path, repository: Repository) -> str:
    """Return what would be sent: each file with its bytes, and where it goes."""
    files = {path.relative_to(folder).as_posix(): path.stat().st_size for path in files_of(folder)}
    table = render({"file": list(files), "bytes": [f"{size:,}" for size in files.values()]})
    total = f"{len(files)} files, {sum(files.values()):,} bytes, to the {repository.seen_by} repository"
    return f"{table}\n\n{total} {repository.name}"


def files_of(folder: Path) -> list[Path]:
    """Return the files of a folder in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def send(folder: Path, repository: Repository, message: str) -> str:
    """Send a folder to a repository, which is made where there is none; files of other names there stay.

    Args:
        folder: what is sent.
        repository: where to.
        message: of the commit.

    Returns:
        The address of the commit.

    Raises:
        ConfigError: there is no token, the repository is seen by others than it should be, or the hub refuses.
    """
    check_token()
    disable_progress_bars()
    api = HfApi()
    _check_visible(api, repository)
    _reached(repository, lambda: api.create_repo(repository.name, private=not repository.public, exist_ok=True))
    _check_visible(api, repository)
    commit = _reached(
        repository, lambda: api.upload_folder(repo_id=repository.name, folder_path=folder, commit_message=message)
    )
    return str(commit.commit_url)


def _check_visible(api: HfApi, repository: Repository) -> None:
    """Refuse a repository that is there already and is seen by others than it should be: that would stay so."""
    info = _reached(repository, lambda: _info(api, repository.name))
    if info is not None and bool(info.private) == repository.public:
        is_now, remedy = ("private", "leave --public out") if info.private else ("public", "--public allows it")
        raise ConfigError(f"repository '{repository.name}': is {is_now} already, so nothing is sent; {remedy}")


def _info(api: HfApi, name: str) -> Any:
    """What the hub says of a repository; None where there is none that the token may see."""
    try:
        return api.model_info(name)
    except RepositoryNotFoundError:
        return None


def _reached(repository: Repository, call: Callable[[], T]) -> T:
    """What a call to the hub returns; what fails is told in a line, without the token."""
    try:
        return call()
    except (OSError, ValueError, RuntimeError, LookupError) as error:  # the last of an answer that is not the hub's
        status = getattr(getattr(error, "response", None), "status_code", None)
        advice = f"; {LOG_IN} as one who may write there" if status in (401, 403) else ""
        raise ConfigError(
            f"repository '{repository.name}': could not be written: {without_token(str(error))}{advice}"
        ) from None


def without_token(text: str) -> str:
    """Return a message on one line, with the hub's token out of it."""
    token = get_token()
    return _one_line(text.replace(token, HIDDEN) if token else text)


def _one_line(text: str) -> str:
    return f"{' '.join(text.split()):.300}".rstrip(".")
