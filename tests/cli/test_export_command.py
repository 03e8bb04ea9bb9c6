"""``kedro export`` as it is typed: what it refuses in one line, and its help."""

import json
from pathlib import Path

import pytest
from project import Project, project
from recorded import LORA, ZERO, original, recorded

__all__ = ["original", "project", "recorded"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            [LORA, "--to", "guff"],
            "--to: unknown format 'guff', did you mean 'gguf'? Allowed: adapter, merged, gguf, hub",
        ),
        ([LORA, "--to", "merged", "--as", "gguf"], "--as: must be left out with --to merged, got 'gguf'"),
        ([ZERO, "--to", "hub"], f"cell '{ZERO}': cannot be exported as 'adapter': nothing was trained"),
        (
            [LORA, "--to", "gguf"],
            f"cell '{LORA}': cannot be exported as 'gguf': its tokenizer must be a byte-level BPE",
        ),
        (["loar.tiny.mood.s0", "--to", "merged"], "cell: unknown method 'loar', did you mean 'lora'?"),
    ],
)
def test_a_mistake_is_one_line(recorded: Project, arguments: list[str], words: str) -> None:
    done = recorded.kedro("export", *arguments, "--output", "out")
    assert done.exit_code == 1
    assert done.output.splitlines()[-1].startswith(f"Error: {words}"), done.output
    assert not Path("out").exists()


def test_an_export_is_replaced_only_when_asked(recorded: Project) -> None:
    first = recorded.kedro("export", LORA, "--to", "adapter", "--output", "out")
    assert first.exit_code == 0, first.output
    assert first.stdout.startswith("out: ready; largest difference of a logit from the cell's model ")
    config = Path("out/adapter_config.json")
    config.write_text("{}")
    again = recorded.kedro("export", LORA, "--to", "adapter", "--output", "out")
    assert again.output == "Error: --output: must not exist yet, got 'out'; --overwrite replaces an export\n"
    assert recorded.kedro("export", LORA, "--to", "adapter", "--output", "out", "--overwrite").exit_code == 0
    assert json.loads(config.read_text())["peft_type"] == "LORA"


def test_the_help_names_the_formats_and_shows_a_call(project: Project) -> None:
    text = project.kedro("export", "--help").output
    assert "gguf     the merged model for llama.cpp" in text
    assert "kedro export lora.smollm2_135m.sst2.s0 --to gguf --output out/lora_sst2" in text
