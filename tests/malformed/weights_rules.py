"""What can be wrong with the weights of a model folder: their bytes, header, tensors and index."""

import struct

import torch
from malformed import Rule
from model_folders import (
    INDEX,
    WEIGHTS,
    Spoil,
    config,
    fine,
    header,
    holding,
    index,
    renamed,
    rule,
    tensors,
    weights,
    without,
)

NORM = "model.norm.weight"
ONE = "model-00001-of-00001.safetensors"


def swapped(where: dict[str, str]) -> None:
    """Let the first two tensors change their files."""
    first, second = list(where)[:2]
    where[first], where[second] = where[second], where[first]


def copied(name: str) -> Spoil:
    """The weights a second time, under another name."""
    return lambda folder: (folder / "model" / name).write_bytes((folder / "model" / WEIGHTS).read_bytes())


BYTES = [
    rule(f"weights {name}", weights(change), f"folder 'model', {WEIGHTS}: no sound safetensors file: ", says)
    for name, change, says in (
        ("of no bytes", lambda _: b"", "header too small"),
        ("of a pickle", lambda _: b"\x80\x04K\x01.", "header too small"),
        ("that are a pointer", lambda _: b"version https://git-lfs.github.com/spec/v1\n", "header too large"),
        ("cut in the header", lambda found: found[:100], "invalid header length"),
        ("cut in the numbers", lambda found: found[:-100], "not fully covered"),
        ("with more behind", lambda found: found + b"more", "not fully covered"),
        ("with a header of 2^63 bytes", lambda found: struct.pack("<Q", 2**63) + found[8:], "header too large"),
        ("with a header of 99 MB", lambda found: struct.pack("<Q", 99_000_000) + found[8:], "invalid header length"),
        ("with garbage for a header", lambda found: found[:8] + b"\xff" * 50 + found[58:], "invalid UTF-8"),
        ("with a list for a header", lambda _: struct.pack("<Q", 2) + b"[]", "invalid type: sequence"),
    )
]
HEADERS = [
    rule(f"a header with {name}", header(change), f"folder 'model', {WEIGHTS}: ", says)
    for name, change, says in (
        ("overlapping tensors", lambda found: found[NORM].update(data_offsets=[0, 128]), "invalid offset"),
        ("a tensor behind the end", lambda found: found[NORM].update(data_offsets=[0, 10**12]), "offset for tensor"),
        ("an offset below 0", lambda found: found[NORM].update(data_offsets=[-4, 124]), "integer `-4`"),
        ("another shape", lambda found: found[NORM].update(shape=[33]), "invalid shape"),
        ("a shape without end", lambda found: found[NORM].update(shape=[2**62, 4]), "overflow"),
        ("an unknown kind", lambda found: found[NORM].update(dtype="F7"), "F7"),
        ("no kind", lambda found: found[NORM].pop("dtype"), "missing field `dtype`"),
        ("a tensor less", lambda found: found.pop(NORM), "not fully covered"),
    )
] + [
    rule("no tensors at all", weights(lambda _: struct.pack("<Q", 2) + b"{}"), f"{WEIGHTS}: holds no tensors"),
    rule("weights of TensorFlow", tensors(lambda _: None, format="tf"), "its format must be 'pt', got 'tf'"),
]
TENSORS = [
    rule(f"tensors {name}", tensors(change), says)
    for name, change, says in (
        ("under a prefix", renamed, "21 missing (lm_head.weight, model.embed_tokens.weight, "),
        ("without one", lambda found: found.pop(NORM), f"1 missing ({NORM})"),
        ("without a head", lambda found: found.pop("lm_head.weight"), "1 missing (lm_head.weight)"),
        ("with one more", lambda found: found.update(extra=torch.ones(2)), "1 left over (extra)"),
        ("of an adapter", lambda found: found.update({"x.lora_A.weight": torch.ones(2)}), "1 left over (x.lora_A"),
        ("of another shape", lambda found: found.update({NORM: torch.ones(31)}), f"1 of another shape ({NORM})"),
        (
            "of whole numbers",
            lambda found: found.update({NORM: torch.ones(32, dtype=torch.int64)}),
            f"others in {NORM}",
        ),
        (
            "of 8 bits",
            lambda found: found.update({NORM: torch.ones(32).to(torch.float8_e4m3fn)}),
            f"{WEIGHTS}: tensor '{NORM}' must be one of F64, F32, F16, BF16, got F8_E4M3",
        ),
        ("with escapes", lambda found: found.update({"\x1b[2J": torch.ones(2)}), "left over (\\x1b[2J)"),
    )
]
SHARDS = [
    rule(f"an index {name}", index(change, shards=shards), says)
    for name, shards, change, says in (
        ("to an absent shard", 1, lambda where: where.update({NORM: "x.safetensors"}), "x.safetensors are not there"),
        ("out of the folder", 1, lambda where: where.update({NORM: "../x.safetensors"}), "got '../x.safetensors'"),
        ("to an absolute path", 1, lambda where: where.update({NORM: "/etc/passwd"}), "got '/etc/passwd'"),
        ("to a pickle", 1, lambda where: where.update({NORM: "x.bin"}), "must be in a *.safetensors of the folder"),
        ("to a number", 1, lambda where: where.update({NORM: 5}), "weight_map must give the file of each tensor"),
        ("of nothing", 1, lambda where: where.clear(), "weight_map must give the file of each tensor, got {}"),
        ("with a tensor more", 1, lambda where: where.update(extra=ONE), "they differ in extra"),
        ("with a tensor less", 1, lambda where: where.pop(NORM), f"they differ in {NORM}"),
        ("with swapped files", 2, swapped, "must hold the same tensors, they differ in lm_head.weight"),
    )
] + [
    rule("no weights", without(WEIGHTS), f"no weights: neither {WEIGHTS} nor {INDEX}; only *.safetensors are read"),
    rule("an index beside whole weights", holding(INDEX, '{"weight_map": {"a": "b.safetensors"}}'), "not there"),
    rule("weights twice", copied("model.fp16.safetensors"), "model.fp16.safetensors would not be read"),
    rule("weights of an adapter", copied("adapter_model.safetensors"), "adapter_model.safetensors would not be read"),
    fine("shards", index(lambda _: None, shards=3)),
    fine("half precision", tensors(lambda found: found.update({name: found[name].half() for name in found}))),
    fine("a tied head", tensors(lambda found: found.pop("lm_head.weight")), config(tie_word_embeddings=True)),
]
RULES: list[Rule] = [*BYTES, *HEADERS, *TENSORS, *SHARDS]
