"""The formats of an export: what each writes, what it refuses, and an output that is there."""

from pathlib import Path

import pytest
import tiny
from exported import RUN, finished
from transformers import AutoModelForCausalLM, AutoTokenizer

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.files.owner import Owner, me
from peft_pipelines.serving.export.formats import CONTENTS, GGUF, MERGED, Format, check_output, export

TOKENS = tiny.ids(12, rows=2)


def quiet(_: str) -> None:
    """Say nothing."""


@pytest.mark.parametrize(
    ("name", "form", "words"),
    [
        ("prompt_tuning", MERGED, "a soft prompt is no part of the weights; export it as 'adapter'"),
        ("prefix_tuning", GGUF, "a soft prompt is no part of the weights"),
        ("bottleneck", MERGED, "a bottleneck has an activation inside, which no weight holds"),
        ("zero_shot", GGUF, "nothing was trained"),
    ],
)
def test_what_weights_cannot_hold_is_refused(name: str, form: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        CONTENTS[form].refuse(finished(name, "llama", tmp_path))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_an_architecture_without_gguf_is_refused_before_weights_are_read(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"cell 'x.tiny.mood.s0': cannot be exported as 'gguf': its model type must be"
    ):
        CONTENTS[GGUF].refuse(finished("lora", "qwen2", tmp_path))


def test_gguf_has_the_merged_models_logits_and_a_modelfile(tmp_path: Path) -> None:
    cell = finished("lora", "llama", tmp_path)
    assert export(cell, CONTENTS[GGUF], tmp_path / "out", quiet, overwrite=False) < 1e-4
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["Modelfile", "model.gguf"]
    export(cell, CONTENTS[MERGED], tmp_path / "merged", quiet, overwrite=False)
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged").eval()
    read = AutoModelForCausalLM.from_pretrained(tmp_path / "out", gguf_file="model.gguf").eval()
    assert (tiny.logits(read, TOKENS) - tiny.logits(merged, TOKENS)).abs().max() < 1e-5
    assert AutoTokenizer.from_pretrained(tmp_path / "merged").chat_template == tiny.CHATML
    lines = (tmp_path / "out" / "Modelfile").read_text()
    assert "FROM ./model.gguf\nTEMPLATE " in lines
    assert "<|im_start|>user\n{{ .Content }}<|im_end|>\n" in lines
    assert 'PARAMETER stop "<|im_end|>"\nPARAMETER stop "<|end|>"\n' in lines
    assert "# It was trained on prompts of this form: Classify the sentiment" in lines
    assert not [path for path in (tmp_path / "out").iterdir() if str(tmp_path).encode() in path.read_bytes()]


def test_a_model_that_completes_text_is_asked_so(tmp_path: Path) -> None:
    cell = finished("lora", "llama", tmp_path, chat_template=False)
    export(cell, CONTENTS[GGUF], tmp_path / "out", quiet, overwrite=False)
    assert 'TEMPLATE """{{ .Prompt }}\n"""' in (tmp_path / "out" / "Modelfile").read_text()


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(*_: object) -> float:
        raise ConfigError("no")

    with pytest.raises(ConfigError, match="no"):
        export(
            finished("lora", "llama", tmp_path), Format(lambda _: None, fail), tmp_path / "out", quiet, overwrite=False
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2026-01-01T00.00.00.000Z", "base"]


def test_an_output_that_is_there_is_replaced_only_where_it_is_an_export(tmp_path: Path) -> None:
    check_output(tmp_path / "new", overwrite=False)
    made = tmp_path / "made"
    made.mkdir()
    (made / "model.gguf").write_text("")
    with pytest.raises(ConfigError, match=r"must not exist yet, got '.*made'; --overwrite replaces an export"):
        check_output(made, overwrite=False)
    check_output(made, overwrite=True)
    (made / "thesis.docx").write_text("")
    with pytest.raises(ConfigError, match=r"is no export: it holds 'thesis.docx'"):
        check_output(made, overwrite=True)
    with pytest.raises(ConfigError, match=r"must be a folder, got '.*', which is a file"):
        check_output(made / "model.gguf", overwrite=True)


@pytest.mark.parametrize(
    "place", ["base", "base/new", "2026-01-01T00.00.00.000Z", "2026-01-01T00.00.00.000Z/checkpoint"]
)
def test_what_the_cell_is_made_of_is_never_replaced(place: str, tmp_path: Path) -> None:
    cell = finished("lora", "llama", tmp_path)
    (tmp_path / RUN / "checkpoint/record.json").unlink()  # what is left are names that exports write
    written = Format(lambda _: None, lambda *_: pytest.fail("something is written"))
    if place == RUN:
        output = tmp_path / "linked"
        output.symlink_to(tmp_path / RUN)
        output = output / "checkpoint"
    else:
        output = tmp_path / place
    what = "base model" if place.startswith("base") else "checkpoint"
    with pytest.raises(ConfigError, match=rf"--output: must lie apart from the cell's {what} '.*', got '{output}'"):
        export(cell, written, output, quiet, overwrite=True)


def test_a_form_is_refused_once_before_the_output_is_looked_at(tmp_path: Path) -> None:
    asked: list[str] = []
    form = Format(lambda cell: asked.append(cell.recorded.cell.id), lambda *_: pytest.fail("something is written"))
    with pytest.raises(ConfigError, match="must not exist yet"):
        export(finished("lora", "llama", tmp_path), form, tmp_path, quiet, overwrite=False)
    assert asked == ["x.tiny.mood.s0"]


def test_what_a_killed_export_has_left_goes(tmp_path: Path) -> None:
    left = tmp_path / f".out.{Owner(me().machine, me().pid, me().began - 1)}.x1.part"
    left.mkdir()
    (left / "model.gguf").write_text("half")

    def write(_: object, folder: Path, __: object) -> float:
        folder.mkdir()
        return 0.0

    export(finished("lora", "llama", tmp_path), Format(lambda _: None, write), tmp_path / "out", quiet, overwrite=False)
    assert not left.exists() and (tmp_path / "out").is_dir()
