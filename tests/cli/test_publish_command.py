"""``kedro publish`` as it is typed, against a hub on this machine."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest
from hub_uploads import Uploads, taking_hub
from project import Project, project
from recorded import LORA, original, recorded

__all__ = ["original", "project", "recorded"]

TOKEN = "hf_aWordThatNobodyMaySee"
REPO = ("--repo", "someone/mood")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Uploads]:
    with taking_hub() as found:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", found.address)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield found


def test_nothing_is_sent_without_a_yes(recorded: Project, hub: Uploads) -> None:
    done = recorded.kedro("publish", LORA, *REPO)
    assert done.exit_code == 1
    assert done.output.splitlines()[-1] == "Error: nothing was sent; --yes sends without asking"
    assert "| adapter_model.safetensors |" in done.stdout and "to the private repository someone/mood" in done.stdout
    assert hub.asked == []


def test_a_dry_run_asks_nobody_and_needs_no_token(
    recorded: Project, hub: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("peft_pipelines.serving.export.publishing.get_token", lambda: None)
    done = recorded.kedro("publish", LORA, *REPO, "--dry-run")
    assert done.exit_code == 0, done.output
    assert done.stdout.endswith("dry run: nothing was sent\n") and hub.asked == []
    refused = recorded.kedro("publish", LORA, *REPO, "--yes")
    assert refused.output.startswith("Error: the hub asks who sends: log in with `hf auth login`")


def test_a_process_of_its_own_sends_to_the_endpoint(recorded: Project, hub: Uploads) -> None:
    home = Path("home").resolve()
    names = {"HF_ENDPOINT": hub.address, "HF_HOME": str(home), "HF_TOKEN": TOKEN, "DO_NOT_TRACK": "1"}
    line = [sys.executable, "-m", "kedro", "publish", LORA, *REPO, "--yes", "--public", "--params=store=data"]
    done = subprocess.run(line, capture_output=True, text=True, check=False, env={**os.environ, **names})
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"{hub.address}/someone/mood/commit/1a2b"
    assert TOKEN not in done.stdout + done.stderr
    sent = hub.files["someone/mood"]
    assert set(sent) == {"NOTICE.md", "README.md", "adapter_config.json", "adapter_model.safetensors"}
    assert hub.private == {"someone/mood": False} and f"Bearer {TOKEN}" in hub.tokens
    assert json.loads(sent["adapter_config.json"])["base_model_name_or_path"] == "tiny"
    assert not [name for name, content in sent.items() if str(recorded.folder).encode() in content]
    card = sent["README.md"].decode()
    numbers = json.loads(Path("data/07_model_output/tiny/mood/lora/s0/metrics.json").read_text())
    assert f"| accuracy | {numbers['accuracy']:.4f} | {numbers['primary_low']:.4f} to " in card
