"""The commands of docs/exporting.md as they stand there, on a cell of the small project and a hub in this process."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest
import words_of_bytes
from hub_uploads import Uploads, taking_hub
from project import Project, project
from recorded import LORA, original, recorded

__all__ = ["original", "project", "recorded"]

TEXT = (Path(__file__).parents[2] / "docs/exporting.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```console\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]
HELD = {
    "adapter": {"adapter_config.json", "adapter_model.safetensors"},
    "merged": {"config.json", "model.safetensors", "tokenizer.json"},
    "gguf": {"model.gguf", "Modelfile"},
    "hub": {"model.safetensors", "README.md", "NOTICE.md"},
}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Uploads]:
    with taking_hub() as found:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", found.address)
        monkeypatch.setenv("HF_TOKEN", "hf_nobody")
        yield found


def test_the_commands_do_what_the_page_says(recorded: Project, hub: Uploads) -> None:
    words_of_bytes.tokenizer().save_pretrained("model")
    ours = [line for line in COMMANDS if line.startswith("kedro")]
    assert [line for line in COMMANDS if line not in ours] == ["ollama create lora_sst2 -f out/gguf/Modelfile"]
    outputs = []
    for line in ours:
        words = shlex.split(line.replace("lora.smollm2_135m.sst2.s0", LORA).replace("OWNER/NAME", "someone/mood"))
        done = recorded.kedro(*words[1:])
        assert done.exit_code == 0, (line, done.output)
        outputs.append(done.stdout)
    for name, files in HELD.items():
        assert {path.name for path in Path("out", name).iterdir()} >= files
    assert "dry run: nothing was sent" in outputs[4] and "to the private repository someone/mood" in outputs[4]
    assert hub.private == {"someone/mood": True}
    assert set(hub.files["someone/mood"]) == {"Modelfile", "NOTICE.md", "README.md", "model.gguf"}
    assert "hf_nobody" not in "".join(outputs)
