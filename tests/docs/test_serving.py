"""The page on serving: its examples run as they stand there, and a checkpoint is what it says that vLLM asks for."""

import io
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import yaml
from catalogs import checkpoint_of
from project import Project, project
from recorded import LORA, ZERO, original, recorded
from safetensors import safe_open
from served import Served, served

__all__ = ["original", "project", "recorded"]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/serving.md").read_text(encoding="utf-8")
WRITTEN, ADDRESS = "lora.smollm2_135m.sst2.s0", "http://127.0.0.1:8000/v1"
CONSOLE = [
    block.replace("\\\n", " ") for block in re.findall(r"^```console\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
]
(PYTHON,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
RANKS = {1, 8, 16, 32, 64, 128, 256, 320, 512}
"""Those that vLLM's ``--max-lora-rank`` takes."""
OTHERS = ("target_parameters", "layer_replication", "use_qalora", "use_bdlora", "alora_invocation_tokens")
"""What else it does not take."""


@pytest.fixture(scope="module")
def server(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    words = shlex.split(CONSOLE[0].replace(WRITTEN, LORA).replace(" --port 8000", ""))
    assert words[:2] == ["kedro", "serve"]
    with served(original, tmp_path_factory.mktemp("server") / "out", *words[2:]) as found:
        yield found


def test_the_client_of_the_page_asks_both_models(server: Served) -> None:
    pytest.importorskip("openai", reason="the client comes with the extra dev")
    with redirect_stdout(io.StringIO()) as out:
        exec(PYTHON.replace(ADDRESS, server.address), {})
    assert out.getvalue().startswith(f"{LORA} ")
    rest = out.getvalue().partition(f"\n{ZERO} ")[2]
    whole = rest[: len(rest) // 2]
    assert whole and rest == f"{whole}\n{whole}"


def test_the_line_for_the_shell_gets_an_answer(server: Served) -> None:
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    words = shlex.split(CONSOLE[1].replace(ADDRESS, server.address).replace(WRITTEN, LORA))
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["model"] == LORA and found["usage"]["completion_tokens"] == 8
    assert found["choices"][0]["finish_reason"] == "length"


def refusals(config: dict[str, Any], rank: int) -> list[str]:
    """Why vLLM 0.32.0 would not take an adapter's config, by its documentation of LoRA and its check of a config."""
    init = config.get("init_lora_weights", True)
    rules = {
        "peft_type": config["peft_type"] == "LORA",
        "r": 1 <= max(config["r"], *(config.get("rank_pattern") or {}).values(), 0) <= rank,
        "use_dora": not config.get("use_dora"),
        "bias": config.get("bias", "none") == "none" and not config.get("lora_bias"),
        "modules_to_save": not config.get("modules_to_save"),
        "init_lora_weights": not isinstance(init, str) or init in ("gaussian", "eva", "orthogonal", "mica", "lora_ga"),
        "target_modules": bool(config.get("target_modules")),
        "others": not any(config.get(name) for name in OTHERS),
    }
    return [name for name, kept in rules.items() if not kept]


def test_a_checkpoint_of_lora_is_what_vllm_asks_for(recorded: Project) -> None:
    rank = int(re.findall(r"--max-lora-rank (\d+)", PAGE)[0])
    assert rank in RANKS
    folder = checkpoint_of(LORA)
    config = json.loads((folder / "adapter_config.json").read_text())
    assert refusals(config, rank) == [] and isinstance(config["lora_alpha"], int)
    with safe_open(folder / "adapter_model.safetensors", "pt") as file:
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118  (no dictionary)
    layers = {name.rpartition(".lora_")[0] for name in shapes}
    assert {layer.rpartition(".")[2] for layer in layers} == set(config["target_modules"])
    for layer in layers:
        assert re.fullmatch(r"base_model\.model\.model\.layers\.\d+\.self_attn\.\w+", layer)
        assert shapes[f"{layer}.lora_A.weight"][0] == shapes[f"{layer}.lora_B.weight"][1] == config["r"]
    assert len(shapes) == 2 * len(layers)
    assert refusals({**config, "use_dora": True, "r": 64, "init_lora_weights": "pissa"}, rank) == [
        *("r", "use_dora", "init_lora_weights")
    ]
    assert refusals({**config, "rank_pattern": {"q_proj": 4}}, rank) == []
    assert refusals({**config, "rank_pattern": {"q_proj": 64}}, rank) == ["r"]


def test_the_rows_that_the_page_names_are_those_that_vllm_takes() -> None:
    (sentence,) = re.findall(r"So vLLM takes the checkpoints of (.*?) as they are", PAGE, re.DOTALL)
    rows: dict[str, Any] = {}
    for path in (ROOT / "conf/base/parameters/methods").glob("*.yml"):
        rows |= yaml.safe_load(path.read_text(encoding="utf-8"))["methods"]
    taken = []
    for name, row in rows.items():
        if row["provider"] == "hf_peft" and "r" in row["config"]:
            doubled = str(row["config"].get("init_lora_weights")).startswith("pissa")
            saved = {"r": row["config"]["r"] * 2, "init_lora_weights": True} if doubled else {}
            config = {"peft_type": row["type"], **row["config"], **saved}
            taken += [] if refusals(config, 16) else [name]
    assert sorted(re.findall(r"`(\w+)`", sentence)) == sorted(taken)
