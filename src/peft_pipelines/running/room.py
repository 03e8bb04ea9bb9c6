"""Whether tokens fit a model: their ids its embedding, their number its positions and the room beside an answer."""

from typing import TYPE_CHECKING

from peft_pipelines.config import MethodSpec, TaskSpec
from peft_pipelines.config.errors import ConfigError
from peft_pipelines.config.spec import FEWEST
from peft_pipelines.data.tokenize import Prompter
from peft_pipelines.models.positions import positions

if TYPE_CHECKING:
    from transformers import PretrainedConfig


def check_vocabulary(prompter: Prompter, config: "PretrainedConfig") -> None:
    """Raise ConfigError where a token that a row or the template can bring has no row in the embedding.

    Control tokens that the template does not write may have none: no row's text becomes one.
    """
    tokenizer, control = prompter.tokenizer, prompter.row_tokens.control
    rows = config.get_text_config().vocab_size
    ends = {tokenizer.eos_token_id, tokenizer.pad_token_id} - {None}
    reached = {*tokenizer.get_vocab().values()} - control.keys() | {*prompter.encode("?", "!").ids} | ends
    if max(reached) >= rows:
        token = tokenizer.convert_ids_to_tokens(max(reached))
        raise ConfigError(
            f"its tokenizer must have ids below {rows}, the rows of the embedding, got {max(reached)} ('{token}')"
        )


def check_positions(task: TaskSpec, method: MethodSpec, limit: int, config: "PretrainedConfig") -> None:
    """Raise ConfigError where the longest row, behind the method's virtual tokens, has more tokens than positions."""
    there, virtual = positions(config), method.virtual_tokens
    if there is not None and virtual > there - FEWEST:
        raise ConfigError(
            f"method '{method.name}', config, num_virtual_tokens: must be at most {there - FEWEST}, the model has "
            f"{there} positions, got {virtual}"
        )
    if there is not None and limit + virtual > there:
        beside = f" beside {virtual} virtual tokens of method '{method.name}'" if virtual else ""
        raise ConfigError(
            f"task '{task.name}': max_length must be at most {there - virtual}{beside}, the model has {there} "
            f"positions, got {limit}"
        )


def check_room(task: TaskSpec, prompter: Prompter) -> None:
    """Raise ConfigError where the tokens to generate leave no room for any prompt."""
    try:
        prompter.encode("?", room=task.max_new_tokens)
    except ConfigError:
        raise ConfigError(
            f"task '{task.name}': max_new_tokens must leave room for a prompt in max_length {prompter.max_length}, "
            f"got {task.max_new_tokens}"
        ) from None


def check_labels_fit(task: TaskSpec, model: str, prompter: Prompter) -> None:
    """Raise ConfigError where a label's tokens and the end of the turn are more than the tokens to generate.

    Such an answer would be cut off, and count as wrong.
    """
    needed = {word: len(prompter.encode_answer(word)) for word in task.label_words}
    longest = max(needed, key=lambda word: needed[word], default="")
    if needed.get(longest, 0) > task.max_new_tokens:
        raise ConfigError(
            f"task '{task.name}': max_new_tokens must be at least {needed[longest]}, the tokens of label "
            f"'{longest:.80}' and of the end of the turn with model '{model}', got {task.max_new_tokens}"
        )
