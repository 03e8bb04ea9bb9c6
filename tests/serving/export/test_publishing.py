"""What is sent to a hub, to whom it is shown, and that the token is in no message."""

from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest
from hub_uploads import Uploads, taking_hub

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.serving.export.publishing import Repository, listing, repository_name, send, without_token

TOKEN = "hf_aWordThatNobodyMaySee"
MINE = Repository("someone/mood-lora", public=False)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Uploads]:
    with taking_hub() as found:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", found.address)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "repository"
    made.mkdir()
    (made / "adapter_model.safetensors").write_bytes(b"weights" * 100)
    (made / "README.md").write_text("---\nlicense: apache-2.0\n---\n# It\n")
    return made


def test_each_file_is_sent_to_a_private_repository(hub: Uploads, folder: Path) -> None:
    assert send(folder, MINE, "lora") == f"{hub.address}/someone/mood-lora/commit/1a2b"
    assert hub.private == {"someone/mood-lora": True}
    assert hub.files["someone/mood-lora"] == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {f"Bearer {TOKEN}", ""} >= hub.tokens


def test_a_public_repository_is_made_when_asked_for(hub: Uploads, folder: Path) -> None:
    send(folder, Repository("someone/open", public=True), "lora")
    assert hub.private == {"someone/open": False}


@pytest.mark.parametrize(("public", "remedy"), [(True, "--public allows it"), (False, "leave --public out")])
def test_a_repository_that_others_see_gets_nothing(hub: Uploads, folder: Path, public: bool, remedy: str) -> None:
    hub.private["someone/mood-lora"] = not public
    with pytest.raises(ConfigError, match=f"already, so nothing is sent; {remedy}"):
        send(folder, Repository("someone/mood-lora", public=not public), "lora")
    assert hub.files == {} and not any("commit" in one for one in hub.asked)


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_refusal_is_one_line_without_the_token(hub: Uploads, folder: Path, status: int) -> None:
    hub.refuses = status
    with pytest.raises(ConfigError, match="repository 'someone/mood-lora': could not be written") as caught:
        send(folder, MINE, "lora")
    assert "\n" not in str(caught.value) and TOKEN not in str(caught.value)
    assert ("hf auth login" in str(caught.value)) == (status != 500)


def test_a_hub_that_is_not_there_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with pytest.raises(ConfigError, match="could not be written") as caught:
        send(folder, MINE, "lora")
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("token", "words"), [(None, "the hub asks who sends"), ("hf_bro ken", "holds a character that no token has")]
)
def test_nothing_is_sent_without_a_token(
    hub: Uploads, folder: Path, token: str | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peft_pipelines.serving.export.publishing.get_token", lambda: token)
    with pytest.raises(ConfigError, match=words) as caught:
        send(folder, MINE, "lora")
    assert hub.asked == [] and "bro" not in str(caught.value)


def test_a_message_loses_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert without_token(f"header\n'Bearer {TOKEN}'") == "header 'Bearer (token)'"


@pytest.mark.parametrize("name", ["mood", "a/b/c", "a/", "/b", "a/b c", "a/-b", "../b"])
def test_a_name_that_is_none_of_the_hub_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"^--repo: must be "):
        repository_name("--repo", name)


def test_the_list_has_each_file_with_its_bytes(folder: Path) -> None:
    text = listing(folder, MINE)
    assert "| adapter_model.safetensors |   700 |" in text
    assert text.endswith("2 files, 733 bytes, to the private repository someone/mood-lora")
