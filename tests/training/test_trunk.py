"""Branches behind trunks give the loss and the gradients of one forward, and hold less for the backward pass."""

import pytest
import tiny
import torch
from small_trainings import mean_loss
from torch.autograd.graph import saved_tensors_hooks

from peft_pipelines.data.encoded import Encoded
from peft_pipelines.training import branches
from peft_pipelines.training.label_logits import LabelLogits, collate
from peft_pipelines.training.shortcuts import Shortcuts

SYSTEM, PASSAGE = (tiny.ids(40, seed=seed).tolist()[0] for seed in (5, 6))


class Held:
    """A tensor that waits for the backward pass; counts the bytes that wait, and their peak."""

    now = peak = 0

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor, self.bytes = tensor.detach(), tensor.nbytes
        Held.now += self.bytes
        Held.peak = max(Held.peak, Held.now)

    def __del__(self) -> None:
        Held.now -= self.bytes


def rows() -> list[Encoded]:
    """Eight examples behind one system turn, four of them behind a passage, with answers of one to three tokens."""
    texts = tiny.ids(30, rows=8).tolist()
    starts = [SYSTEM + PASSAGE * (number < 4) for number in range(8)]
    return [
        Encoded(start + text[: 4 + number], text[20 : 21 + number % 3], False)
        for number, (start, text) in enumerate(zip(starts, texts, strict=True))
    ]


def model_of(name: str, family: str) -> LabelLogits:
    attached = tiny.stir(tiny.attach(name, family))
    attached.plain.train()
    return LabelLogits(attached, Shortcuts.of(attached, tiny.training_args()), [])


def step(model: LabelLogits, tokens: int, monkeypatch) -> tuple[float, dict[str, torch.Tensor], int]:
    """Loss and gradients of the batch, and the number of forwards with labels."""
    monkeypatch.setitem(branches.TOKENS, "cpu", tokens)
    batch, total = collate(rows(), pad=257), 0.0
    tree = model.branches(batch, None)
    for part in model.running(batch, tree):
        loss = mean_loss(model, part, sum(len(row.answer) for row in rows()))
        total += loss.item()
        if loss.requires_grad:
            loss.backward()
        del loss
    found = {key: value.grad.clone() for key, value in model.attached.trainable().items()}
    model.attached.plain.zero_grad()
    return total, found, len(tree.leaves())


@pytest.mark.parametrize(("name", "family"), tiny.CASES)
def test_branches_give_the_loss_and_gradients_of_one_forward(name, family, monkeypatch):
    model = model_of(name, family)
    if not model.shortcuts.packed_batches:
        pytest.skip(model.shortcuts.reasons["packed_batches"])
    loss, gradients, parts = step(model, 10_000, monkeypatch)
    assert parts == 1
    scale = max((value.abs().max().item() for value in gradients.values()), default=1.0)
    for tokens, expected in ((30, 4), (1, 8)):
        other, found, parts = step(model, tokens, monkeypatch)
        assert parts == expected
        assert other == pytest.approx(loss, rel=1e-6)
        for key, value in gradients.items():
            assert (found[key] - value).abs().max().item() <= 1e-5 * scale, key


def test_branches_hold_less_for_the_backward_pass(monkeypatch):
    model, peaks = model_of("lora", "llama"), []
    for tokens in (10_000, 30):
        Held.now = Held.peak = 0
        with saved_tensors_hooks(Held, lambda held: held.tensor):
            step(model, tokens, monkeypatch)
        assert Held.now == 0
        peaks.append(Held.peak)
    assert peaks[1] < 0.75 * peaks[0]


def test_behind_an_error_no_trunk_is_left(monkeypatch):
    model, batch = model_of("lora", "llama"), collate(rows(), pad=257)
    monkeypatch.setitem(branches.TOKENS, "cpu", 30)
    parts = model.running(batch, model.branches(batch, None))
    next(parts)
    assert model.trunk.depth == 40
    parts.close()
    assert model.trunk is None


def test_a_batch_without_trees_runs_in_parts(monkeypatch):
    model, batch = model_of("lora", "llama"), collate(rows(), pad=257)
    monkeypatch.setattr("peft_pipelines.models.tree_attention.allows", lambda core: False)
    monkeypatch.setitem(branches.TOKENS, "cpu", 30)
    tree = model.branches(batch, 60)
    assert (tree.trunk, sorted(tree.rows)) == (0, list(range(8)))
    assert [part.trunk for part in tree.parts] == [0] * len(tree.parts)
    assert len(tree.parts) > 1
