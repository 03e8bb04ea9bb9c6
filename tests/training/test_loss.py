"""Losses that a row may name: torch's own numbers on each path; validation by cross entropy; a third by one entry."""

import re
from collections.abc import Callable

import base_rows
import pytest
import tiny
import torch
from project import Project, project  # noqa: F401
from small_trainings import VALIDATION, model_of, rows, run, training_args
from torch.nn import functional
from torch.nn.functional import cross_entropy

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.encoded import IGNORED, Encoded
from peft_pipelines.running.models_check import check_method
from peft_pipelines.training import loss as losses
from peft_pipelines.training.label_logits import LabelLogits, collate
from peft_pipelines.training.trainer import CellTrainer, TrainingJob
from peft_pipelines.training.validation import validation_loss

SMOOTH = {"type": "label_smoothing", "smoothing": 0.2}
PLAIN = {"packed_batches": False, "shared_prefix": False, "label_positions_only": False, "length_buckets": False}
FAST = {"packed_batches": True, "shared_prefix": True, "label_positions_only": True, "length_buckets": False}
LOGITS = torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
TARGETS = torch.tensor([0, 2])
EXAMPLES = [Encoded(row.prompt, row.answer * (1 + number % 3), False) for number, row in enumerate(rows()[:9])]


def test_cross_entropy_is_the_sum_of_negative_log_likelihoods():
    expected = -LOGITS.log_softmax(1)[[0, 1], TARGETS].sum()
    assert losses.cross_entropy(LOGITS, TARGETS).item() == pytest.approx(expected.item())


def test_label_smoothing_mixes_in_the_mean_over_all_tokens():
    likelihoods = -LOGITS.log_softmax(1)
    expected = (0.8 * likelihoods[[0, 1], TARGETS] + 0.2 * likelihoods.mean(1)).sum()
    found = losses.label_smoothing(LOGITS, TARGETS, smoothing=0.2)
    assert found.item() == pytest.approx(expected.item())


