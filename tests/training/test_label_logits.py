"""Each short cut gives the plain path's loss and gradients, for each method row on each family of models."""

from collections.abc import Mapping

import pytest
import tiny
import torch
import waits
from small_trainings import mean_loss
from transformers.models.auto.modeling_auto import AutoModelForCausalLM

from peft_pipelines.config.errors import ConfigError
from peft_pipelines.data.batching import shared_prefix
from peft_pipelines.data.encoded import Encoded
from peft_pipelines.methods import providers
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models import base_model, token_tree, tree_kernel
from peft_pipelines.training import label_logits
from peft_pipelines.training.label_logits import LabelLogits, collate
from peft_pipelines.training.loss import cross_entropy
from peft_pipelines.training.shortcuts import AGAIN, CACHELESS, NOT_PACKED, ONE_MASK, UNPACKED, Shortcuts

PATHS = {
    "packed": {"packed_batches": True, "shared_prefix": False, "label_positions_only": False},
    "shared prefix": {"packed_batches": False, "shared_prefix": True, "label_positions_only": False},
    "label positions": {"packed_batches": False, "shared_prefix": False, "label_positions_only": True},
    "both": {"packed_batches": False, "shared_prefix": True, "label_positions_only": True},
}
ON_CPU = {"flex_attention": "its kernels are for CUDA, the device is cpu"}
UNPACKED_TOO = {"group_batches": NOT_PACKED, "flex_attention": UNPACKED}
PLAIN = {"packed_batches": False, "shared_prefix": False, "label_positions_only": False}
START = [17, 5, 99, 200, 31, 8, 77, 150]

REPRESENTATIVES = {
    "selective": "bitfit",
    "reparameterised": "lora",
    "soft_prompt": "prefix_tuning",
    "adapter": "sequential_bottleneck",
    "baseline": "zero_shot",
}
DEEP = [(name, family) for name, family in tiny.CASES if family in ("llama", "gpt2")]
WIDE = [case for case in tiny.CASES if case not in DEEP and case[0] in REPRESENTATIVES.values()]


def rows() -> list[Encoded]:
    """Five rows of unlike prompts and answers that share eight tokens."""
    texts = tiny.ids(20, rows=5).tolist()
    return [
        Encoded(START + text[: 3 + 2 * number], text[14 : 16 + number % 3], False) for number, text in enumerate(texts)
    ]


def learner(name: str, family: str) -> Attached:
    attached = tiny.stir(tiny.attach(name, family))
    attached.plain.train()
    return attached


