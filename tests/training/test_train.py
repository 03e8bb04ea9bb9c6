"""Training: the same bytes from the same seed, in one go or killed and resumed; the best state by validation."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import base_rows
import pytest
import tiny
import torch
from safetensors.torch import load_file
from small_trainings import START, VALIDATION, interrupt, model_of, rows, run, saved, training_args, uninterrupted

from peft_pipelines.data.batching import Batches
from peft_pipelines.data.encoded import Encoded
from peft_pipelines.models import base_model
from peft_pipelines.storage.checkpoint import CheckpointFolder, Trained
from peft_pipelines.training.label_logits import collate
from peft_pipelines.training.train import Outcome, state_digest
from peft_pipelines.training.trainer import CellTrainer, TrainingJob
from peft_pipelines.training.validation import validation_loss

RECORD = {
    "model": {"name": "tiny", "licence": "-", "citation": "-"},
    "training_args": {"learning_rate": 0.1},
    "seed": 0,
    "trainable_parameters": 1,
    "total_parameters": 2,
}


@pytest.fixture(autouse=True)
def _the_base_is_untouched() -> Iterator[None]:
    """Whatever is trained here, the base that all share keeps its bytes, hooks and flags."""
    base = tiny.base("llama")
    before = base_model.checksum(base), list(tiny.traits(base))
    yield
    assert (base_model.checksum(base), list(tiny.traits(base))) == before


@pytest.mark.parametrize("name", [name for name, row in tiny.METHODS.items() if row.provider != "none"])
def test_the_seed_decides_every_byte(name, tmp_path):
    first, again, other = (
        saved(run(tmp_path / f"state{number}", name, seed, epochs=epochs)[0], tmp_path / str(number))
        for number, (seed, epochs) in enumerate([(0, 2), (0, 2), (1, 1)])
    )
    assert first == again
    weights = [file for file in first if file.endswith(".safetensors")]
    assert weights
    assert all(first[file] != other[file] for file in weights)
    assert {file: first[file] for file in first if file not in weights} == {
        file: other[file] for file in other if file not in weights
    }


@pytest.mark.parametrize("values", [{}, {"gradient_accumulation_steps": 2}, {"length_buckets": False}], ids=str)
def test_interrupted_and_resumed_is_uninterrupted(values, tmp_path):
    whole, expected = run(tmp_path / "whole", **values)
    at = max(expected.steps * 2 // 3, 1)
    with pytest.raises(KeyboardInterrupt):
        interrupt(tmp_path / "cut", at, **values)
    states = [path.parent.name for path in (tmp_path / "cut").glob("checkpoint-*/complete")]
    assert len(states) == 1
    assert 0 < int(states[0].removeprefix("checkpoint-")) <= at
    resumed, outcome = run(tmp_path / "cut", **values)
    assert outcome == expected
    assert saved(resumed, tmp_path / "b") == saved(whole, tmp_path / "a")


@pytest.mark.parametrize("name", ["bitfit", "prefix_tuning", "sequential_bottleneck", "freeze", "full"])
def test_each_provider_resumes(name, tmp_path):
    whole, expected = uninterrupted(name)
    with pytest.raises(KeyboardInterrupt):
        interrupt(tmp_path / "cut", 11, name)
    resumed, outcome = run(tmp_path / "cut", name)
    assert outcome == expected
    assert saved(resumed, tmp_path / "resumed") == whole


@pytest.mark.parametrize("name", ["lora_plus", "galore"])
def test_each_optimizer_resumes(name, tmp_path):
    whole, expected = uninterrupted(name)
    with pytest.raises(KeyboardInterrupt):
        interrupt(tmp_path / "cut", 11, name)
    assert list((tmp_path / "cut").glob("checkpoint-*/complete"))
    resumed, outcome = run(tmp_path / "cut", name)
    assert outcome == expected
    assert saved(resumed, tmp_path / "resumed") == whole


def test_killed_by_the_system_and_resumed_is_uninterrupted(tmp_path):
    script = (
        "import sys; from pathlib import Path; from small_trainings import interrupt\n"
        "interrupt(Path(sys.argv[1]), 7, kill=True)"
    )
    paths = os.pathsep.join([str(base_rows.PROJECT / "tests/support"), str(base_rows.PROJECT / "src")])
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "cut")],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (tmp_path / "cut" / "checkpoint-5" / "complete").is_file()
    resumed, outcome = run(tmp_path / "cut")
    whole, expected = uninterrupted()
    assert outcome == expected
    assert saved(resumed, tmp_path / "resumed") == whole


def test_a_half_written_state_is_ignored(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        interrupt(tmp_path / "cut", 6)
    half = tmp_path / "cut" / "checkpoint-15"
    half.mkdir()
    (half / "trainable.safetensors").write_bytes(b"torn")
    resumed, outcome = run(tmp_path / "cut")
    whole, expected = uninterrupted()
    assert outcome == expected
    assert saved(resumed, tmp_path / "resumed") == whole


def test_a_state_counts_before_older_ones_go(tmp_path, monkeypatch):
    trainer = CellTrainer(model_of("lora"), TrainingJob(rows(), VALIDATION, training_args(), 0, 257, tmp_path))
    seen = []
    remove = shutil.rmtree

    def watched(path, *args, **kwargs):
        if Path(path).name.startswith("checkpoint-"):
            seen.append(sorted(path.parent.name for path in tmp_path.glob("checkpoint-*/complete")))
        remove(path, *args, **kwargs)

    monkeypatch.setattr(shutil, "rmtree", watched)
    trainer.train()
    assert seen[:2] == [["checkpoint-5", "checkpoint-9"], ["checkpoint-14", "checkpoint-9"]]
    assert [path.name for path in tmp_path.glob("checkpoint-*")] == ["checkpoint-18"]


def test_the_state_holds_trainable_tensors_and_ends_with_the_checkpoint(tmp_path):
    state = tmp_path / "state"
    model, _ = run(state)
    own = {name: value.shape for name, value in model.attached.trainable().items()}
    for file in state.rglob("*.safetensors"):
        assert {name: value.shape for name, value in load_file(file).items()} == own
    moments = torch.load(state / "checkpoint-18" / "optimizer.pt", weights_only=True)["state"].values()
    assert sum(moment["exp_avg"].numel() for moment in moments) == model.attached.trainable_parameters()
    assert not list(state.rglob("*.bin"))
    size = sum(path.stat().st_size for path in state.rglob("*") if path.is_file())
    assert size < 8 * 4 * model.attached.trainable_parameters() + 60_000
    record = {**RECORD, "method": model.attached.method.model_dump()}
    CheckpointFolder(filepath=str(tmp_path / "checkpoint")).save(Trained(model.attached, record, state))
    assert not state.exists()
    assert sorted(path.name for path in (tmp_path / "checkpoint").iterdir()) == [
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "record.json",
    ]


def test_the_best_weights_by_validation_are_kept(tmp_path):
    """A rate that destroys the model after a while: the last state is not the best one."""
    model, outcome = run(tmp_path, learning_rate=0.5, schedule="constant", evaluations=9, max_grad_norm=1e6)
    losses = {entry["step"]: entry["validation_loss"] for entry in outcome.log if "validation_loss" in entry}
    assert len(losses) == 9
    assert outcome.best_step == min(losses, key=losses.get)
    assert outcome.best_step < outcome.steps == 18
    pad = 257
    found = validation_loss(model, VALIDATION, 16, lambda batch: collate(batch, pad))
    assert found == pytest.approx(losses[outcome.best_step], rel=1e-6)


def test_training_lowers_the_validation_loss(tmp_path):
    _, outcome = run(tmp_path, epochs=6)
    losses = [entry["validation_loss"] for entry in outcome.log if "validation_loss" in entry]
    assert losses[-1] < losses[0] - 0.5


def test_the_trainers_accumulated_step_is_that_of_one_batch(tmp_path):
    """Two micro batches of 4 step as one batch of 8 does: the mean is over all their labelled tokens."""
    one, whole = run(tmp_path / "a", batch_size=8, length_buckets=False, epochs=1, evaluations=1)
    two, parts = run(
        tmp_path / "b", batch_size=4, gradient_accumulation_steps=2, length_buckets=False, epochs=1, evaluations=1
    )
    assert whole.steps == parts.steps == 3
    for name, value in one.attached.trainable().items():
        assert torch.allclose(two.attached.trainable()[name], value, atol=1e-5)


@pytest.mark.parametrize("name", ["lora", "prefix_tuning", "full"])
@pytest.mark.parametrize("plain", [True, False])
def test_a_batch_in_parts_has_the_gradients_of_the_whole(name, plain, tmp_path):
    """60 tokens hold two to five of these rows of 8 to 24: parts of unlike sizes and numbers of labels."""
    values = {"packed_batches": False, "shared_prefix": not plain, "label_positions_only": not plain}
    values["length_buckets"] = False
    found = []
    for tokens in (10_000, 60):
        model, protocol_ = model_of(name, **values), training_args(**values, tokens_per_forward=tokens)
        tiny.stir(model.attached)
        trainer = CellTrainer(model, TrainingJob(rows(), VALIDATION, protocol_, 0, 257, tmp_path))
        trainer.create_optimizer()
        trainer.current_gradient_accumulation_steps = 1
        batch = [Encoded(row.prompt, row.answer * (1 + number % 3), False) for number, row in enumerate(rows()[:9])]
        inputs = collate(batch, 257)
        parts = [part["input_ids"].shape for part in model.parts(inputs, tokens)]
        assert (len(parts) > 2) == (tokens == 60)
        assert all(rows * width <= tokens for rows, width in parts)
        count = torch.tensor(sum(len(row.answer) for row in batch))
        loss = trainer.training_step(model, inputs, count)
        found.append((loss.item(), {key: value.grad for key, value in model.attached.trainable().items()}))
    (one, whole), (other, parts) = found
    assert other == pytest.approx(one, rel=1e-6)
    scale = max(value.abs().max().item() for value in whole.values())
    for key, value in whole.items():
        assert (parts[key] - value).abs().max().item() <= 1e-5 * scale, key


def test_training_in_parts_ends_at_the_same_weights(tmp_path):
    whole, parts = (run(tmp_path / str(tokens), epochs=1, tokens_per_forward=tokens)[0] for tokens in (10_000, 40))
    for name, value in whole.attached.trainable().items():
        assert torch.allclose(parts.attached.trainable()[name], value, atol=1e-4)


def test_short_cuts_end_at_the_plain_paths_weights(tmp_path):
    plain = {"packed_batches": False, "shared_prefix": False, "label_positions_only": False}
    slow, fast = run(tmp_path / "slow", **plain, epochs=1)[0], run(tmp_path / "fast", epochs=1)[0]
    for name, value in slow.attached.trainable().items():
        assert torch.allclose(fast.attached.trainable()[name], value, atol=1e-4)


@pytest.mark.parametrize(
    "launched",
    [
        {"PMI_SIZE": "4", "PMI_RANK": "1"},
        {"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "0"},
        {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1"},
        {"ACCELERATE_MIXED_PRECISION": "bf16"},
        {"ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "4"},
        {"ACCELERATE_USE_DEEPSPEED": "true"},
    ],
    ids=lambda launched: next(iter(launched)),
)
def test_what_starts_the_process_does_not_change_the_training(launched, tmp_path, monkeypatch):
    """As `srun`, `mpirun`, `torchrun` and `accelerate launch` set them."""
    for name, value in launched.items():
        monkeypatch.setenv(name, value)
    model, _ = run(tmp_path / "state")
    assert saved(model, tmp_path / "saved") == uninterrupted()[0]
    assert launched.items() <= os.environ.items()


def test_nothing_to_train_takes_no_step(tmp_path):
    _, outcome = run(tmp_path, "zero_shot")
    assert outcome == Outcome(0, 0, 0, None, [])
    assert not list(tmp_path.iterdir())


def test_the_log_holds_numbers_by_step(tmp_path):
    _, outcome = run(tmp_path)
    assert json.loads(json.dumps(outcome.log, allow_nan=False)) == outcome.log
    assert [entry["step"] for entry in outcome.log if "validation_loss" in entry] == [5, 9, 14, 18]
    assert {"step", "loss", "grad_norm", "learning_rate"} <= outcome.log[0].keys()


LENGTHS = [5 + number * 7 % 40 for number in range(403)]


@pytest.mark.parametrize("bucketed", [True, False])
def test_batches_are_a_permutation_of_the_rows(bucketed):
    batches = list(Batches(LENGTHS, 8, seed=0, bucketed=bucketed))
    assert sorted(row for batch in batches for row in batch) == list(range(403))
    assert len(batches) == len(Batches(LENGTHS, 8, seed=0, bucketed=bucketed)) == 51
    assert sorted(map(len, batches)) == [3] + [8] * 50


@pytest.mark.parametrize("bucketed", [True, False])
def test_seed_and_epoch_decide_the_order(bucketed):
    def order(seed, epoch):
        batches = Batches(LENGTHS, 8, seed, bucketed=bucketed)
        batches.set_epoch(epoch)
        return list(batches)

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)


def test_buckets_need_less_padding():
    def padding(bucketed):
        batches = Batches(LENGTHS, 8, seed=0, bucketed=bucketed)
        return sum(
            max(LENGTHS[row] for row in batch) * len(batch) - sum(LENGTHS[row] for row in batch) for batch in batches
        )

    assert padding(True) < 0.2 * padding(False)


def test_bucketed_batches_come_in_mixed_order():
    means = [sum(LENGTHS[row] for row in batch) / len(batch) for batch in Batches(LENGTHS, 8, seed=0, bucketed=True)]
    rises = sum(later > earlier for earlier, later in pairwise(means))
    assert 15 < rises < 35


def test_a_group_meets_in_batches_whose_order_seed_and_epoch_decide():
    groups = [f"passage {row // 10}" if row < 100 else "" for row in range(len(LENGTHS))]
    batches = Batches(LENGTHS, 8, seed=0, bucketed=True, groups=groups)
    first = list(batches)
    assert sorted(row for batch in first for row in batch) == list(range(len(LENGTHS)))
    for group in range(10):
        met = [batch for batch in first if any(row // 10 == group for row in batch if row < 100)]
        assert len(met) <= 3  # ten rows, in batches of eight: two, and a third where they begin inside one
    assert first == list(Batches(LENGTHS, 8, seed=0, bucketed=True, groups=groups))
    batches.set_epoch(1)
    assert first != list(batches)


@pytest.mark.parametrize("bucketed", [True, False])
def test_examples_without_a_group_are_batched_as_ever(bucketed):
    plain = list(Batches(LENGTHS, 8, seed=3, bucketed=bucketed))
    assert list(Batches(LENGTHS, 8, seed=3, bucketed=bucketed, groups=[""] * len(LENGTHS))) == plain


def test_validation_loss_is_one_number_over_all_labelled_tokens():
    """Answers of 1 and 6 tokens: the mean of batch means would be another number."""
    model = model_of("lora")
    tiny.stir(model.attached)
    uneven = [Encoded([*START, 7, 8], [3], False), Encoded([*START, 9], [1, 2, 3, 4, 5, 6], False)]
    losses = [validation_loss(model, uneven, size, lambda batch: collate(batch, 257)) for size in (1, 2)]
    model.tokens_per_forward = 8
    losses.append(validation_loss(model, uneven, 2, lambda batch: collate(batch, 257)))
    each = [validation_loss(model, [row], 1, lambda batch: collate(batch, 257)) for row in uneven]
    assert losses[1:] == pytest.approx([losses[0]] * 2, rel=1e-6)
    assert losses[0] == pytest.approx((each[0] * 1 + each[1] * 6) / 7, rel=1e-6)
    assert abs(losses[0] - sum(each) / 2) > 0.01
    assert model.training


def test_a_state_digest_tells_trainings_apart():
    one = state_digest({"rate": 0.1}, [[1, 2]])
    assert one == state_digest({"rate": 0.1}, [[1, 2]])
    assert one != state_digest({"rate": 0.2}, [[1, 2]])
    assert one != state_digest({"rate": 0.1}, [[1, 3]])
