"""What can be wrong with a model folder: its files, the fields of config.json, and the tensors."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

from malformed import Rule, edit
from model_folders import (
    INDEX,
    WEIGHTS,
    Spoil,
    changed,
    config,
    entry,
    fields,
    fine,
    holding,
    linked,
    rule,
    without,
)


def listening(_: Path) -> None:
    """Let a socket lie in the folder."""
    with socket.socket(socket.AF_UNIX) as found:
        found.bind("model/x.sock")


STRETCHED = {"rope_type": "linear", "factor": 2.0}
misspelt = changed("config.json", lambda found: found.update(rms_norm_epss=found.pop("rms_norm_eps")))


def place(given: str, make: Callable[[Path], object]) -> Spoil:
    """The model's row with another folder, which is made."""

    def spoil(folder: Path) -> None:
        make(folder / given)
        edit(folder, "conf/local/parameters.yml", lambda values: values["models"]["tiny"].update(folder=given))

    return spoil


TEXTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "cannot be read as JSON: Expecting value"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "cannot be read as JSON: Unexpected UTF-8 BOM"),
    "not UTF-8": (b'{"a": "caf\xe9"}', "not UTF-8 at byte 10; save it as UTF-8"),
    "a list": (b"[]", "must be an object of fields, got list"),
    "a key twice": (b'{"a": 1, "a": 2}', "the key 'a' stands there twice"),
    "not a number": (b'{"a": [NaN]}', "cannot be read as JSON: NaN stands there"),
    "half of a character": (b'{"a": "\\ud800"}', "cannot be read as JSON: half of a character"),
    "a number of 5000 digits": (b'{"a": ' + b"1" * 5000 + b"}", "cannot be read as JSON: Exceeds the limit"),
    "brackets without end": (b'{"a":' + b"[" * 50_000, "cannot be read as JSON: "),
}
FILES = ("config.json", "generation_config.json", "tokenizer_config.json", "special_tokens_map.json", INDEX)
JSON = [
    rule(f"{fault} in {file}", holding(file, TEXTS[fault][0]), f"folder 'model', {file}: {TEXTS[fault][1]}")
    for number, file in enumerate(FILES)
    for place_of, fault in enumerate(TEXTS)
    if file == FILES[0] or place_of % len(FILES) == number
]
ENTRIES = [
    rule(f"{what} for {file}", entry(file, make), f"folder 'model': {file} {says}")
    for file in ("config.json", WEIGHTS, "added_tokens.json")
    for what, make, says in (
        ("a pipe", os.mkfifo, "must be a regular file"),
        ("a link out of the folder", linked, "is a link out of the folder"),
        ("a link to itself", lambda path: path.symlink_to(path.name), "must be a regular file, got a link that leads"),
    )
] + [
    rule("a link to nothing", entry(INDEX, lambda path: path.symlink_to("gone")), f"{INDEX} must be a regular file"),
    rule("a folder for a file", entry("vocab.json", Path.mkdir), "vocab.json must be a regular file, got a folder"),
    rule("a link to a device", entry(WEIGHTS, lambda path: path.symlink_to("/dev/zero")), "a link out of the folder"),
]
OTHERS = [
    rule(f"a file {name!r:.30}", holding(name, "x"), f"{what} ({shown}); remove it; only these are read: *.safe")
    for name, what, shown in (
        ("pytorch_model.bin", "pickle weights", "pytorch_model.bin"),
        ("original/consolidated.00.pth", "pickle weights", "original/consolidated.00.pth"),
        ("optimizer.pt", "pickle weights", "optimizer.pt"),
        ("scores.pkl", "pickle weights", "scores.pkl"),
        ("modeling_tiny.py", "a file that is not read", "modeling_tiny.py"),
        ("custom_generate/generate.py", "a file that is not read", "custom_generate/generate.py"),
        ("__pycache__/x.pyc", "a file that is not read", "__pycache__/x.pyc"),
        ("adapter_config.json", "a file that is not read", "adapter_config.json"),
        ("checkpoint-1/config.json", "a file that is not read", "checkpoint-1/config.json"),
        ("CONFIG.JSON", "a file that is not read", "CONFIG.JSON"),
        ("a\nb.py", "a file that is not read", "a\\nb.py"),
        ("\x1b[2J.py", "a file that is not read", "\\x1b[2J.py"),
    )
] + [
    rule(
        "a name that is no UTF-8", lambda folder: Path(os.fsdecode(b"model/caf\xe9.bin")).touch(), "pickle weights (caf"
    ),
    rule("a socket", listening, "not read (x.sock)"),
    rule("a link to a folder", lambda _: Path("model/docs").symlink_to("/etc"), "not read (docs)"),
    rule("no config.json", without("config.json"), "no config.json there; run `kedro fetch`"),
    Rule("no such folder", place("gone", lambda path: None), ["folder 'gone': no config.json there"]),
    Rule("a file for a folder", place("file", Path.touch), ["folder 'file': no config.json there"]),
    Rule("a ring for a folder", place("ring", lambda path: path.symlink_to("ring")), ["folder 'ring': no config.json"]),
    Rule("a folder with escapes", place("\x1b[2J", lambda path: None), ["folder '\\x1b[2J'"]),
    Rule("a folder with NUL", place("a\0b", lambda path: None), ["model 'tiny', folder: must not hold the character"]),
    fine("a link to the folder", place("other", lambda path: path.symlink_to("model"))),
    fine("an odd name", place("a b'é[]", lambda path: Path("model").rename(path))),
    fine("documents and hidden files", holding("README.md", "x"), holding(".git/config", "x"), holding("a/b.png", "x")),
]
CONFIG = (
    [
        rule(f"{name}: {value!r:.40}", config(**{name: value}), f"config.json: {name} must be {says}")
        for name, value, says in (
            ("model_type", "llamma", "a causal language model of transformers"),
            ("model_type", None, "a causal language model of transformers"),
            ("hidden_size", -1, "a whole number from 1"),
            ("hidden_size", "32", "a whole number"),
            ("hidden_size", 10**12, "at most 100000000"),
            ("num_hidden_layers", 10**9, "at most 10000"),
            ("num_hidden_layers", None, "a whole number from 1"),
            ("num_attention_heads", 0, "a whole number from 1"),
            ("num_key_value_heads", 0, "a whole number from 1"),
            ("head_dim", -8, "a whole number from 1"),
            ("vocab_size", 0, "a whole number from 1"),
            ("max_position_embeddings", 0, "a whole number from 1"),
            ("rms_norm_eps", -1.0, "a number from 0 to 1"),
            ("rms_norm_eps", None, "a number from 0 to 1"),
            ("rope_theta", 0, "a number above 0"),
            ("rope_scaling", {"rope_type": "linear", "factor": 0}, "with a factor from 1"),
            ("rope_scaling", {"rope_type": "nope"}, "of rope_type default"),
            ("rope_scaling", [], "an object"),
            ("hidden_act", "nope", "an activation such as"),
            ("attention_dropout", 2.0, "a number from 0 to 1"),
            ("initializer_range", -1.0, "a number from 0"),
            ("tie_word_embeddings", "yes", "true or false"),
            ("torch_dtype", "int64", "float32, bfloat16, float16 or float64"),
            ("pad_token_id", "x", "a whole number or a list of them"),
            ("pruned_heads", {"0": [1]}, "empty, only whole models are read"),
            ("attn_implementation", "someone/kernels", "one of eager, sdpa"),
            ("_attn_implementation", "someone/kernels", "one of eager, sdpa"),
        )
    ]
    + [
        rule(f"the key {name}", config(**{name: value}), f"config.json has the key '{name}', which {says}")
        for name, value, says in (
            ("auto_map", {"AutoModelForCausalLM": "someone--code.Model"}, "can bring in code"),
            ("trust_remote_code", True, "can bring in code"),
            ("custom_generate", "someone/code", "can bring in code"),
            ("quantization_config", {"quant_method": "gptq"}, "says that the weights are packed"),
            ("base_model_name_or_path", "../other", "leads to other files"),
        )
    ]
    + [
        rule("an endless number", config(rms_norm_eps=float("inf")), "rms_norm_eps must be", "got inf"),
        rule("code inside a field", config(task_specific_params={"x": [{"auto_map": {}}]}), "the key 'auto_map'"),
        rule(
            "an infinity inside a field",
            config(rope_scaling={**STRETCHED, "x": [float("inf")]}),
            "rope_scaling must hold finite numbers, got inf",
        ),
        rule(
            "another model", config(model_type="gpt2"), "architectures of model_type 'gpt2' must be [GPT2LMHeadModel]"
        ),
        rule("another class", config(architectures=["LlamaModel"]), "must be [LlamaForCausalLM], got ['LlamaModel']"),
        rule(
            "an encoder", config(model_type="bert", architectures=None), "those of BertLMHeadModel as config.json says"
        ),
        rule("an encoder and decoder", config(is_encoder_decoder=True), "is_encoder_decoder must be false, got true"),
        rule("no type", changed("config.json", lambda found: found.pop("model_type")), "model_type must be a causal"),
        rule("a method for a field", config(to_dict=1), "'to_dict' is no field of a config"),
        rule("a misspelt field", misspelt, "unknown field 'rms_norm_epss', did you mean 'rms_norm_eps'?"),
        rule(
            "heads that do not divide",
            config(head_dim=None, num_attention_heads=6),
            "num_attention_heads must divide hidden_size",
        ),
        rule("groups that do not divide", config(num_key_value_heads=3), "must divide num_attention_heads 4, got 3"),
        rule(
            "a wider vocabulary",
            config(vocab_size=300),
            "2 of another shape (lm_head.weight, model.embed_tokens.weight)",
        ),
        rule("a smaller vocabulary", config(vocab_size=200), "pad_token_id must be below vocab_size 200, got 257"),
        *(
            Rule(
                f"{there} positions",
                config(max_position_embeddings=there),
                [f"max_length must be at most {there}, the model"],
            )
            for there in (128, 256)
        ),
        rule("a layer more", config(num_hidden_layers=3), "9 missing (model.layers.2.input_layernorm.weight"),
        rule("a layer less", config(num_hidden_layers=1), "9 left over (model.layers.1.input_layernorm.weight"),
        rule("more layers than tensors", config(num_hidden_layers=99), "num_hidden_layers must be 1 to 21"),
        rule("ties that are none", config(tie_word_embeddings=True), "lm_head.weight must hold the same numbers"),
        rule("code that draws", fields("generation_config.json", custom_generate="x/y"), "can bring in code"),
        rule(
            "an end in words", fields("generation_config.json", eos_token_id="x"), "eos_token_id must be a whole number"
        ),
        fine(
            "fields that nobody knows", config(num_labels=10**8, sliding_window=-5, partial_rotary_factor=0.0, x=None)
        ),
        fine("fields of drawing", fields("generation_config.json", do_sample=False, temperature=0.6)),
    ]
)
RULES = [*JSON, *ENTRIES, *OTHERS, *CONFIG]
