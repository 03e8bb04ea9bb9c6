"""Operations by formula: against closed formulas for each method row, and alike for every kernel and device."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention
from transformers import LlamaConfig, PreTrainedModel
from transformers.models.auto.modeling_auto import AutoModelForCausalLM

from peft_pipelines.costs import flops
from peft_pipelines.costs.operations import OperationCounter
from peft_pipelines.methods import providers
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models import base_model

TOKENS = 512
SMOLLM2_135M: dict[str, Any] = {
    "vocab_size": 49152,
    "hidden_size": 576,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "intermediate_size": 1536,
    "tie_word_embeddings": True,
}


@dataclass(frozen=True)
class Llama:
    """The sizes of a Llama: layers, width, one head, heads together, keys' heads together, feed-forward, vocabulary."""

    layers: int
    width: int
    head: int
    queries: int
    keys: int
    inner: int
    words: int

    @classmethod
    def of(cls, config: LlamaConfig) -> "Llama":
        size = config.head_dim
        return cls(
            config.num_hidden_layers,
            config.hidden_size,
            size,
            config.num_attention_heads * size,
            config.num_key_value_heads * size,
            config.intermediate_size,
            config.vocab_size,
        )

    def linear(self) -> dict[str, tuple[int, int]]:
        """Inputs and outputs of the linear layers of a block."""
        return {
            "q_proj": (self.width, self.queries),
            "k_proj": (self.width, self.keys),
            "v_proj": (self.width, self.keys),
            "o_proj": (self.queries, self.width),
            "gate_proj": (self.width, self.inner),
            "up_proj": (self.width, self.inner),
            "down_proj": (self.inner, self.width),
        }

    def forward(self, tokens: int, keys: int) -> int:
        products = self.layers * sum(i * o for i, o in self.linear().values()) + self.width * self.words
        attention = 4 * self.layers * self.queries * tokens * keys
        norm, rotated, residuals = 2 * self.width + 1, 3 * (self.queries + self.keys), 2 * self.width
        elementwise = self.layers * (2 * norm + rotated + residuals + self.inner) + norm + 3 * self.head
        return 2 * tokens * products + attention + tokens * elementwise


def low_rank(rank: int, layers: list[tuple[int, int]]) -> int:
    """Two small products beside a layer, a scale and a sum."""
    return sum(2 * TOKENS * rank * (i + o) + 2 * TOKENS * o for i, o in layers)


def bottleneck(width: int, inner: int) -> int:
    """Two linear layers with a bias, a scale, and the sum with what goes around them."""
    return 4 * TOKENS * width * inner + TOKENS * (inner + width) + 2 * TOKENS * width


def dora(rank: int, layers: list[tuple[int, int]]) -> int:
    """The small products for tokens and for the weight's norm; magnitudes times both parts of the output."""
    return sum(2 * rank * (i + o) * (TOKENS + i) + 2 * i * o + 5 * TOKENS * o for i, o in layers)


