"""The models that a GPU is measured with: folders, rows, and random weights."""

import shutil
from pathlib import Path
from typing import Any

from sides import MODEL, PROJECT

WEIGHTS = PROJECT / "data/01_raw/models" / MODEL
SIZES = {
    "llama_1b": {
        "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
        "num_attention_heads": 32, "num_key_value_heads": 8,
    },
    "tiny": {
        "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2,
    },
}  # fmt: skip
"""The sizes of models of random weights, with the tokenizer of the embedded model; the first has Llama 3.2's."""


def random_llama(name: str, dtype: str, scratch: Path) -> Path:
    """The folder of a model of random weights with the embedded model's tokenizer, which is made."""
    import torch  # noqa: PLC0415
    from transformers import AutoConfig, AutoModelForCausalLM  # noqa: PLC0415

    folder = scratch / name
    folder.mkdir()
    for file in WEIGHTS.iterdir():
        if file.suffix in (".json", ".jinja"):
            shutil.copy(file, folder)
    config = AutoConfig.from_pretrained(WEIGHTS)
    config.update({**SIZES[name], "head_dim": SIZES[name]["hidden_size"] // SIZES[name]["num_attention_heads"]})
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype)).save_pretrained(folder)
    return folder


def model_row(weights: Path, dtype: str) -> dict[str, Any]:
    """The row of a model in a folder."""
    return {
        "folder": str(weights),
        "dtype": dtype,
        "chat_template": True,
        "licence": "as the folder says",
        "citation": "as the folder says",
    }