def measured(
    attached: Attached, taken: Mapping[str, bool], batches: list[list[Encoded]], count: int | None = None
) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and gradients of some batches under some short cuts; ``count`` as the Trainer gives it."""
    shortcuts = Shortcuts.of(attached, tiny.training_args(**taken))
    for name, asked in taken.items():
        refused = attached.refuses.get(name)
        assert getattr(shortcuts, name) == (asked and not refused)
        assert shortcuts.reasons.get(name) == (None if asked and not refused else refused if asked else "switched off")
    model = LabelLogits(attached, shortcuts, shared_prefix([row.prompt for row in rows()]))
    assert model.prefix.shape[1] == (len(START) if taken["shared_prefix"] else 0)
    total = 0.0
    for batch in batches:
        loss = mean_loss(model, collate(batch, pad=257), count)
        total += loss.item()
        if loss.requires_grad:
            loss.backward()
    found = {key: value.grad.clone() for key, value in attached.trainable().items()}
    attached.plain.zero_grad()
    return total, found


def assert_equal(one: tuple[float, dict[str, torch.Tensor]], other: tuple[float, dict[str, torch.Tensor]]) -> None:
    """Loss to 1e-6 of itself, gradients to 1e-5 of the largest one."""
    assert one[0] == pytest.approx(other[0], rel=1e-6)
    scale = max((value.abs().max().item() for value in other[1].values()), default=1.0)
    for key, value in other[1].items():
        assert (one[1][key] - value).abs().max().item() <= 1e-5 * scale, key


@pytest.mark.parametrize("path", ["both", "packed"])
@pytest.mark.parametrize(("name", "family"), tiny.CASES)
def test_short_cuts_give_the_plain_loss_and_gradients(name, family, path):
    attached = learner(name, family)
    plain = measured(attached, PLAIN, [rows()])
    assert plain[0] > 1
    assert_equal(measured(attached, PATHS[path], [rows()]), plain)


@pytest.mark.parametrize("path", ["shared prefix", "label positions"])
@pytest.mark.parametrize(("name", "family"), DEEP)
def test_one_short_cut_gives_the_plain_loss_and_gradients(name, family, path):
    attached = learner(name, family)
    assert_equal(measured(attached, PATHS[path], [rows()]), measured(attached, PLAIN, [rows()]))


@pytest.mark.parametrize(("name", "family"), DEEP)
def test_the_plain_loss_is_the_librarys_own(name, family):
    attached = learner(name, family)
    batch = collate(rows(), pad=257)
    loss = attached.plain(**batch).loss
    if loss.requires_grad:
        loss.backward()
    own = {key: value.grad.clone() for key, value in attached.trainable().items()}
    attached.plain.zero_grad()
    assert_equal(measured(attached, PLAIN, [rows()]), (loss.item(), own))


@pytest.mark.parametrize("taken", [PLAIN, PATHS["both"], PATHS["packed"]], ids=["plain", "both", "packed"])
@pytest.mark.parametrize(("name", "family"), DEEP)
def test_two_micro_batches_are_one_batch(name, family, taken):
    attached, batch = learner(name, family), rows()
    count = sum(len(row.answer) for row in batch)
    together = measured(attached, PLAIN, [batch])
    assert_equal(measured(attached, taken, [batch[:2], batch[2:]], count), together)


@pytest.mark.parametrize("tokens", [1, 30, 60, None])
def test_trees_of_few_tokens_give_the_plain_gradients(tokens):
    attached, batch = learner("lora", "llama"), collate(rows(), pad=257)
    plain = measured(attached, PLAIN, [rows()])
    model = LabelLogits(attached, Shortcuts.of(attached, tiny.training_args()), [])
    parts = model.parts(batch, tokens)
    assert [len(part["labels"]) for part in parts] == {1: [1] * 5, 30: [1, 2, 2], 60: [5], None: [5]}[tokens]
    total = 0.0
    for part in parts:
        loss = mean_loss(model, part, sum(len(row.answer) for row in rows()))
        total += loss.item()
        loss.backward()
    assert_equal((total, {key: value.grad for key, value in attached.trainable().items()}), plain)


@pytest.mark.parametrize("family", ["gemma3", "mistral_window"])
@pytest.mark.parametrize("name", [name for name, row in tiny.METHODS.items() if row.provider == "hf_peft"])
def test_exact_behind_a_prefix_longer_than_the_sliding_window(name, family, monkeypatch):
    attached = learner(name, family)
    text = tiny.ids(300).tolist()[0]
    long = [Encoded([*text, *row.prompt], row.answer, False) for row in rows()]
    monkeypatch.setattr(f"{__name__}.START", text + START)
    plain = measured(attached, PLAIN, [long])
    assert_equal(measured(attached, PATHS["both"], [long]), plain)
    assert_equal(measured(attached, PATHS["packed"], [long]), plain)


@pytest.mark.parametrize("family", ["selective", "reparameterised", "soft_prompt", "adapter", "baseline"])
def test_each_family_of_methods_has_a_representative(family):
    assert tiny.ROWS[REPRESENTATIVES[family]].family == family


@pytest.mark.parametrize("name", tiny.METHODS)
def test_no_token_sees_a_later_one(name):
    attached = tiny.stir(tiny.attach(name, "llama"))
    attached.plain.eval()
    one = tiny.ids(12)
    other = one.clone()
    other[:, 8:] += 1
    first, second = (tiny.logits(attached.plain, text) for text in (one, other))
    assert torch.allclose(first[:, :8], second[:, :8], atol=1e-5)
    assert not torch.allclose(first[:, 8:], second[:, 8:], atol=1e-2)


def test_no_method_gives_base_logits():
    found = tiny.logits(tiny.attach("zero_shot", "llama").plain, tiny.ids(12))
    assert torch.equal(found, tiny.logits(tiny.base("llama"), tiny.ids(12)))


def test_labels_and_padding_of_other_rows_do_not_count():
    attached = learner("lora", "llama")
    batch = rows()
    alone = [measured(attached, PLAIN, [[row]], count=1)[0] for row in batch]
    assert measured(attached, PATHS["both"], [batch], count=1)[0] == pytest.approx(sum(alone), rel=1e-5)


def test_a_prefix_that_is_a_whole_prompt_keeps_its_last_token():
    attached = learner("lora", "llama")
    twins = [Encoded(START, [3, 4], False), Encoded(START, [5], False)]
    prefix = shared_prefix([row.prompt for row in twins])
    assert prefix == START[:-1]
    fast = LabelLogits(attached, Shortcuts.of(attached, tiny.training_args()), prefix)
    plain = LabelLogits(attached, Shortcuts.of(attached, tiny.training_args(**PLAIN)), [])
    losses = [mean_loss(model, collate(twins, pad=257)).item() for model in (fast, plain)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_what_is_switched_off_is_named_with_the_reason():
    shortcuts = Shortcuts.of(
        tiny.attach("lora", "llama"), tiny.training_args(shared_prefix=False, length_buckets=False)
    )
    assert (shortcuts.shared_prefix, shortcuts.label_positions_only, shortcuts.length_buckets) == (False, True, False)
    assert shortcuts.reasons == {"shared_prefix": "switched off", "length_buckets": "switched off", **ON_CPU}


def test_flex_attention_is_taken_where_nothing_is_against_it(monkeypatch):
    attached = tiny.attach("lora", "llama")
    monkeypatch.setattr("peft_pipelines.training.shortcuts.flex_refused", lambda *asked: None)
    taken, off = (Shortcuts.of(attached, tiny.training_args(flex_attention=asked)) for asked in (True, False))
    assert (taken.flex_attention, taken.reasons) == (True, {})
    assert (off.flex_attention, off.reasons) == (False, {"flex_attention": "switched off"})
    assert taken.attention == tree_kernel.FLEX
    assert off.attention == tree_kernel.PATHS


def test_under_gradient_checkpointing_the_mask_is_on_record():
    attached, training_args = tiny.attach("lora", "llama"), tiny.training_args(gradient_checkpointing=True)
    assert Shortcuts.of(attached, training_args).attention == tree_kernel.MASK


def test_groups_meet_in_packed_batches_only():
    shortcuts = Shortcuts.of(tiny.attach("lora", "llama"), tiny.training_args(packed_batches=False))
    assert not shortcuts.group_batches
    assert shortcuts.reasons == {"packed_batches": "switched off", **UNPACKED_TOO}


def test_gradient_checkpointing_takes_the_plain_path_and_says_so():
    shortcuts = Shortcuts.of(tiny.attach("lora", "llama"), tiny.training_args(gradient_checkpointing=True))
    assert not shortcuts.shared_prefix
    assert shortcuts.reasons == {"shared_prefix": CACHELESS, "flex_attention": AGAIN}


def test_a_methods_dropout_takes_the_plain_path_and_says_so():
    row = tiny.METHODS["lora"]
    method = row.model_copy(update={"config": {**row.config, "lora_dropout": 0.1}})
    attached = providers.attach(base_model.clone(tiny.base("llama")), method, 0)
    shortcuts = Shortcuts.of(attached, tiny.training_args())
    assert not shortcuts.shared_prefix
    assert shortcuts.reasons == {"packed_batches": ONE_MASK, "shared_prefix": ONE_MASK, **UNPACKED_TOO}


@pytest.mark.parametrize(
    ("family", "rates"),
    [("gpt2", {"resid_pdrop": 0.1}), ("opt", {"dropout": 0.1}), ("llama", {"attention_dropout": 0.1})],
)
def test_a_base_models_dropout_takes_the_plain_path_and_says_so(family, rates):
    config = tiny.CONFIGS[family]()
    config.update(rates)
    attached = providers.attach(AutoModelForCausalLM.from_config(config), tiny.method_for("lora", family), 0)
    reasons = Shortcuts.of(attached, tiny.training_args()).reasons
    assert reasons["shared_prefix"] == reasons["packed_batches"] == ONE_MASK


def test_what_a_method_refuses_is_recorded():
    attached = tiny.attach("lora", "llama")
    reason = attached.refuses["shared_prefix"] = "its mask looks at the whole row"
    shortcuts = Shortcuts.of(attached, tiny.training_args())
    assert not shortcuts.shared_prefix
    assert shortcuts.reasons == {"packed_batches": reason, "shared_prefix": reason, **UNPACKED_TOO}


def test_a_method_that_gradient_checkpointing_would_not_train_is_refused():
    words = (
        "method 'prefix_tuning': gradient_checkpointing must be false, got true: without a cache its keys and values"
    )
    with pytest.raises(ConfigError, match=words):
        Shortcuts.of(tiny.attach("prefix_tuning", "llama"), tiny.training_args(gradient_checkpointing=True))


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(("name", "family"), DEEP + WIDE)
def test_gradient_checkpointing_gives_the_plain_gradients(name, family, packed):
    attached, batch = learner(name, family), rows()
    if "gradient_checkpointing" in attached.refuses:
        pytest.skip(attached.refuses["gradient_checkpointing"])
    plain = measured(attached, PLAIN, [batch])
    attached.core.gradient_checkpointing_enable({"use_reentrant": False})
    attached.core.enable_input_require_grads()
    training_args = tiny.training_args(gradient_checkpointing=True, packed_batches=packed)
    shortcuts = Shortcuts.of(attached, training_args)
    if packed and not shortcuts.packed_batches:  # a soft prompt is a cache; all others are refused without it too
        without = Shortcuts.of(attached, tiny.training_args()).reasons.get("packed_batches", CACHELESS)
        assert shortcuts.reasons["packed_batches"] == without
        assert without != CACHELESS or attached.start
    loss = mean_loss(LabelLogits(attached, shortcuts, START), collate(batch, pad=257))
    if loss.requires_grad and attached.trainable():
        loss.backward()
    assert_equal((loss.item(), {key: value.grad for key, value in attached.trainable().items()}), plain)


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "padded"])
@pytest.mark.parametrize("name", ["lora", "prefix_tuning", "ln_tuning", "full"])
def test_a_step_waits_for_no_number_on_the_device(name, packed, monkeypatch):
    attached = tiny.attach(name, "llama")
    model = LabelLogits(attached, Shortcuts.of(attached, tiny.training_args(packed_batches=packed)), prefix=START)
    with waits.watched(monkeypatch, label_logits, token_tree) as looks:
        logits, targets = model(**collate(rows(), pad=257))
        cross_entropy(logits, targets).backward()
    assert isinstance(logits, waits.OnDevice) and isinstance(targets, waits.OnDevice)
    # of padded rows the library asks once a forward whether the mask hides anything
    assert looks == ([] if packed else ["__bool__"] * len(looks)) and len(looks) <= 2


def test_a_look_at_a_number_on_the_device_is_seen(monkeypatch):
    with waits.watched(monkeypatch, label_logits) as looks:
        found = label_logits.placed(torch.ones(3), "cpu") * 2
        found.tolist(), found[found > 1]
        assert looks == ["tolist", "__getitem__"]