def oft(block: int, layers: list[tuple[int, int]]) -> int:
    """Each block of the input times its rotation, which is a series of four powers."""
    return sum(2 * TOKENS * i * block + i // block * (3 * 2 * block**3 + 5 * block**2) for i, _ in layers)


def svft(layers: list[tuple[int, int]]) -> int:
    """Into the right singular vectors, times three diagonals, out by the left ones, added to the layer's output."""
    return sum(2 * TOKENS * min(i, o) * (i + o) + TOKENS * (5 * min(i, o) + o) for i, o in layers)


def beyond(name: str, sizes: Llama) -> int:
    """Operations of a trained method row beyond the base's, from its paper's formulas and the row's values."""
    config, linear = tiny.METHODS[name].config, sizes.linear()
    virtual = config.get("num_virtual_tokens", 0)
    if name in ("prompt_tuning", "p_tuning", "mpt", "mpt_multitask"):
        return sizes.forward(TOKENS + virtual, TOKENS + virtual) - sizes.forward(TOKENS, TOKENS)
    if name in ("prefix_tuning", "p_tuning_v2"):
        return sizes.forward(TOKENS, TOKENS + virtual) - sizes.forward(TOKENS, TOKENS)
    targets = [linear[part] for part in config.get("target_modules", []) if part in linear]
    width = sizes.width
    a_layer = {
        "lora": lambda: low_rank(8, targets),
        "lora_plus": lambda: low_rank(8, targets),
        "pissa": lambda: low_rank(16, targets),
        "qlora": lambda: low_rank(8, list(linear.values())),
        "ia3": lambda: TOKENS * (2 * sizes.keys + sizes.inner),
        "bitfit": lambda: TOKENS * sum(o for _, o in linear.values()),
        "sequential_bottleneck": lambda: bottleneck(width, width // 16) + TOKENS * width,
        "bottleneck": lambda: 2 * bottleneck(width, width // 16),
        "parallel_adapter": lambda: bottleneck(width, width // 2),
        "dora": lambda: dora(8, targets),
        "oft": lambda: oft(32, targets),
        "svft": lambda: svft(targets),
    }
    return sizes.layers * a_layer[name]() if name in a_layer else 0


def saved(name: str, base: PreTrainedModel, folder: Path) -> Attached:
    """A method row as it answers: written and read again."""
    providers.save(providers.attach(base_model.clone(base), tiny.METHODS[name], 0), folder)
    return providers.load(base_model.clone(base), tiny.METHODS[name], folder)


@pytest.fixture(scope="module")
def wide() -> PreTrainedModel:
    """A model of real width, two layers deep: each layer counts alike."""
    config = LlamaConfig(**SMOLLM2_135M | {"num_hidden_layers": 2})
    return AutoModelForCausalLM.from_config(config).requires_grad_(False).eval()


@pytest.mark.parametrize("name", tiny.METHODS)
@pytest.mark.parametrize("of", ["tiny", "wide"])
def test_each_method_row_counts_as_its_closed_formula(
    of: str, name: str, wide: PreTrainedModel, tmp_path: Path
) -> None:
    base = wide if of == "wide" else tiny.base("llama")
    sizes = Llama.of(base.config)
    own = sizes.forward(TOKENS, TOKENS) / 1e12
    total = flops.forward_tflop(saved(name, base, tmp_path))
    assert total == pytest.approx(own + beyond(name, sizes) / 1e12, rel=0.01)
    assert total - own == pytest.approx(beyond(name, sizes) / 1e12, rel=0.01, abs=1e-6 * own)


def test_a_whole_model_is_its_matrices_and_its_attention() -> None:
    """Products by the model's published sizes: 134.5 million weights, each times 512 tokens, and 30 x 9 heads."""
    with FakeTensorMode(), torch.no_grad():
        model = AutoModelForCausalLM.from_config(LlamaConfig(**SMOLLM2_135M))
        total = operations_of(model, torch.zeros(1, TOKENS, dtype=torch.long))
    assert 1.0 < total / 155.827e9 < 1.001  # elementwise work is the rest
    assert total == Llama.of(model.config).forward(TOKENS, TOKENS)


def operations_of(model: Any, ids: torch.Tensor) -> int:
    with OperationCounter() as counter:
        model(input_ids=ids)
    return counter.total


@pytest.mark.parametrize("name", ["zero_shot", "lora", "ia3", "prefix_tuning", "prompt_tuning", "dora"])
@pytest.mark.parametrize("backend", [SDPBackend.MATH, SDPBackend.FLASH_ATTENTION])
def test_a_method_counts_the_same_by_each_kernel(name: str, backend: SDPBackend) -> None:
    attached = tiny.attach(name, "llama")
    with sdpa_kernel([backend, SDPBackend.MATH]):
        found = flops.forward_tflop(attached)
    assert found == flops.forward_tflop(attached)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_attention_counts_the_same_on_each_device(device: str, masked: bool, dtype: torch.dtype) -> None:
    """The device need not be there, since nothing is computed."""
    with FakeTensorMode():
        query = torch.ones(2, 4, 16, 8, device=device, dtype=dtype)
        key = torch.ones(2, 2, 24, 8, device=device, dtype=dtype)
        mask = torch.ones(2, 1, 16, 24, device=device, dtype=torch.bool) if masked else None
        with OperationCounter() as counter:
            scaled_dot_product_attention(query, key, key, attn_mask=mask, enable_gqa=True)
    assert counter.total == 4 * 2 * 4 * 16 * 24 * 8


LEFT, RIGHT = torch.ones(3, 5), torch.ones(5, 7)


@pytest.mark.parametrize(
    ("operation", "count"),
    [
        (lambda: LEFT @ RIGHT, 2 * 3 * 5 * 7),
        (lambda: torch.nn.functional.linear(LEFT, RIGHT.T, torch.ones(7)), 2 * 3 * 5 * 7 + 3 * 7),
        (lambda: torch.baddbmm(torch.ones(1, 3, 7), LEFT[None], RIGHT[None]), 2 * 3 * 5 * 7 + 3 * 7),
        (lambda: torch.baddbmm(torch.ones(1, 3, 7), LEFT[None], RIGHT[None], beta=0), 2 * 3 * 5 * 7),
        (lambda: LEFT * torch.ones(5), 3 * 5),
        (lambda: 1 - LEFT, 3 * 5),
        (lambda: LEFT.clone().add_(1), 3 * 5),
        (lambda: torch.addcmul(LEFT, LEFT, LEFT), 2 * 3 * 5),
        (lambda: torch.lerp(LEFT, LEFT, 0.5), 3 * 3 * 5),
        (lambda: torch.arange(5) + 1, 0),
        (lambda: LEFT > 0, 0),
        (lambda: LEFT.softmax(-1), 0),
    ],
)
def test_operations_by_hand(operation: Any, count: int) -> None:
    with OperationCounter() as counter:
        operation()
    assert counter.total == count
