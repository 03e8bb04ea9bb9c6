"""One answer as it is made, token by token: greedy, the same tokens as ``generate`` makes for the prompt."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch

from peft_pipelines.inference.decoding import Decoding
from peft_pipelines.inference.loglikelihood import Prefill
from peft_pipelines.inference.prefilling import prefilling
from peft_pipelines.inference.roomy_cache import with_room
from peft_pipelines.methods.attached import Attached
from peft_pipelines.models.base_model import autocast
from peft_pipelines.models.forward import forward
from peft_pipelines.models.shared_heads import one_token

UNFINISHED = "\ufffd"
"""What a tokenizer writes for bytes that are no character yet."""


Choose = Callable[[torch.Tensor], torch.Tensor]
"""From logits (1, vocabulary) to the next token (1,)."""


def stream(
    attached: Attached, prompt: Sequence[int], decoding: Decoding, choose: Choose | None = None
) -> Iterator[int]:
    """Yield the tokens of the answer to a prompt, the stop token included, each as soon as it is chosen.

    No context of the model's is held between two tokens, so that the caller may do anything meanwhile.

    Args:
        attached: the method on its clone of the base, ready to generate.
        prompt: the prompt's tokens.
        decoding: the options.
        choose: chooses each token; None for the likeliest, which makes the greedy answer.
    """
    # The prefill knows the end of a greedy answer of one token; an answer that is drawn may go on there.
    filled = _prefilled(attached, prompt, decoding if choose is None else _endless(decoding))
    said: list[int] = list(filled.said[0])
    yield from said
    if not filled.going:
        return
    cache, mask, last, logits = with_room(filled.cache), filled.mask, filled.last, filled.logits
    while True:
        chosen = logits.argmax(-1) if choose is None else choose(logits)
        said.append(int(chosen))
        yield said[-1]
        if decoding.ended(said):
            return
        mask, last = torch.cat([mask, mask.new_ones(1, 1)], dim=1), last + 1
        with torch.no_grad(), autocast(attached.core, attached.precision), one_token(attached.core):
            output = forward(attached.core, chosen[:, None], mask, last, cache, logits_to_keep=1)
        cache, logits = output.past_key_values, output.logits[:, -1]


def _endless(decoding: Decoding) -> Decoding:
    return replace(decoding, stop=(), max_new_tokens=decoding.max_new_tokens + 1)


def _prefilled(attached: Attached, prompt: Sequence[int], decoding: Decoding) -> Prefill:
    with torch.no_grad(), autocast(attached.core, attached.precision):
        prefill, batches = prefilling(attached, [prompt], [[]], decoding)
        filled, _ = prefill(next(batches))
    return filled


def pieces(texts: Iterator[str]) -> Iterator[str]:
    """Yield what each text adds to the one before; bytes that are no character yet are kept back until they are one.

    >>> list(pieces(iter(["a", "a\\ufffd", "aé", "aéb"])))
    ['a', 'é', 'b']
    """
    shown, text = "", ""
    for text in texts:
        if not text.endswith(UNFINISHED) and text != shown:
            yield text[len(shown) :]
            shown = text
    if text != shown:
        yield text[len(shown) :]
