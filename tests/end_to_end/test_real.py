"""Each method row on the real embedded model: exact short cuts, training, saving, generation, and an unchanged base."""

import pytest
import tiny
import torch
from small_trainings import mean_loss

from peft_pipelines.data.batching import shared_prefix
from peft_pipelines.data.encoded import Encoded
from peft_pipelines.data.tokenize import Prompter
from peft_pipelines.inference.decoding import Decoding
from peft_pipelines.inference.generate import generate, generate_and_score
from peft_pipelines.methods import providers
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models import base_model
from peft_pipelines.training.label_logits import LabelLogits, collate
from peft_pipelines.training.shortcuts import Shortcuts

pytestmark = pytest.mark.real

ASK = "Classify the sentiment of the following sentence. Answer with one word: negative or positive.\n\nSentence: "
TEXTS = [
    ("a fun ride", "positive"),
    ("dull and far too long for what little it has to say", "negative"),
    ("i slept", "negative"),
]
PLAIN = {"packed_batches": False, "shared_prefix": False, "label_positions_only": False}


@pytest.fixture(scope="module")
def prompter(base) -> Prompter:
    return Prompter(base.tokenizer, chat=True, max_length=512)


@pytest.fixture(scope="module")
def rows(prompter) -> list[Encoded]:
    return [prompter.encode(ASK + text, answer) for text, answer in TEXTS]


def gradients(attached: Attached, rows: list[Encoded], **values) -> tuple[float, dict[str, torch.Tensor]]:
    model = LabelLogits(
        attached, Shortcuts.of(attached, tiny.training_args(**values)), shared_prefix([row.prompt for row in rows])
    )
    loss = mean_loss(model, collate(rows, pad=0))
    if loss.requires_grad:
        loss.backward()
    found = {name: value.grad.clone() for name, value in attached.trainable().items()}
    attached.plain.zero_grad()
    return loss.item(), found


def step(attached: Attached, rows: list[Encoded], rate: float) -> float:
    optimizer = torch.optim.AdamW(attached.trainable().values(), lr=rate)
    loss, found = gradients(attached, rows)
    for name, value in attached.trainable().items():
        value.grad = found[name]
    optimizer.step()
    attached.plain.zero_grad()
    return loss


@pytest.fixture(autouse=True)
def _one_thread():
    """Sums in one order: the bounds are about the method, not about how threads share a sum."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


ROUGH = ("mpt", "prompt_tuning")
"""Starts near zero, where a norm blows up each step and each rounding: ten steps, and gradients in double precision."""


@pytest.mark.parametrize("name", tiny.METHODS)
def test_a_method_on_the_real_model(name, base, rows, prompter, tmp_path):
    method = tiny.METHODS[name]
    attached = providers.attach(base_model.clone(base.model), method, 0)
    attached.plain.train()
    measured = providers.attach(base_model.clone(base.model), method, 0) if name in ROUGH else attached
    if name in ROUGH:
        measured.plain.double().train()
    plain, fast = gradients(measured, rows, **PLAIN), gradients(measured, rows)
    assert fast[0] == pytest.approx(plain[0], abs=1e-5)
    scale = max((value.abs().max().item() for value in plain[1].values()), default=1.0)
    for key, value in plain[1].items():
        assert (fast[1][key] - value).abs().max().item() <= 1e-5 * scale, key
    if attached.trainable():
        rate = 0.1 * min(
            tiny.training_args().overridden(method).learning_rate, 0.05
        )  # small, as warm-up's first step is
        first, second = (step(attached, rows, rate) for _ in range(2))
        more = [step(attached, rows, method.training["learning_rate"]) for _ in range(8)] if name in ROUGH else []
        assert min(second, *more) < first if more else second < first
    attached.plain.eval()
    providers.save(attached, tmp_path)
    loaded = providers.load(base_model.clone(base.model), method, tmp_path)
    ids = torch.tensor([rows[0].prompt])
    found, expected = tiny.logits(loaded.plain, ids), tiny.logits(attached.plain, ids)
    if attached.initial:  # saved as the difference from its start: equal to rounding
        assert torch.allclose(found, expected, atol=1e-3)
    else:
        assert torch.equal(found, expected)
    stop = tuple(prompter.end_of_turn()[-1:])
    batched = generate(loaded, [row.prompt for row in rows], Decoding(4, stop, 0, 3, True, True))
    alone = generate(loaded, [row.prompt for row in rows], Decoding(4, stop, 0, 1, False, False))
    assert batched == alone
    assert all(batched)
    base.verify()


def test_the_model_speaks(base, prompter):
    attached = providers.attach(base_model.clone(base.model), tiny.METHODS["zero_shot"], 0)
    prompt = prompter.encode("What is the capital of France? Answer in one word.").prompt
    stop = tuple(prompter.end_of_turn()[-1:])
    (answer,) = generate(attached, [prompt], Decoding(12, stop, 0, 1, True, True))
    assert answer[-1] in stop
    assert "Paris" in prompter.decode(answer, stop)


@pytest.mark.filterwarnings("ignore:In CPU autocast")
@pytest.mark.parametrize("name", ["zero_shot", "prefix_tuning", "lora"])
def test_labels_are_as_likely_as_a_forward_of_the_whole_row_says(name, base, prompter):
    attached = tiny.stir(providers.attach(base_model.clone(base.model), tiny.METHODS[name], 0), 0.02)
    attached.plain.eval()
    prompts = [prompter.encode(ASK + text).prompt for text, _ in TEXTS]
    labels = [prompter.encode_answer(word) for word in ("positive", "negative", "not at all positive")]
    stop = tuple(prompter.end_of_turn()[-1:])
    single = generate_and_score(attached, prompts, Decoding(1, stop, 0, 3, True, True), [labels] * len(prompts))
    attached.plain.double()  # a forward in single precision is itself no nearer to the truth than some 1e-5
    double = generate_and_score(attached, prompts, Decoding(1, stop, 0, 3, True, True), [labels] * len(prompts))
    for prompt, *rows in zip(prompts, single, double, strict=True):
        for label, rough, one in zip(labels, *(row.likelihoods for row in rows), strict=True):
            said = tiny.logits(attached.plain, torch.tensor([[*prompt, *label]]))[0, -len(label) - 1 : -1]
            chances = said.log_softmax(-1).gather(-1, torch.tensor(label)[:, None])
            assert one.logprob == pytest.approx(chances.sum().item(), abs=1e-5, rel=0)
            assert rough.logprob == pytest.approx(chances.sum().item(), abs=1e-4, rel=0)
    base.verify()