def whole(model: LabelLogits, smoothing: float) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and gradients of the examples in one batch, by torch from the logits of all positions."""
    batch = collate(EXAMPLES, 257)
    logits = model.plain(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
    labels = batch["labels"][:, 1:]
    loss = cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, label_smoothing=smoothing)
    loss.backward()
    return loss.item(), gradients(model)


def gradients(model: LabelLogits) -> dict[str, torch.Tensor]:
    found = {name: value.grad.clone() for name, value in model.attached.trainable().items()}
    model.zero_grad()
    return found


@pytest.mark.parametrize("micro_batches", [1, 3])
@pytest.mark.parametrize("tokens_per_forward", [10_000, 60])
@pytest.mark.parametrize("path", [PLAIN, FAST], ids=["plain", "fast"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_a_step_has_torchs_loss_and_gradients(smoothing, path, tokens_per_forward, micro_batches, tmp_path):
    """Nine examples in one or three micro batches, each of these in one or several forwards."""
    loss = {"type": "label_smoothing", "smoothing": smoothing} if smoothing else {"type": "cross_entropy"}
    values = {**path, "loss": loss, "tokens_per_forward": tokens_per_forward}
    model = model_of("lora", **values)
    tiny.stir(model.attached)
    expected, slopes = whole(model, smoothing)
    trainer = CellTrainer(model, TrainingJob(rows(), VALIDATION, training_args(**values), 0, 257, tmp_path))
    trainer.create_optimizer()
    trainer.current_gradient_accumulation_steps = micro_batches
    count = torch.tensor(sum(len(example.answer) for example in EXAMPLES))
    size = len(EXAMPLES) // micro_batches
    parts = [EXAMPLES[first : first + size] for first in range(0, len(EXAMPLES), size)]
    found = sum(trainer.training_step(model, collate(part, 257), count).item() for part in parts)
    assert found == pytest.approx(expected, rel=1e-5)
    scale = max(value.abs().max().item() for value in slopes.values())
    for name, value in gradients(model).items():
        assert (value - slopes[name]).abs().max().item() <= 1e-5 * scale, name


def test_validation_is_by_cross_entropy_whatever_is_trained(tmp_path):
    model, outcome = run(tmp_path, loss=SMOOTH, epochs=1)
    batch = collate(VALIDATION, 257)
    expected = model.plain(**{name: value for name, value in batch.items() if name != "task"}).loss.item()
    assert outcome.validation_loss == pytest.approx(expected, rel=1e-5)
    assert validation_loss(model, VALIDATION, 4, lambda part: collate(part, 257)) == pytest.approx(expected, rel=1e-5)


def test_another_loss_trains_other_weights(tmp_path):
    one, other = run(tmp_path / "a", epochs=1)[0], run(tmp_path / "b", epochs=1, loss=SMOOTH)[0]
    pairs = zip(one.attached.trainable().values(), other.attached.trainable().values(), strict=True)
    assert any(not torch.equal(*pair) for pair in pairs)


def focal() -> Callable[..., torch.Tensor]:
    """The loss that docs/adding.md adds."""
    text = (base_rows.PROJECT / "docs/adding.md").read_text()
    scope = {"torch": torch, "functional": functional}
    exec(re.search(r"```python\n(def focal\(.*?)```", text, re.DOTALL)[1], scope)
    return scope["focal"]


def test_a_third_loss_is_a_function_and_an_entry(monkeypatch, tmp_path):
    monkeypatch.setitem(losses.LOSSES, "focal", focal())
    model, outcome = run(tmp_path / "focal", epochs=1, loss={"type": "focal", "gamma": 2.0})
    plain, expected = run(tmp_path / "none", epochs=1, loss={"type": "focal", "gamma": 0.0})
    assert outcome.log[0]["loss"] < expected.log[0]["loss"]
    same, _ = run(tmp_path / "plain", epochs=1)
    for name, value in same.attached.trainable().items():
        assert torch.allclose(plain.attached.trainable()[name], value, atol=1e-4)
        assert not torch.equal(model.attached.trainable()[name], value)


def test_a_methods_row_may_choose_its_loss():
    method = tiny.METHODS["lora"].model_copy(update={"training": {"loss": SMOOTH}})
    found = losses.loss_of(training_args().overridden(method), method)(LOGITS, TARGETS)
    assert found == losses.label_smoothing(LOGITS, TARGETS, smoothing=0.2)


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        ({"type": "focal"}, "unknown type 'focal'. Allowed: cross_entropy, label_smoothing"),
        (
            {"type": "label_smooting", "smoothing": 0.1},
            "unknown type 'label_smooting', did you mean 'label_smoothing'? Allowed: cross_entropy, label_smoothing",
        ),
        ({}, "unknown type 'None'. Allowed: cross_entropy, label_smoothing"),
        ({"type": ["focal"]}, "unknown type '['focal']'. Allowed: cross_entropy, label_smoothing"),
        ({"type": "label_smoothing"}, "smoothing: Field required"),
        ({"type": "label_smoothing", "smoothing": 1.0}, "smoothing: Input should be less than 1, got 1.0"),
        ({"type": "cross_entropy", "smoothing": 0.1}, "unknown field 'smoothing'. Allowed: none"),
    ],
)
@pytest.mark.parametrize("own", [True, False], ids=["in the method's row", "in the training row"])
def test_a_wrong_loss_is_refused_before_a_weight_is_read(loss, words, own):
    method = tiny.METHODS["lora"].model_copy(update={"training": {"loss": loss} if own else {}})
    where = "method 'lora', training, loss" if own else "training, loss"
    with pytest.raises(ConfigError) as caught:
        check_method(method, tiny.skeleton("llama"), tiny.training_args(**({} if own else {"loss": loss})))
    separator = ", " if words.startswith("smoothing") else ": "
    assert str(caught.value) == f"{where}{separator}{words}"


def test_a_run_with_a_wrong_loss_ends_with_one_line(project: Project):  # noqa: F811
    project.parameters["training"]["loss"] = {"type": "focal"}
    done = project.kedro("run")
    assert done.exit_code == 1
    assert "training, loss: unknown type 'focal'. Allowed: cross_entropy, label_smoothing" in done.output
