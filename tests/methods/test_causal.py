"""Methods that look ahead or at other rows are found when they are attached."""

import pytest
import tiny
import torch
from torch import nn

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.methods.causal import check_causal
from peft_pipelines.models import base_model


class Mixed(nn.Module):
    """The embeddings plus a trained share of their mean over some of the axes."""

    def __init__(self, embedding: nn.Module, axes: tuple[int, ...]) -> None:
        super().__init__()
        self.embedding, self.axes = embedding, axes
        self.share = nn.Parameter(torch.zeros(32))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        found = self.embedding(ids)
        return found + self.share * found.mean(self.axes, keepdim=True) if self.axes else found + self.share


def mixed(axes: tuple[int, ...]) -> nn.Module:
    model = base_model.clone(tiny.base("llama"))
    model.set_input_embeddings(Mixed(model.get_input_embeddings(), axes))
    return model.train()


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ((1,), "an answer changes with tokens behind it, so it cannot be trained on next tokens"),
        ((0,), "an answer changes with the row beside it in a batch"),
    ],
)
def test_a_method_that_mixes_places_or_rows_is_refused(axes, words):
    with pytest.raises(ConfigError, match=f"^here: {words}$"):
        check_causal("here", mixed(axes), tiny.WORDS, torch.float32, torch.device("cpu"))


def test_what_looks_back_only_passes_and_stays_as_it_was():
    model = mixed(())
    check_causal("here", model, tiny.WORDS, torch.float32, torch.device("cpu"))
    share = model.get_input_embeddings().share
    assert torch.count_nonzero(share) == 0
    assert all(module.training for module in model.modules())
